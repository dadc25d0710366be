"""One identity per person, however many processes serve the person at once."""

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
        self._flights: Flights[tuple[Person, str]] = Flights()

    async def person_of(
        self, subject: Subject, seen: Person | None, deadline: float
    ) -> tuple[Person, str]:
        """The person and its identity.

        :param seen: The person as just read, without an identity; None if the person is unknown.
        :raises UnavailableError: If there is no identity before the deadline.
        """
        return await self._flights.run(
            subject, lambda: self._find_or_create(subject, seen), deadline
        )

    async def _find_or_create(self, subject: Subject, seen: Person | None) -> tuple[Person, str]:
        poll = Poll(deadlines.now() + self._patience)
        person = seen
        while True:
            if person is None:
                claimed = await self._people.insert(subject, self._new_claim())
            elif person.identity_id is not None:
                return person, person.identity_id
            else:
                claimed = await self._take_over(person)
            if claimed is not None:
                identity = await self._create(claimed)
                if person is None:
                    return claimed._replace(identity_id=identity, claim_until=None), identity
            elif not await poll.again():
                raise TimedOutError("another process is creating the identity")
            person = await self._people.find(subject)

    def _new_claim(self) -> float:
        return self._people.now() + self._claim_seconds

    async def _take_over(self, person: Person) -> Person | None:
        """Claims the creation of the identity; None while another process has a claim to it."""
        if person.claim_until is not None and person.claim_until > self._people.now():
            return None
        claimed = person._replace(claim_until=self._new_claim())
        if not await self._people.claim(person, claimed):
            return None
        if person.claim_until is not None and not self._has_custom_ids:
            # The previous process may have created an identity and died before recording it.
            metrics.IDENTITIES_UNACCOUNTED.inc()
        return claimed

    async def _create(self, claimed: Person) -> str:
        try:
            identity = await self._calls.create(claimed.id, deadlines.now() + self._patience)
        except BaseException:
            # Shielded: when the service shuts down, other processes can continue at once.
            await asyncio.shield(self._people.give_claim_back(claimed))
            raise
        await self._people.settle(claimed.id, identity)
        return identity

    async def finish(self, timeout: float) -> None:
        await self._flights.drain(timeout)
