"""The rate of one person in this process."""

from collections import OrderedDict
from collections.abc import Hashable

from aiolimiter import AsyncLimiter
from limits import parse

from ..tokens.limiter import TooManyRequestsError


class PersonRates:
    """:param rate: Such as ``60/minute``.
    :param remembered: How many people to keep count of.
    """

    def __init__(self, rate: str, *, remembered: int = 100_000) -> None:
        item = parse(rate)
        self.amount, self._seconds = item.amount, item.get_expiry()
        self._remembered = remembered
        self._limiters: OrderedDict[Hashable, AsyncLimiter] = OrderedDict()

    async def count(self, person: Hashable) -> None:
        """:raises TooManyRequestsError: If the person asks more often than allowed."""
        limiter = self._limiters.get(person)
        if limiter is None:
            limiter = self._limiters[person] = AsyncLimiter(self.amount, self._seconds)
            if len(self._limiters) > self._remembered:
                self._limiters.popitem(last=False)
        self._limiters.move_to_end(person)
        if not limiter.has_capacity():
            raise TooManyRequestsError(
                "too many requests of one person", self._seconds / self.amount
            )
        await limiter.acquire()
