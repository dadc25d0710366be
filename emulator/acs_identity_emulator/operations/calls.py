"""What an operation gets and what it returns, free of HTTP."""

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from functools import lru_cache
from typing import NamedTuple

from ..authentication.authenticators import Caller
from ..authentication.tokens import Signable
from ..contract.versions import Operation


class Call(NamedTuple):
    """One call of an operation.

    :param path_parameters: Decoded, in the order of the path.
    :param url: The URL as the client sent it, from which links are made.
    """

    operation: Operation
    version: str
    path_parameters: tuple[str, ...]
    body: bytes
    caller: Caller
    url: str = ""


Payload = Mapping[str, object]


class Html(NamedTuple):
    """A page of HTML instead of JSON.

    :param text: The page.
    :param nonce: The nonce of its own scripts and styles; a browser runs no others.
    """

    text: str
    nonce: str


class Text(NamedTuple):
    """A file of text instead of JSON."""

    text: str
    media_type: str


Content = Payload | Html | Text


class Answer(NamedTuple):
    """The result of an operation.

    A payload with a token in it is a function that signs the token. The operation has read and
    written everything by then, so the signature may be made later and in another thread.
    """

    status: int
    payload: Content | Callable[[], Payload] | None = None


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
    """A token and its expiry, in Unix time."""

    token: Signable
    expires_at: float

    def shown(self) -> Payload:
        """The token, signed, as an answer shows it."""
        return {"token": self.token.signed(), "expiresOn": timestamp(self.expires_at)}
