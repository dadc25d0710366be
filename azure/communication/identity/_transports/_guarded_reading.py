"""Responses of http.client that keep within the limits, whatever the server sends."""

import io
import math
import time
from collections.abc import Callable
from email.errors import FirstHeaderLineIsContinuationDefect, MissingHeaderBodySeparatorDefect
from http.client import HTTPResponse
from typing import Any

from . import _limits
from ._attempt import Attempt
from ._failures import InvalidResponseError

_MALFORMED: tuple[type[Exception], ...] = (
    FirstHeaderLineIsContinuationDefect,
    MissingHeaderBodySeparatorDefect,
)

_PRECISION = 0.01
"""How much later than its deadline a read may end, in seconds."""

_MAX_DIGITS = 18  # more overflow 64 bits, which aiohttp rejects


class GuardedSocket:
    """Takes the place of a socket where http.client makes a file of it."""

    def __init__(self, sock: Any, attempt: Attempt | None, on_excess: Callable[[], object]) -> None:
        self._sock = sock
        self._attempt = attempt
        self._on_excess = on_excess
        self.file: GuardedFile

    def makefile(self, mode: str) -> io.BufferedReader:
        """A file to read from."""
        self.file = GuardedFile(self._sock, self._attempt)
        return _GuardedBuffer(self.file, self._on_excess)


class _GuardedBuffer(io.BufferedReader):
    """Detects data after the end of a response: the server mixes responses up."""

    def __init__(self, file: "GuardedFile", on_excess: Callable[[], object]) -> None:
        self._file = file
        self._on_excess = on_excess
        super().__init__(file)

    def close(self) -> None:
        """Ends the response."""
        # The file may be open, and the buffer gone: an exception of a signal handler ends anything.
        if not self._file.is_over:
            self._file.is_over = True
            if self.peek(1):
                self._on_excess()
        super().close()


class GuardedFile(io.RawIOBase):
    """Reads from a socket until a deadline, within the limits."""

    _file: Any = None

    def __init__(self, sock: Any, attempt: Attempt | None) -> None:
        self._sock = sock
        self._file = sock.makefile("rb", 0)  # keeps the socket open
        self._limit: float = sock.gettimeout() or math.inf  # of one read
        self._set_limit = self._limit
        self._deadline = math.inf
        self._attempt = attempt
        if attempt is not None and attempt.deadline is not None:
            self._deadline = attempt.deadline
        self._received = 0
        self.is_over = False
        self.has_ended = False
        # The buffer may hold some of the body already.
        self._allowed: float = _limits.MAX_HEADER_BYTES + io.DEFAULT_BUFFER_SIZE
        self._what = "the headers are"
        self._until = min(self._deadline, time.monotonic() + self._limit)

    def allow_body(self, *, is_chunked: bool) -> None:
        """Ends the limits of the headers, and begins that of the body."""
        self._until = self._deadline
        if self._attempt is not None and self._attempt.is_streamed:
            self._allowed = math.inf
        else:
            # A chunk of one byte takes six.
            self._allowed = self._received + _limits.MAX_BODY_BYTES * (8 if is_chunked else 1)
        self._what = "the body is"

    def readable(self) -> bool:
        """Whether the file can be read from: always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Reads what the socket has, or waits for it.

        :raises TimeoutError: If the deadline has passed.
        :raises InvalidResponseError: If more was received than is allowed.
        """
        if self.is_over:
            return 0
        remaining = self._until - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("The deadline has passed.")
        limit = min(remaining, self._limit)
        # A system call, not made for milliseconds.
        if not self._set_limit - _PRECISION <= limit <= self._set_limit + _PRECISION:
            self._sock.settimeout(limit)
            self._set_limit = limit
        count: int = self._sock.recv_into(buffer)
        self.has_ended = count == 0
        if self.has_ended and self._attempt is not None and self._attempt.is_aborted:
            raise OSError("The client is closed.")  # not the end of a body without a length
        self._received += count
        if self._received > self._allowed:
            raise InvalidResponseError(f"{self._what} too long.")
        return count

    def close(self) -> None:
        """Closes the file, and with it the socket if nothing else uses that."""
        if self._file is not None:
            self._file.close()
        super().close()


class GuardedResponse(HTTPResponse):
    """A response, whose headers are well-formed and have no provisional response before them."""

    fp: Any = None  # closing needs it, even if a signal handler interrupts __init__

    def __init__(self, sock: GuardedSocket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)  # type: ignore[arg-type]
        self.guard = sock

    def begin(self) -> None:
        """Reads the headers.

        :raises InvalidResponseError: If they are malformed.
        """
        self._read_head()
        while 100 <= self.status < 200:
            # http.client skips 100 alone, and would take 103 for the response.
            if self.status == 101:
                raise InvalidResponseError("the protocol was switched unasked.")
            self.headers = self.msg = None  # type: ignore[assignment] # as before the first
            self._read_head()
        defects = self.headers.defects
        if defects and any(isinstance(defect, _MALFORMED) for defect in defects):
            raise InvalidResponseError("a header line is malformed.")
        lengths = self.headers.get_all("content-length", [])
        for length in lengths:
            is_number = length.isascii() and length.isdigit() and len(length) <= _MAX_DIGITS
            if not is_number or len(lengths) > 1:  # even if they are equal, as for aiohttp
                raise InvalidResponseError("the Content-Length is malformed.")
        self.guard.file.allow_body(is_chunked=self.chunked)

    def _read_head(self) -> None:
        super().begin()
        if self.guard.file.has_ended:
            # http.client takes the end of the connection for that of the headers.
            raise InvalidResponseError("the headers were cut short.")
