"""Tokens: from the cache, or issued once for all concurrent callers."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

from . import deadlines
from .cache import UNGUARDED, Slot, TokenCache
from .calls import Calls
from .errors import SupersededError, UnavailableError
from .flights import Flights
from .limiter import Limiter
from .resource import IssuedToken
from .watch import Watch

# Asks the database whether the generation of a slot is still the current one.
Confirm = Callable[[], Awaitable[bool]]

_USABLE_SECONDS = 60  # remaining life of a token that is served if no other is available


class _LeaseLostError(Exception):
    """The lease ran out before the call to the resource, and another process may have it."""


class Served(NamedTuple):
    issued: IssuedToken
    origin: str  # cache, issued, or old


class Tokens:
    """Hands out tokens with enough remaining life.

    :param min_remaining: The part of a token's life that must be left for it to be served.
    :param patience: Seconds that an issue may wait for the limits and for other processes.
    :param lease: Seconds that the cache keeps other processes from issuing.
    """

    def __init__(
        self,
        cache: TokenCache,
        limiter: Limiter,
        calls: Calls,
        *,
        min_remaining: float,
        patience: float,
        lease: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._cache = cache
        self._limiter = limiter
        self._calls = calls
        self._min_remaining = min_remaining
        self._patience = patience
        self._lease = lease
        self._clock = clock
        self._flights: Flights[IssuedToken] = Flights()
        self._others = Watch(cache.free)

    async def get(self, slot: Slot, owner: str, confirm: Confirm, deadline: float) -> Served:
        """A token of the slot.

        :param owner: Whose rate a call to the resource counts for.
        :raises SupersededError: If the owner signed out meanwhile.
        :raises UnavailableError: If no token is available before the deadline.
        """
        held = await self._cache.get(slot)
        if held is not None and self._is_fresh(held, self._min_remaining):
            return Served(held, "cache")
        try:
            await self._limiter.count_person(owner)
            return Served(
                await self._renew_once(slot, confirm, self._min_remaining, deadline), "issued"
            )
        except UnavailableError:
            if held is not None and held.expires_on - self._clock() > _USABLE_SECONDS:
                return Served(held, "old")
            raise

    async def refresh(self, slot: Slot, confirm: Confirm, remaining: float) -> IssuedToken | None:
        """Renews a token of which less than `remaining` of its life is left.

        Only while at least half of the window is free, so that no request waits for it.
        """
        if not await self._limiter.has_room("issue", 0.5):
            return None
        deadline = deadlines.now() + self._patience
        return await self._renew_once(slot, confirm, remaining, deadline)

    async def forget(self, identity: str, generation: int) -> None:
        await self._cache.drop(identity, generation)

    async def finish(self, timeout: float) -> None:
        await self._flights.drain(timeout)
        await self._others.close()

    def _is_fresh(self, token: IssuedToken, remaining: float) -> bool:
        return token.fraction_left(self._clock()) >= remaining

    async def _renew_once(
        self, slot: Slot, confirm: Confirm, remaining: float, deadline: float
    ) -> IssuedToken:
        return await self._flights.run(
            slot, lambda: self._renew(slot, confirm, remaining), deadline
        )

    async def _renew(self, slot: Slot, confirm: Confirm, remaining: float) -> IssuedToken:
        """Issues a token, unless another process does."""
        deadline = deadlines.now() + self._patience
        while True:
            fence, held = await self._cache.begin(slot)
            if held is not None and self._is_fresh(held, remaining):
                if fence is not None:
                    await self._cache.abandon(slot, fence)
                return held
            if fence is not None:
                with suppress(_LeaseLostError):
                    return await self._issue(slot, fence, confirm, deadline)
            await self._others.result(slot, deadline)

    async def _issue(
        self, slot: Slot, fence: int, confirm: Confirm, deadline: float
    ) -> IssuedToken:
        async def check_lease() -> None:
            if not await self._cache.extend(slot, fence):
                raise _LeaseLostError

        async with self._leased(slot, fence):
            issued = await self._calls.issue(slot.identity, slot.scopes, deadline, check_lease)
            # Before the look at the database, which may fail: the next request then finds the
            # token, and each request asks the database for the generation itself.
            await self._cache.put(slot, issued, fence)
        # After the issue, not before: a sign-out changes the generation first and revokes then, so
        # a token that the revocation missed is seen here.
        if not await confirm():
            await self._cache.drop(slot.identity, slot.generation)
            raise SupersededError("the person signed out while the token was issued")
        return issued

    @asynccontextmanager
    async def _leased(self, slot: Slot, fence: int) -> AsyncIterator[None]:
        """Extends the lease until the block ends, and gives it back if the block fails."""
        keeper = asyncio.create_task(self._keep(slot, fence)) if fence != UNGUARDED else None
        try:
            yield
        except BaseException:
            await self._cache.abandon(slot, fence)
            raise
        finally:
            if keeper is not None:
                keeper.cancel()
                with suppress(asyncio.CancelledError):
                    await keeper

    async def _keep(self, slot: Slot, fence: int) -> None:
        while True:
            await asyncio.sleep(self._lease / 3)
            await self._cache.extend(slot, fence)
