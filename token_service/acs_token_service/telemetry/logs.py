"""One JSON object a line on standard error."""

import logging
import sys
import time
import traceback
from collections import Counter
from types import TracebackType
from typing import Any

from pythonjsonlogger.json import JsonFormatter

ROOT = "acs_token_service"
_PAUSE = 10.0  # seconds between two records of the same failure


def set_up(level: str) -> None:
    """Sends all records of this process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _Formatter(
            "{levelname}{name}{message}",
            style="{",
            rename_fields={"levelname": "level", "name": "logger"},
            timestamp="time",
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(ROOT).setLevel(level.upper())
    # It logs a traceback for each request that is not HTTP: a port scanner would fill the disk.
    # Errors in handlers are logged by `web`.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)


class _Formatter(JsonFormatter):
    """Writes where an exception was raised and its type, not its message.

    Messages of drivers and libraries quote values: a database names the row that violates a
    constraint, which holds the id of a person.
    """

    def formatException(  # noqa: N802 - the name is logging's
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:
        _, error, _ = ei
        return "" if error is None else describe(error)


def describe(error: BaseException) -> str:
    """The types and the frames of an exception and its causes."""
    parts: list[str] = []
    current: BaseException | None = error
    while current is not None and len(parts) < 10:
        frames = "".join(traceback.format_tb(current.__traceback__))
        parts.append(f"{type(current).__module__}.{type(current).__qualname__}\n{frames}")
        current = current.__cause__ or current.__context__
    return "caused by ".join(parts)


def cause_of(error: BaseException) -> str:
    """The type of what an exception began with, such as ConnectionRefusedError."""
    kinds: list[type[BaseException]] = []
    current: BaseException | None = error
    while isinstance(current, Exception) and len(kinds) < 10:  # not a CancelledError
        kinds.append(type(current))
        is_cause = current.__cause__ is not None or current.__suppress_context__
        current = current.__cause__ if is_cause else current.__context__
    return kinds[-1].__name__ if kinds else type(error).__name__


class Repeated:
    """Logs what any request may meet: a message once in ten seconds, and how often it came."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._next: dict[str, float] = {}
        self._times: Counter[str] = Counter()

    def note(self, message: str, error: BaseException | None = None) -> None:
        """:param message: One of few, since each is remembered.
        :param error: What is described; it makes the record an error.
        """
        self._times[message] += 1
        now = time.monotonic()
        if now < self._next.get(message, now):
            return
        self._next[message] = now + _PAUSE
        fields: dict[str, Any] = {"times": self._times.pop(message)}
        if error is not None:
            fields["error"] = describe(error)
        self._log.log(logging.ERROR if error else logging.WARNING, message, extra=fields)
