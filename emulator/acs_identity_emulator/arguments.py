"""The arguments of `IdentityEmulator`, and their checks."""

import os
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from types import NoneType
from typing import NamedTuple

from .authentication.access_keys import pasted_key
from .contract.guids import check_guid
from .control.guard import is_loopback
from .operations.identities import check_token_lifetime

_PAGE_SIZES = range(1, 10_001)
_PORTS = range(65_536)
_FILES = ("database", "import_state", "ca_file")
_TYPES = (
    (("host",), "a str", (str,)),
    (("access_key", "secondary_key", "resource_id", "control_token"), "a str", (str, NoneType)),
    (("port", "page_size"), "an int", (int,)),
    (("identity_port",), "an int", (int, NoneType)),
    (("tls", "throttle", "retry_after", "open_exchange", "encrypted_tokens"), "a bool", (bool,)),
    (_FILES, "a str or os.PathLike", (str, os.PathLike, NoneType)),
)


class Arguments(NamedTuple):
    """What `IdentityEmulator` is made with."""

    host: str
    port: int
    database: str | os.PathLike[str] | None
    import_state: str | os.PathLike[str] | None
    access_key: str | None
    secondary_key: str | None
    resource_id: str | None
    tls: bool
    tls_names: Sequence[str]
    ca_file: str | os.PathLike[str] | None
    identity_port: int | None
    throttle: bool
    retry_after: bool
    open_exchange: bool
    page_size: int
    encrypted_tokens: bool
    token_lifetime: timedelta | None
    control_token: str | None
    clock: Callable[[], float] | None

    def checked(self) -> "Arguments":
        """The arguments, the keys without what pasting has added to them.

        :raises TypeError: If an argument has the wrong type.
        :raises ValueError: If an argument is invalid. The message never holds a key.
        """
        self._check_types()
        self._check_values()
        return self._replace(
            access_key=_pasted("access_key", self.access_key),
            secondary_key=_pasted("secondary_key", self.secondary_key),
        )

    def _check_types(self) -> None:
        for names, expected, types in _TYPES:
            for name in names:
                check_type(name, getattr(self, name), expected, *types)
        check_texts("tls_names", self.tls_names)
        if self.clock is not None and not callable(self.clock):
            raise TypeError(f"clock must be a callable, not {type(self.clock).__name__}")

    def _check_values(self) -> None:
        if not _may_be_host(self.host):
            raise ValueError(f"host must be an address or a name, not {self.host!r}")
        for name in ("port", "identity_port"):
            port = getattr(self, name)
            if port is not None and port not in _PORTS:
                raise ValueError(f"{name} must be from 0 to {_PORTS[-1]}, not {port}")
        for name in _FILES:
            path = getattr(self, name)
            if path is not None and not os.fspath(path):
                raise ValueError(f"{name} must be the path of a file, not empty")
        if self.resource_id is not None:
            check_guid("resource_id", self.resource_id)
        if self.page_size not in _PAGE_SIZES:
            raise ValueError(f"page_size must be from 1 to {_PAGE_SIZES[-1]}, not {self.page_size}")
        if self.token_lifetime is not None:
            check_token_lifetime(self.token_lifetime)
        token = self.control_token
        if token is not None and not (token.isascii() and token.isalnum()):
            raise ValueError("control_token must consist of ASCII letters and digits")
        if token is None and not is_loopback(self.host):
            raise ValueError(
                f"control_token must be set, as {self.host!r} is not a loopback address: the token "
                "protects /.emulator/ and the page at /"
            )


def check_type(name: str, value: object, expected: str, *types: type) -> None:
    """Checks an argument; a bool is not an int here.

    :raises TypeError: If the value has none of the types. The message does not show it.
    """
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise TypeError(f"{name} must be {expected}, not {type(value).__name__}")


def check_texts(name: str, values: object) -> None:
    """:raises TypeError: If the values are not a collection of str; a str is not one here."""
    if isinstance(values, str) or not isinstance(values, Collection):
        raise TypeError(f"{name} must be a list of str, not {type(values).__name__}")
    for value in values:
        check_type(f"each of {name}", value, "a str", str)


def _pasted(name: str, key: str | None) -> str | None:
    return None if key is None else pasted_key(name, key)


def _may_be_host(host: str) -> bool:
    """Whether the resolver can be asked for it."""
    try:
        return bool(host.encode("idna"))
    except UnicodeError:
        return False
