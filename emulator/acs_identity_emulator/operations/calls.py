"""What an operation is handed and what it hands back, free of HTTP."""

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from functools import lru_cache
from typing import NamedTuple

from ..authentication.authenticators import Caller
from ..authentication.tokens import UnsignedToken
from ..contract.versions import Operation


class Call(NamedTuple):
    """One call of an operation; `path_parameters` are decoded, in the order of the path."""

    operation: Operation
    version: str
    path_parameters: tuple[str, ...]
    body: bytes
    caller: Caller


Payload = Mapping[str, object]


class Answer(NamedTuple):
    """What an operation has come to.

    A payload with a token in it is a function, which signs the token: all that the operation reads
    or writes is done by then, so that the signature may be made later, and in another thread.
    """

    status: int
    payload: Payload | Callable[[], Payload] | None = None


Handler = Callable[[Call], Answer]


def timestamp(seconds: float) -> str:
    """Unix time as the service writes it: UTC, seven fraction digits without trailing zeros."""
    whole, ticks = divmod(round(seconds * 10_000_000), 10_000_000)
    fraction = f".{ticks:07d}".rstrip("0") if ticks else ""
    return f"{_date_and_time(whole)}{fraction}+00:00"


@lru_cache(maxsize=64)
def _date_and_time(second: int) -> str:
    return datetime.fromtimestamp(second, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")


class AccessToken(NamedTuple):
    """A token and when it expires, in Unix time."""

    token: UnsignedToken
    expires_at: float

    def shown(self) -> Payload:
        """Signed, as an answer shows it."""
        return {"token": self.token.signed(), "expiresOn": timestamp(self.expires_at)}
