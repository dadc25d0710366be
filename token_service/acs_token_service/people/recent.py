"""The tokens that this process handed out lately."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator

from ..tokens.cache import Slot
from ..tokens.resource import IssuedToken
from .store import Person, Subject

Scopes = tuple[str, ...]


class Handed:
    """A token as it is handed out.

    `body` is the response of `web`, serialized once however often it is handed out.
    """

    __slots__ = ("body", "identity", "issued")

    def __init__(self, identity: str, issued: IssuedToken) -> None:
        self.identity = identity
        self.issued = issued
        self.body: bytes | None = None


class Entry:
    """What was handed out, for how long it may be handed out again, and when that was."""

    __slots__ = ("handed", "not_before", "person", "seen", "slot", "until", "uses")

    def __init__(
        self, person: Person, slot: Slot, issued: IssuedToken, seen: float, until: float, uses: int
    ) -> None:
        self.person = person.id
        self.not_before = person.not_before
        self.slot = slot
        self.handed = Handed(slot.identity, issued)
        self.seen = seen
        self.until = until
        self.uses = uses


class Recent:
    """:param local_seconds: How long a token may be handed out on one look at the database. A
        sign-out takes at least as long, so that when it is answered no process hands it out.
    :param local_uses: How often, in that time.
    :param key_id: The id of the key of the resource that is in use. What another key issued is
        revoked, and not handed out.
    :param size: How many people to remember.
    """

    def __init__(
        self,
        *,
        local_seconds: float,
        local_uses: int,
        key_id: Callable[[], str],
        size: int = 100_000,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.local_seconds = local_seconds
        self.now = monotonic
        self.key_id = key_id
        self._local_uses = local_uses
        self._size = size
        self._entries: OrderedDict[Subject, dict[Scopes, Entry]] = OrderedDict()

    def leased(self, subject: Subject, signed_in_at: float, scopes: Scopes) -> Handed | None:
        """The token that was handed out a moment ago."""
        entries = self._entries.get(subject)
        entry = entries.get(scopes) if entries else None
        if entry is None or entry.uses <= 0 or self.now() >= entry.until:
            return None
        if signed_in_at <= entry.not_before or entry.slot.key_id != self.key_id():
            return None
        entry.uses -= 1
        return entry.handed

    def remember(
        self, subject: Subject, person: Person, slot: Slot, issued: IssuedToken, looked_at: float
    ) -> None:
        """:param looked_at: A time before the person was read from the database."""
        until = looked_at + self.local_seconds
        entry = Entry(person, slot, issued, self.now(), until, self._local_uses)
        self._entries.setdefault(subject, {})[slot.scopes] = entry
        self._entries.move_to_end(subject)
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)

    def forget(self, subject: Subject) -> None:
        self._entries.pop(subject, None)

    def forget_since(self, moment: float) -> None:
        """Forgets people who made no request since then."""
        while self._entries:
            subject, entries = next(iter(self._entries.items()))
            if any(entry.seen >= moment for entry in entries.values()):
                return
            del self._entries[subject]

    def __iter__(self) -> Iterator[tuple[Subject, Entry]]:
        """All current entries."""
        current = self.key_id()
        return iter(
            [
                (subject, entry)
                for subject, entries in self._entries.items()
                for entry in entries.values()
                if entry.slot.key_id == current
            ]
        )
