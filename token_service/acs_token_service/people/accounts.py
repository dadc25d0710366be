"""What a signed-in person may ask for: a token, to be signed out, to be deleted."""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from ..telemetry import metrics
from ..tokens import deadlines
from ..tokens.cache import Slot
from ..tokens.deadlines import Poll
from ..tokens.errors import IdentityGoneError, SupersededError, TimedOutError, TokenServiceError
from ..tokens.flights import Background
from ..tokens.issuing import Served, Tokens
from ..tokens.resource import IssuedToken
from .endings import Endings
from .identities import Identities
from .store import People, Person, Subject

_LOG = logging.getLogger(__name__)
_ATTEMPTS = 3


class SignedOutError(TokenServiceError):
    """The bearer token is older than the last sign-out of its person."""


class Handed(NamedTuple):
    """A token as it is handed out."""

    identity: str
    issued: IssuedToken


class _Lease:
    """A token that may be handed out again without asking the database."""

    __slots__ = ("handed", "not_before", "until", "uses")

    def __init__(self, handed: Handed, not_before: float, until: float, uses: int) -> None:
        self.handed = handed
        self.not_before = not_before
        self.until = until
        self.uses = uses


class Active(NamedTuple):
    """A token that was handed out lately, for its renewal ahead of time."""

    person: str
    slot: Slot
    seen: float  # in the seconds of the event loop
    issued: IssuedToken


Key = tuple[Subject, tuple[str, ...]]


