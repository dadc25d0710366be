"""One identity per person, however many processes serve the person at once."""

import asyncio

from ..telemetry import metrics
from ..tokens import deadlines
from ..tokens.calls import Calls
from ..tokens.deadlines import Poll
from ..tokens.errors import TimedOutError, UnavailableError
from ..tokens.flights import Flights
from ..tokens.watch import Watch
from .store import People, Person, Subject


class Identities:
    """Finds a person with its identity, and creates both the first time.

    The row comes first: the unique constraint decides which process creates the identity, with the
    id of the row as custom id. Other processes wait for it. When the process dies in between, its
    claim runs out and another process repeats the call, which finds the same identity. A claim is
    taken only if the limits leave room for the call.

    :param patience: Seconds that a call to the resource may wait.
    :param call_seconds: Seconds that a call may take.
    """

    def __init__(
        self,
        people: People,
        calls: Calls,
        *,
        has_custom_ids: bool,
        patience: float,
        call_seconds: float,
    ) -> None:
        self._people = people
        self._calls = calls
        self._has_custom_ids = has_custom_ids
        self._patience = patience
        self._call_seconds = call_seconds
        # A claim outlasts the call, with its second attempt, and the record of what it created.
        self._claim_seconds = patience + 2 * call_seconds
        self._others: Watch[Subject, Person | None] = Watch(people.settled)
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
        deadline = deadlines.now() + self._patience
        person = seen
        while True:
            claimed: Person | None = None
            if person is None:
                self._calls.check_room("create", deadline)
                claimed = await self._people.insert(subject, self._new_claim())
            elif person.identity_id is not None:
                return person, person.identity_id
            elif not person.is_claimed(self._people.now()):
                self._calls.check_room("create", deadline)
                claimed = await self._take_over(person)
            if claimed is None:
                person = await self._others.result(subject, deadline)
                continue
            identity = await self._create(claimed)
            if person is None:
                return claimed._replace(identity_id=identity, claim_until=None), identity
            person = await self._people.find(subject)

    def _new_claim(self) -> float:
        return self._people.now() + self._claim_seconds

    async def _take_over(self, person: Person) -> Person | None:
        """Claims the creation of the identity; None if another process was faster."""
        claimed = person._replace(claim_until=self._new_claim())
        if not await self._people.claim(person, claimed):
            return None
        if person.claim_until is not None and not self._has_custom_ids:
            # The previous process may have created an identity and died before recording it.
            metrics.IDENTITIES_UNACCOUNTED.inc()
        return claimed

    async def _create(self, claimed: Person) -> str:
        async def check_claim() -> None:
            if self._claim_left(claimed) < self._call_seconds:
                raise TimedOutError("the claim to create the identity runs out", retry_after=1)

        try:
            deadline = deadlines.now() + self._patience
            identity = await self._calls.create(claimed.id, deadline, check_claim)
        except BaseException:
            # Shielded: when the service shuts down, other processes can continue at once.
            await asyncio.shield(self._people.give_claim_back(claimed))
            raise
        await self._settle(claimed, identity)
        return identity

    async def _settle(self, claimed: Person, identity: str) -> None:
        """Records the identity, while the claim lasts: otherwise it would be created again."""
        poll = Poll(deadlines.now() + self._claim_left(claimed))
        while True:
            try:
                return await self._people.settle(claimed.id, identity)
            except UnavailableError:
                if not await poll.again():
                    raise

    def _claim_left(self, claimed: Person) -> float:
        return (claimed.claim_until or 0.0) - self._people.now()

    async def finish(self, timeout: float) -> None:
        await self._flights.drain(timeout)
        await self._others.close()
