"""The journal: which calls the service has answered, for tests to inspect."""

import itertools
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

CAPACITY = 10_000  # entries; the oldest is dropped for the newest
STATUSES = (0, *range(100, 600))  # 0: the connection was reset without an answer


class JournalEntry(NamedTuple):
    """One call that the service has answered.

    :param at: When it was answered: Unix time in seconds, by the clock of the service.
    :param operation: The name of the operation, such as ``"issue"``; None if no operation has the
        path and the method.
    :param user: The raw id of the user that the call is about, in lower case; None if it is about
        no user, or the path has no valid id, or the query no valid api version.
    :param scopes: The scopes that the call asks for; one of more than 40 characters is ``"..."``.
    :param expires_in_minutes: The lifetime that the call asks for; None if it asks for none.
    :param api_version: The api version; None if the query has no valid one, or the path or method
        is unknown in it.
    :param status: The HTTP status.
    :param error: The error code of the answer; None if it is not an error.
    :param reason: Why the call was rejected, in more detail than the answer says.
    :param method: The HTTP method.
    :param path: The path, without the query; parts that may be secret are ``...``.
    """

    at: float
    operation: str | None
    user: str | None
    scopes: tuple[str, ...]
    expires_in_minutes: int | None
    api_version: str | None
    status: int
    error: str | None
    reason: str | None
    method: str
    path: str


class Journal:
    """The newest calls, oldest first. It may be read while the service runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Entries are built when they are read: recording is on the path of every request.
        self._records: deque[Callable[[], JournalEntry]] = deque(maxlen=CAPACITY)
        self._recorded = 0

    def record(self, entry: Callable[[], JournalEntry]) -> None:
        """Adds an entry.

        :param entry: Builds the entry when it is first read.
        """
        with self._lock:
            self._records.append(entry)
            self._recorded += 1

    @property
    def recorded(self) -> int:
        """How many calls were recorded since the last `clear`, dropped ones included."""
        return self._recorded

    def entries(self) -> Sequence[JournalEntry]:
        with self._lock:
            records = list(self._records)
        return [entry() for entry in records]

    def newest(self, count: int) -> list[JournalEntry]:
        """At most `count` entries, the newest first."""
        with self._lock:
            records = list(itertools.islice(reversed(self._records), count))
        return [entry() for entry in records]

    def matching(
        self,
        *,
        operation: str | None,
        user: str | None,
        scopes: Collection[str] | None,
        status: int | None,
        error: str | None,
        api_version: str | None,
    ) -> list[JournalEntry]:
        """The entries that have all of these values; None stands for any value.

        :param user: A raw id in any case, as the service compares it.
        :param scopes: In any order.
        """
        wanted = {
            "operation": operation,
            "user": None if user is None else user.lower(),
            "status": status,
            "error": error,
            "api_version": api_version,
        }
        fixed = [(name, value) for name, value in wanted.items() if value is not None]
        return [
            entry
            for entry in self.entries()
            if all(getattr(entry, name) == value for name, value in fixed)
            and (scopes is None or set(entry.scopes) == set(scopes))
        ]

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[JournalEntry]:
        return iter(self.entries())

    def clear(self) -> None:
        with self._lock:
            self._records.clear()
            self._recorded = 0