class Accounts:
    """:param local_seconds: How long a token may be handed out on one look at the database. A
        sign-out takes at least as long, so that when it is answered no process hands it out.
    :param local_uses: How often, in that time.
    :param remembered: How many people to keep in mind for that and for renewals.
    """

    def __init__(
        self,
        people: People,
        identities: Identities,
        tokens: Tokens,
        endings: Endings,
        *,
        local_seconds: float,
        local_uses: int,
        remembered: int = 100_000,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._people = people
        self._identities = identities
        self._tokens = tokens
        self._endings = endings
        self._local_seconds = local_seconds
        self._local_uses = local_uses
        self._remembered = remembered
        self._monotonic = monotonic
        self._leases: OrderedDict[Key, _Lease] = OrderedDict()
        self.active: OrderedDict[Key, Active] = OrderedDict()
        self._background = Background()

    def leased(
        self, subject: Subject, signed_in_at: float, scopes: tuple[str, ...]
    ) -> Handed | None:
        """The token that this process handed out a moment ago."""
        lease = self._leases.get((subject, scopes))
        if lease is None or lease.uses <= 0 or self._monotonic() >= lease.until:
            return None
        if signed_in_at <= lease.not_before:
            return None
        lease.uses -= 1
        metrics.TOKENS_SERVED.labels("local").inc()
        return lease.handed

    async def token(
        self, subject: Subject, signed_in_at: float, scopes: tuple[str, ...], deadline: float
    ) -> Handed:
        """A token for the person.

        :param signed_in_at: When the bearer token was issued, in Unix seconds.
        :param scopes: Sorted.
        :raises SignedOutError: If the person has signed out since.
        :raises UnavailableError: If no token can be had before the deadline.
        """
        for _ in range(_ATTEMPTS):
            looked_at = self._monotonic()
            person, identity = await self._current(subject, signed_in_at, deadline)
            slot = Slot(identity, person.generation, scopes)
            try:
                served = await self._tokens.get(
                    slot, person.id, partial(self._is_current, person.id, slot), deadline
                )
            except SupersededError:
                continue
            except IdentityGoneError:
                _LOG.warning("The resource does not have an identity any more: it gets another")
                await self._people.lose_identity(person.id, identity)
                continue
            self._remember((subject, scopes), person, slot, served, looked_at)
            return Handed(identity, served.issued)
        raise TimedOutError("the person signs out again and again")

    async def sign_out(self, subject: Subject, signed_in_at: float) -> bool:
        """Revokes all tokens of the person; False if the revocation is left to the janitor."""
        person = await self._people.find(subject)
        if person is None:
            return True
        _check_not_signed_out(person, signed_in_at)
        self._forget_here(subject)
        return await self._endings.sign_out(person, max(signed_in_at, self._people.now()))

    async def delete(self, subject: Subject, signed_in_at: float, deadline: float) -> bool:
        """Deletes the person; False if the deletion of the identity is left to the janitor."""
        poll = Poll(deadline)
        while True:
            person = await self._people.find(subject)
            if person is None:
                return True
            _check_not_signed_out(person, signed_in_at)
            # A person whose identity is being created gets it first: else nobody would delete it.
            identity = person.identity_id
            if identity is None:
                person, identity = await self._identities.person_of(subject, person, deadline)
            self._forget_here(subject)
            finished = await self._endings.delete(person, identity, subject, signed_in_at)
            if finished is not None:
                return finished
            if not await poll.again():
                raise TimedOutError("the person changes all the time")

    async def _current(
        self, subject: Subject, signed_in_at: float, deadline: float
    ) -> tuple[Person, str]:
        """The person as it is now, once no sign-out is under way."""
        poll = Poll(deadline)
        while True:
            person = await self._people.find(subject)
            if person is None:
                departed_at = await self._people.departed_at(subject)
                if departed_at is not None and signed_in_at <= departed_at:
                    raise SignedOutError("the person was deleted: sign in again")
            if person is None or person.identity_id is None:
                person, identity = await self._identities.person_of(subject, person, deadline)
            else:
                identity = person.identity_id
            _check_not_signed_out(person, signed_in_at)
            if person.revoking_until is None:
                return person, identity
            if person.revoking_until <= self._people.now():
                # The process that began it has died. Tokens issued now would be revoked later.
                await self._endings.sign_out(person, person.not_before)
            elif not await poll.again():
                raise TimedOutError("a sign-out is not finished yet")

    async def _is_current(self, id_: str, slot: Slot) -> bool:
        person = await self._people.get(id_)
        return (
            person is not None
            and person.generation == slot.generation
            and person.identity_id == slot.identity
        )

    def _remember(
        self, key: Key, person: Person, slot: Slot, served: Served, looked_at: float
    ) -> None:
        metrics.TOKENS_SERVED.labels(served.origin).inc()
        issued = served.issued
        if self._local_seconds > 0:
            until = looked_at + self._local_seconds
            handed = Handed(slot.identity, issued)
            self._leases[key] = _Lease(handed, person.not_before, until, self._local_uses)
            self._leases.move_to_end(key)
        self.active[key] = Active(person.id, slot, deadlines.now(), issued)
        self.active.move_to_end(key)
        for kept in (self._leases, self.active):
            if len(kept) > self._remembered:
                kept.popitem(last=False)
        self._background.start(self._note_seen(person))

    async def renew(self, key: Key, remaining: float) -> bool:
        """Renews an active token ahead of time; False if that has to wait.

        :raises TokenServiceError: If it cannot be renewed.
        """
        active = self.active[key]
        person, slot = active.person, active.slot
        issued = await self._tokens.refresh(
            slot, partial(self._is_current, person, slot), remaining
        )
        if issued is not None and self.active.get(key) is active:
            self.active[key] = active._replace(issued=issued)
        return issued is not None

    async def _note_seen(self, person: Person) -> None:
        try:
            await self._people.note_seen(person)
        except TokenServiceError:
            return  # said by the database; the token was handed out all the same

    def _forget_here(self, subject: Subject) -> None:
        for kept in (self._leases, self.active):
            for key in [key for key in kept if key[0] == subject]:
                del kept[key]

    async def finish(self, timeout: float) -> None:
        """Ends what is under way, for an orderly shutdown."""
        deadline = deadlines.now() + timeout
        for part in (self._tokens.finish, self._identities.finish, self._endings.finish):
            await part(max(0.0, deadlines.left(deadline)))
        await self._background.drain(max(0.0, deadlines.left(deadline)))


def _check_not_signed_out(person: Person, signed_in_at: float) -> None:
    if signed_in_at <= person.not_before:
        raise SignedOutError("the bearer token is older than the last sign-out: sign in again")
