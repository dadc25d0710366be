"""The requests of a signed-in person: a token, sign-out, deletion."""

import logging
from functools import partial

from ..telemetry import metrics
from ..tokens import deadlines
from ..tokens.cache import Slot
from ..tokens.deadlines import Poll
from ..tokens.errors import IdentityGoneError, SupersededError, TimedOutError, TokenServiceError
from ..tokens.flights import Background
from ..tokens.issuing import Tokens
from .endings import Endings
from .identities import Identities
from .recent import Entry, Handed, Recent, Scopes
from .store import People, Person, Subject

_LOG = logging.getLogger(__name__)
_ATTEMPTS = 3
_SERVED_LOCALLY = metrics.TOKENS_SERVED.labels("local")


class SignedOutError(TokenServiceError):
    """The bearer token is older than the last sign-out of its person."""


class Accounts:
    """Each method asks the database first, and may be called by several processes at once."""

    def __init__(
        self,
        people: People,
        identities: Identities,
        tokens: Tokens,
        endings: Endings,
        recent: Recent,
    ) -> None:
        self._people = people
        self._identities = identities
        self._tokens = tokens
        self._endings = endings
        self._recent = recent
        self._background = Background()

    def leased(self, subject: Subject, signed_in_at: float, scopes: Scopes) -> Handed | None:
        """The token that this process handed out a moment ago."""
        handed = self._recent.leased(subject, signed_in_at, scopes)
        if handed is not None:
            _SERVED_LOCALLY.inc()
        return handed

    async def token(
        self, subject: Subject, signed_in_at: float, scopes: Scopes, deadline: float
    ) -> Handed:
        """A token for the person.

        :param signed_in_at: When the bearer token was issued, in Unix seconds.
        :param scopes: Sorted.
        :raises SignedOutError: If the person has signed out since.
        :raises UnavailableError: If no token is available before the deadline.
        """
        for _ in range(_ATTEMPTS):
            looked_at = self._recent.now()
            person, identity = await self._current(subject, signed_in_at, deadline)
            slot = Slot(identity, person.generation, scopes, self._recent.key_id())
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
            # During a long wait the person may have signed out.
            has_waited = self._recent.now() - looked_at > self._recent.local_seconds
            if has_waited and not await self._is_current(person.id, slot):
                continue
            metrics.TOKENS_SERVED.labels(served.origin).inc()
            self._recent.remember(subject, person, slot, served.issued, looked_at)
            if self._people.is_long_unseen(person):
                self._background.start(self._note_seen(person))
            return Handed(identity, served.issued)
        raise TimedOutError("the person keeps signing out")

    async def sign_out(self, subject: Subject, signed_in_at: float) -> bool:
        """Revokes all tokens of the person; False if the revocation is left to the janitor."""
        person = await self._people.find(subject)
        if person is None:
            return True
        _check_not_signed_out(person, signed_in_at)
        self._recent.forget(subject)
        return await self._endings.sign_out(person, max(signed_in_at, self._people.now()))

    async def delete(self, subject: Subject, signed_in_at: float, deadline: float) -> bool:
        """Deletes the person; False if the deletion of the identity is left to the janitor."""
        poll = Poll(deadline)
        while True:
            person = await self._people.find(subject)
            if person is None:
                return True
            _check_not_signed_out(person, signed_in_at)
            # An identity that is being created is awaited first: otherwise it would stay behind.
            identity = person.identity_id
            if identity is None:
                person, identity = await self._identities.person_of(subject, person, deadline)
            self._recent.forget(subject)
            finished = await self._endings.delete(person, identity, subject, signed_in_at)
            if finished is not None:
                return finished
            if not await poll.again():
                raise TimedOutError("the person keeps changing")

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
                # A token that is issued before the revocation would be revoked with the others.
                if await self._endings.finish_sign_out(person) is False:
                    raise TimedOutError("the resource has not finished a sign-out yet")
            elif not await poll.again():
                raise TimedOutError("a sign-out is not finished yet")

    async def _is_current(self, id_: str, slot: Slot) -> bool:
        person = await self._people.get(id_)
        return (
            person is not None
            and person.generation == slot.generation
            and person.identity_id == slot.identity
        )

    async def renew(self, subject: Subject, entry: Entry, remaining: float) -> bool:
        """Renews a token ahead of time; False if that has to wait.

        :raises TokenServiceError: If it cannot be renewed.
        """
        is_current = partial(self._is_current, entry.person, entry.slot)
        issued = await self._tokens.refresh(entry.slot, is_current, remaining)
        if issued is None:
            return False
        entry.handed = Handed(entry.slot.identity, issued)
        return True

    async def _note_seen(self, person: Person) -> None:
        try:
            await self._people.note_seen(person)
        except TokenServiceError:
            return  # logged by the database; the token was handed out anyway

    async def finish(self, timeout: float) -> None:
        """Ends what is under way, for an orderly shutdown."""
        deadline = deadlines.now() + timeout
        for part in (self._tokens.finish, self._identities.finish, self._endings.finish):
            await part(max(0.0, deadlines.left(deadline)))
        await self._background.drain(max(0.0, deadlines.left(deadline)))


def _check_not_signed_out(person: Person, signed_in_at: float) -> None:
    if signed_in_at <= person.not_before:
        raise SignedOutError("the bearer token is older than the last sign-out: sign in again")
