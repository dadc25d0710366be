"""Background work: renewals ahead of time, and the unfinished work of processes that died."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress

from ..telemetry import metrics
from ..telemetry.logs import describe
from ..tokens.errors import TokenServiceError, UnavailableError
from .accounts import Accounts
from .endings import Endings
from .recent import Recent
from .store import People

_LOG = logging.getLogger(__name__)


class Janitor:
    """Finishes sign-outs and deletions. Each process has one; a call that two make does no harm.

    :param grace: Seconds in which the process that retired an identity deletes it itself.
    """

    def __init__(self, people: People, endings: Endings, *, grace: float) -> None:
        self._people = people
        self._endings = endings
        self._grace = grace

    async def round(self) -> None:
        for person in await self._people.unfinished_sign_outs():
            with _going_on():
                await self._endings.finish_sign_out(person)
        for identity in await self._people.retired(self._people.now() - self._grace):
            with _going_on():
                if not await self._endings.delete_identity(identity, urgent=False):
                    break
        await self._people.forget_departed()
        metrics.RETIRED_IDENTITIES.set(await self._people.count_retired())


@contextmanager
def _going_on() -> Iterator[None]:
    """A rejection for one person must not stop the work for others."""
    try:
        yield
    except UnavailableError:
        raise
    except TokenServiceError as error:
        _LOG.error("The resource rejects a call of the janitor: %s", error)


class Refresher:
    """Renews the tokens of active people, before they have to wait.

    :param remaining: The part of a token's life at which it is renewed.
    :param active_seconds: How long ago a person may have been here.
    """

    def __init__(
        self,
        accounts: Accounts,
        recent: Recent,
        *,
        remaining: float,
        active_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self._accounts = accounts
        self._recent = recent
        self._remaining = remaining
        self._active_seconds = active_seconds
        self._clock = clock

    async def round(self) -> None:
        now = self._clock()
        self._recent.forget_since(self._recent.now() - self._active_seconds)
        for subject, entry in self._recent:
            if entry.handed.issued.fraction_left(now) >= self._remaining:
                continue
            try:
                if not await self._accounts.renew(subject, entry, self._remaining):
                    return
                metrics.REFRESHED.labels("ok").inc()
            except UnavailableError:
                metrics.REFRESHED.labels("unavailable").inc()
                return
            except TokenServiceError:  # signed out or deleted, by another process
                self._recent.forget(subject)


async def repeat(
    round_: Callable[[], Awaitable[object]], seconds: float, stopping: asyncio.Event
) -> None:
    """Runs a round about every so many seconds, even if a round fails, until it is to stop."""
    while True:
        pause = seconds * random.uniform(0.5, 1.5)  # noqa: S311
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(stopping.wait(), pause)
        if stopping.is_set():
            return
        try:
            await round_()
        except UnavailableError:
            continue  # logged where it happened
        except Exception as error:  # noqa: BLE001 - a failed round must not end the others
            _LOG.error("Upkeep failed", extra={"error": describe(error)})
