"""`emulator.requests`: the journal as tests ask for it."""

from collections.abc import Collection, Iterator, Sequence

from .contract.versions import check_operation
from .state.journal import STATUSES, Journal, JournalEntry


class Requests:
    """The calls that the emulator has answered, oldest first; the newest 10,000 are kept.

    `count` and `matching` select by any of these keywords:

    :param operation: The name of an operation, such as ``"issue"``.
    :param user: A user: its raw id, in any case, or an object with a ``raw_id``.
    :param scopes: The scopes that the call asks for, in any order.
    :param status: The HTTP status of the answer, from 100 to 599; 0 if the fault ``reset`` took it.
    :param error: The error code of the answer.
    :param api_version: The api version.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def matching(
        self,
        operation: str | None = None,
        *,
        user: object = None,
        scopes: Sequence[str] | None = None,
        status: int | None = None,
        error: str | None = None,
        api_version: str | None = None,
    ) -> list[JournalEntry]:
        """The calls that match all of the keywords.

        :raises TypeError: If `user` is neither a str nor an object with a ``raw_id``, or another
            keyword has the wrong type.
        :raises ValueError: If `operation` is not the name of an operation, or `status` is not 0 or
            from 100 to 599.
        """
        # A value that no call can have would make "no call was made" pass.
        if operation is not None:
            check_operation(operation)
        if status is not None:
            _check_status(status)
        if scopes is not None:
            _check_scopes(scopes)
        for name, text in {"error": error, "api_version": api_version}.items():
            if text is not None and not isinstance(text, str):
                raise TypeError(f"{name} must be a str, not {type(text).__name__}")
        return self._journal.matching(
            operation=operation,
            user=None if user is None else _raw_id(user),
            scopes=scopes,
            status=status,
            error=error,
            api_version=api_version,
        )

    def count(
        self,
        operation: str | None = None,
        *,
        user: object = None,
        scopes: Sequence[str] | None = None,
        status: int | None = None,
        error: str | None = None,
        api_version: str | None = None,
    ) -> int:
        """How many calls match all of the keywords; `matching` returns the calls themselves.

        :raises TypeError: As `matching`.
        :raises ValueError: As `matching`.
        """
        found = self.matching(
            operation,
            user=user,
            scopes=scopes,
            status=status,
            error=error,
            api_version=api_version,
        )
        return len(found)

    def clear(self) -> None:
        """Forgets all calls."""
        self._journal.clear()

    def __iter__(self) -> Iterator[JournalEntry]:
        return iter(self._journal)

    def __len__(self) -> int:
        return len(self._journal)

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{entry.operation or entry.path} {entry.status}" for entry in self._journal
        )
        return f"<Requests: {shown or 'none'}>"


def _raw_id(user: object) -> str:
    raw_id = user if isinstance(user, str) else getattr(user, "raw_id", None)
    if not isinstance(raw_id, str):
        raise TypeError(f"user must be a raw id or have one, not {type(user).__name__}")
    return raw_id


def _check_status(status: object) -> None:
    if not isinstance(status, int) or isinstance(status, bool):
        raise TypeError(f"status must be an int, such as 429, not {type(status).__name__}")
    if status not in STATUSES:
        raise ValueError(f"status must be 0 or from 100 to 599, not {status}")


def _check_scopes(scopes: object) -> None:
    if (
        isinstance(scopes, str)
        or not isinstance(scopes, Collection)
        or not all(isinstance(scope, str) for scope in scopes)
    ):
        raise TypeError('scopes must be a list of str, such as ["chat"]')
