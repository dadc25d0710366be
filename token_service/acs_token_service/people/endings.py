"""Sign-out and deletion: first the database, then the resource, then the caches."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from ..tokens import deadlines
from ..tokens.calls import Calls
from ..tokens.errors import IdentityGoneError, TimedOutError, UnavailableError
from ..tokens.flights import Flights
from ..tokens.issuing import Tokens
from .store import People, Person, Subject

# Bearer tokens of deleted people have expired after this time.
_REMEMBER_DEPARTED = 48 * 60 * 60
_MARGIN = 0.1


class Endings:
    """:param patience: Seconds that a call to the resource may wait for its limits.
    :param call_seconds: Seconds that a call may take.
    :param local_seconds: How long other processes may hand out a token without reading the
        database.
    """

    def __init__(
        self,
        people: People,
        calls: Calls,
        tokens: Tokens,
        *,
        patience: float,
        call_seconds: float,
        local_seconds: float,
    ) -> None:
        self._people = people
        self._calls = calls
        self._tokens = tokens
        self._patience = patience
        self._revoking_seconds = patience + 2 * call_seconds
        self._local_seconds = local_seconds
        self._flights: Flights[bool | None] = Flights()

    async def sign_out(self, person: Person, not_before: float) -> bool:
        """Revokes all tokens of a person, and stops handing them out.

        Returns False if the resource did not revoke them yet. The sign-out is in the database then,
        no token is handed out until the revocation, and the janitor repeats it.

        :param not_before: Bearer tokens that were issued up to this time are rejected from now on.
        """
        return bool(
            await self._run(("sign out", person.id), lambda: self._sign_out(person, not_before))
        )

    async def finish_sign_out(self, person: Person) -> bool | None:
        """Repeats a sign-out whose revocation is due; None if another process does."""
        return await self._run(
            ("sign out", person.id), lambda: self._begin(person, person.not_before)
        )

    async def delete(
        self, person: Person, identity: str, subject: Subject, signed_in_at: float
    ) -> bool | None:
        """Deletes a person, its identity and its tokens.

        Returns False if the resource did not delete the identity yet, and None if the person is not
        the one that was found.
        """
        return await self._run(
            ("delete", person.id), lambda: self._delete(person, identity, subject, signed_in_at)
        )

    async def finish(self, timeout: float) -> None:
        await self._flights.drain(timeout)

    async def _run(
        self, key: tuple[str, str], work: Callable[[], Coroutine[Any, Any, bool | None]]
    ) -> bool | None:
        deadline = deadlines.now() + self._revoking_seconds + self._local_seconds
        try:
            return await self._flights.run(key, work, deadline)
        except TimedOutError:
            return False

    async def _sign_out(self, person: Person, not_before: float) -> bool:
        current: Person | None = person
        while current is not None:
            finished = await self._begin(current, not_before)
            if finished is not None:
                return finished
            current = await self._people.get(person.id)
        return True

    async def _begin(self, person: Person, not_before: float) -> bool | None:
        """One attempt; None if another process changed the person meanwhile."""
        until = self._people.now() + self._revoking_seconds
        generation = await self._people.begin_sign_out(person, not_before, until)
        if generation is None:
            return None
        leases_end = asyncio.create_task(self._leases_end())
        finished = await self._revoke(person, generation)
        if person.identity_id is not None:
            await self._tokens.forget(person.identity_id, person.generation)
        await leases_end
        return finished

    async def _revoke(self, person: Person, generation: int) -> bool:
        if person.identity_id is not None:
            deadline = deadlines.now() + self._patience
            try:
                await self._calls.revoke(person.identity_id, deadline, urgent=True)
            except IdentityGoneError:
                pass
            except UnavailableError:
                # Due at once: for the janitor, or for the next request of the person.
                await self._people.set_revoking(person.id, generation, self._people.now())
                return False
        await self._people.set_revoking(person.id, generation, None)
        return True

    async def _delete(
        self, person: Person, identity: str, subject: Subject, signed_in_at: float
    ) -> bool | None:
        now = self._people.now()
        removed = await self._people.remove(
            person, subject, max(signed_in_at, now), now + _REMEMBER_DEPARTED
        )
        if not removed:
            return None
        leases_end = asyncio.create_task(self._leases_end())
        await self._tokens.forget(identity, person.generation)
        finished = await self.delete_identity(identity, urgent=True)
        await leases_end
        return finished

    async def delete_identity(self, identity: str, *, urgent: bool) -> bool:
        """Deletes a retired identity, which is forgotten when the resource has confirmed it."""
        deadline = deadlines.now() + (self._patience if urgent else 1.0)
        try:
            await self._calls.delete(identity, deadline, urgent=urgent)
        except UnavailableError:
            return False
        await self._people.forget_retired(identity)
        return True

    async def _leases_end(self) -> None:
        """Waits until no process hands out a token from an older state of the database."""
        if self._local_seconds > 0:
            await asyncio.sleep(self._local_seconds + _MARGIN)
