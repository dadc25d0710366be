"""Redis, which all processes share but do not depend on."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ..telemetry import metrics

T = TypeVar("T")
_LOG = logging.getLogger(__name__)
# Commands at once, each on a connection. More would wait in Redis, within their time limit.
_CONNECTIONS = 32


class SharedDownError(Exception):
    """Redis did not answer in time, or answered with an error."""


class SharedRedis:
    """A connection to Redis that gives up early.

    After a failure no command is sent until Redis has answered a ping, which is sent occasionally
    while there are requests: otherwise, if Redis hangs, each request would wait for the timeout.

    :param url: ``redis://``, ``rediss://`` or ``unix://``.
    :param timeout: Seconds to wait for a connection, and for a command.
    :param pause: Seconds between two pings.
    :raises ModuleNotFoundError: If the extra ``redis`` is not installed.
    """

    def __init__(self, url: str, *, timeout: float = 0.5, pause: float = 1.0) -> None:
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
        from redis.exceptions import RedisError

        # One retry, on a new connection: an idle one may have been closed by a restart.
        self.url = url
        self.client: Redis = Redis.from_url(
            url,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 1),
        )
        self._errors: tuple[type[Exception], ...] = (RedisError, OSError, asyncio.TimeoutError)
        self._places = asyncio.Semaphore(_CONNECTIONS)
        self._pause = pause
        self._ping: asyncio.Task[None] | None = None
        self._note(is_up=True)

    async def attempt(self, command: Callable[[], Awaitable[T]]) -> T:
        """:raises SharedDownError: If Redis cannot be used at the moment."""
        if not self.is_up:
            if self._ping is None or self._ping.done():
                self._ping = asyncio.create_task(self._try_again())
            raise SharedDownError
        try:
            async with self._places:
                return await command()
        except self._errors as error:
            if self.is_up:
                _LOG.warning("Redis cannot be used: %s", type(error).__name__)
            self._note(is_up=False)
            raise SharedDownError from error

    async def _try_again(self) -> None:
        try:
            await self.client.ping()
        except self._errors:
            await asyncio.sleep(self._pause)
        else:
            _LOG.warning("Redis can be used again")
            self._note(is_up=True)

    def _note(self, *, is_up: bool) -> None:
        self.is_up = is_up
        metrics.SHARED_CACHE_UP.set(is_up)

    async def check(self) -> bool:
        """Whether Redis answers now."""
        try:
            await self.attempt(self.client.ping)
        except SharedDownError:
            return False
        return True

    async def close(self) -> None:
        if self._ping is not None:
            self._ping.cancel()
            await asyncio.wait([self._ping])
        await self.client.aclose()
