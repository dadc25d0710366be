"""Redis, which all processes share and none depends on."""

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ..telemetry import metrics

if TYPE_CHECKING:
    pass

T = TypeVar("T")


class SharedDownError(Exception):
    """Redis did not answer in time, or answered with an error."""


class SharedRedis:
    """A connection to Redis that gives up early, and stays away for a moment after a failure.

    :param url: ``redis://``, ``rediss://`` or ``unix://``.
    :param timeout: Seconds to wait for a connection, and for a command.
    :param pause: Seconds after a failure in which no command is tried: a Redis that hangs would
        otherwise cost each request the whole timeout.
    :raises ModuleNotFoundError: If the extra ``redis`` is not installed.
    """

    def __init__(self, url: str, *, timeout: float = 0.5, pause: float = 1.0) -> None:
        from redis.asyncio import Redis
        from redis.asyncio.retry import Retry
        from redis.backoff import NoBackoff
        from redis.exceptions import RedisError

        # One retry, on a new connection: an idle one may have been closed by a restart.
        self.options: dict[str, Any] = {
            "socket_timeout": timeout,
            "socket_connect_timeout": timeout,
            "retry": Retry(NoBackoff(), 1),
        }
        self.url = url
        self.client: Redis = Redis.from_url(url, **self.options)
        self._errors: tuple[type[Exception], ...] = (RedisError, OSError, TimeoutError)
        self._pause = pause
        self._tried_again_at = 0.0
        self.is_up = True

    async def attempt(self, command: Callable[[], Awaitable[T]]) -> T:
        """:raises SharedDownError: If Redis cannot be used at the moment."""
        if time.monotonic() < self._tried_again_at:
            raise SharedDownError
        try:
            answer = await command()
        except self._errors as error:
            self._tried_again_at = time.monotonic() + self._pause
            self._note(is_up=False)
            raise SharedDownError from error
        self._note(is_up=True)
        return answer

    def _note(self, *, is_up: bool) -> None:
        self.is_up = is_up
        metrics.SHARED_CACHE_UP.set(is_up)

    async def check(self) -> bool:
        """Whether Redis answers now."""
        try:
            await self.attempt(lambda: self.client.ping())
        except SharedDownError:
            return False
        return True

    async def close(self) -> None:
        await self.client.aclose()
