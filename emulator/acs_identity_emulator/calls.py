"""What an operation is handed and what it hands back, free of HTTP."""

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from functools import lru_cache
from typing import NamedTuple

from .authentication import Caller
from .versions import Operation


class Call(NamedTuple):
    """One call of an operation; `names` are the decoded values that its path holds, in order."""

    operation: Operation
    version: str
    names: tuple[str, ...]
    body: bytes
    caller: Caller


class Answer(NamedTuple):
    status: int
    payload: Mapping[str, object] | None = None


Handler = Callable[[Call], Answer]


def timestamp(seconds: float) -> str:
    """Unix time as the service writes it: UTC, up to seven fraction digits, none that is idle."""
    whole, ticks = divmod(round(seconds * 10_000_000), 10_000_000)
    fraction = f".{ticks:07d}".rstrip("0") if ticks else ""
    return f"{_date_and_time(whole)}{fraction}+00:00"


@lru_cache(maxsize=64)
def _date_and_time(second: int) -> str:
    return datetime.fromtimestamp(second, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")


def access_token(token: str, expires_at: float) -> dict[str, object]:
    """A token as an answer shows it.

    :param expires_at: Unix time.
    """
    return {"token": token, "expiresOn": timestamp(expires_at)}
