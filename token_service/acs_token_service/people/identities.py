"""One identity for each person, however many processes meet the person at once."""

import asyncio

from ..telemetry import metrics
from ..tokens import deadlines
from ..tokens.calls import Calls
from ..tokens.deadlines import Poll
from ..tokens.errors import TimedOutError
from ..tokens.flights import Flights
from .store import People, Person, Subject


class Identities:
    """Finds a person with its identity, and creates both the first time.

    The row comes first: the unique constraint decides which process creates the identity, with the
    id of the row as custom id. Other processes wait for it. When the process dies in between, its
    claim runs out and another process repeats the call, which finds the same identity.

    :param claim_seconds: How long a claim lasts: longer than a call to the resource may wait and
        take.
    :param patience: Seconds that the call may wait.
    """

    def __init__(
        self,
        people: People,
        calls: Calls,
        *,
        has_custom_ids: bool,
        claim_seconds: float,
        patience: float,
    ) -> None:
        self._people = people
        self._calls = calls
        self._has_custom_ids = has_custom_ids
        self._claim_seconds = claim_seconds
        self._patience = patience
        self._flights: Flights[None] = Flights()

    async def person_of(self, subject: Subject, deadline: float) -> tuple[Person, str]:
        """The person and its identity.

        :raises UnavailableError: If there is no identity before the deadline.
        """
        poll = Poll(deadline)
        while True:
            found = await self.existing(subject, deadline)
            if found is not None:
                return found
            claim_until = self._people.now() + self._claim_seconds
            id_ = await self._people.insert(subject, claim_until)
            if id_ is not None:
                await self._create_once(id_, claim_until, deadline)
            elif not await poll.again():
                raise TimedOutError("the person comes and goes")

    async def existing(self, subject: Subject, deadline: float) -> tuple[Person, str] | None:
        """Like `person_of`, but None for a person who is not there."""
        poll = Poll(deadline)
        while True:
            person = await self._people.find(subject)
            if person is None:
                return None
            if person.identity_id is not None:
                return person, person.identity_id
            if not await self._take_over(person, deadline) and not await poll.again():
                raise TimedOutError("another process is creating the identity")

    async def _take_over(self, person: Person, deadline: float) -> bool:
        """Creates the identity if no process has a claim to it."""
        now = self._people.now()
        if person.claim_until is not None and person.claim_until > now:
            return False
        claim_until = now + self._claim_seconds
        if not await self._people.claim(person, claim_until):
            return False
        if person.claim_until is not None and not self._has_custom_ids:
            # The process before may have created an identity and died before it wrote it down.
            metrics.IDENTITIES_UNACCOUNTED.inc()
        await self._create_once(person.id, claim_until, deadline)
        return True

    async def _create_once(self, id_: str, claim_until: float, deadline: float) -> None:
        await self._flights.run(id_, lambda: self._create(id_, claim_until), deadline)

    async def _create(self, id_: str, claim_until: float) -> None:
        try:
            identity = await self._calls.create(id_, deadlines.now() + self._patience)
        except BaseException:
            # Shielded: a service that shuts down still lets others go on at once.
            await asyncio.shield(self._people.give_claim_back(id_, claim_until))
            raise
        await self._people.settle(id_, identity)

    async def finish(self, timeout: float) -> None:
        await self._flights.drain(timeout)
