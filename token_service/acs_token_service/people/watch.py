"""Waits for what other processes write."""

import asyncio
import random

from ..tokens import deadlines
from ..tokens.errors import TimedOutError, UnavailableError
from .store import People, Person, Subject

_PAUSE = 0.05  # seconds between two queries, at least
_SHARE = 5  # and this many times as long as a query took
_BATCH = 500


class Watch:
    """Looks for all people whose identity another process creates, in one query for many.

    A query for each would make the database slower the more of them wait.
    """

    def __init__(self, people: People) -> None:
        self._people = people
        self._waiting: dict[Subject, asyncio.Future[Person | None]] = {}
        self._looking: asyncio.Task[None] | None = None

    async def until_settled(self, subject: Subject, deadline: float) -> Person | None:
        """The person, once no other process creates its identity; None if the person is gone.

        :raises TimedOutError: If the deadline passes first.
        """
        settled = self._waiting.get(subject)
        if settled is None:
            settled = self._waiting[subject] = asyncio.get_running_loop().create_future()
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        await asyncio.wait([settled], timeout=max(0.0, deadlines.left(deadline)))
        if not settled.done():
            self._waiting.pop(subject, None)
            raise TimedOutError("another process is creating the identity")
        return settled.result()

    async def _look(self) -> None:
        pause = _PAUSE
        while self._waiting:
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311
            started = deadlines.now()
            subjects = list(self._waiting)
            try:
                for first in range(0, len(subjects), _BATCH):
                    await self._look_for(subjects[first : first + _BATCH])
            except UnavailableError:
                pass  # logged by the database; each waits until its deadline
            pause = max(_PAUSE, _SHARE * (deadlines.now() - started))

    async def _look_for(self, subjects: list[Subject]) -> None:
        found = await self._people.find_all(subjects)
        now = self._people.now()
        for subject in subjects:
            person = found.get(subject)
            if person is None or not person.is_claimed(now):
                settled = self._waiting.pop(subject, None)
                if settled is not None:
                    settled.set_result(person)

    async def close(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait([self._looking])
