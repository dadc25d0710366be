"""The log on standard error, which neither blocks the emulator nor holds a secret."""

import collections
import json
import logging
import os
import threading
import time
import traceback
from datetime import datetime, timezone
from types import TracebackType

_LIMIT = 10_000  # lines that wait for a slow reader
_RETRY = 0.05  # seconds, if the descriptor is set not to block
_FLUSH_TIMEOUT = 0.3  # seconds at the end

_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def set_up(descriptor: int, level: str, log_format: str) -> "QueuedHandler":
    """Sends the log of the process to a descriptor.

    :param level: the name of a level of `logging`.
    :param log_format: ``text`` or ``json``.
    """
    handler = QueuedHandler(descriptor)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    logging.basicConfig(handlers=[handler], level=level.upper())
    return handler


class QueuedHandler(logging.Handler):
    """Writes in a separate thread; if nobody reads, lines are dropped and counted."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._lines: collections.deque[str] = collections.deque()
        self._dropped = 0
        self._is_closing = False
        self._wake = threading.Event()
        self._writer = threading.Thread(target=self._run, name="log", daemon=True)
        self._writer.start()

    def emit(self, record: logging.LogRecord) -> None:
        if len(self._lines) >= _LIMIT:
            self._dropped += 1
            return
        self._lines.append(self.format(record) + "\n")
        self._wake.set()

    def close(self) -> None:
        """Gives the reader a moment for the remaining lines; called at exit as well."""
        if not self._is_closing:
            self._is_closing = True
            self._wake.set()
            self._writer.join(_FLUSH_TIMEOUT)
        super().close()

    def _run(self) -> None:
        # Not by `sys.stderr`: a thread that is blocked in it would block the interpreter's exit.
        while True:
            self._wake.wait()
            self._wake.clear()
            is_last = self._is_closing
            while self._lines or self._dropped:
                lines = [self._lines.popleft() for _ in range(min(len(self._lines), 100))]
                text = "".join(lines)
                dropped, self._dropped = self._dropped, 0
                if dropped:
                    text += self.format(_dropped_lines(dropped)) + "\n"
                try:
                    write(self._descriptor, text.encode("utf-8", "backslashreplace"))
                except OSError:  # a full disk, or nobody will ever read it
                    while self._lines:
                        lines.append(self._lines.popleft())
                    self._dropped += dropped + len(lines)
                    break
            if is_last:
                return


def write(descriptor: int, octets: bytes) -> None:
    """Writes all, and waits for the reader if it must.

    :raises OSError: If the descriptor cannot be written to.
    """
    while octets:
        try:
            octets = octets[os.write(descriptor, octets) :]
        except BlockingIOError:
            time.sleep(_RETRY)


class TextFormatter(logging.Formatter):
    """Time, level, message; of an exception its type and place only."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")

    def formatException(self, ei: _ExcInfo) -> str:  # noqa: N802 - the name is logging's
        return _place_of(ei)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, message, and the fields of a request."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, timezone.utc)
        line = {
            "time": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = _place_of(record.exc_info)
        return json.dumps(line)


def _place_of(exc_info: _ExcInfo) -> str:
    """Where an exception was raised; its message may quote a key or a token."""
    kind, _, tb = exc_info
    frames = traceback.extract_tb(tb)
    places = (f"{os.path.basename(frame.filename)}:{frame.lineno}" for frame in frames)
    return f"{'Exception' if kind is None else kind.__name__} at {' > '.join(places)}"


def _dropped_lines(count: int) -> logging.LogRecord:
    message = "%d log lines are missing: standard error was full or not read"
    return logging.makeLogRecord(
        {"levelno": logging.WARNING, "levelname": "WARNING", "msg": message, "args": (count,)}
    )
