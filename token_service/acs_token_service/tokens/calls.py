"""Calls to the resource, each within the limits."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

from . import deadlines
from .errors import KeyRejectedError, ResourceDownError, ThrottledError
from .limiter import Limiter
from .resource import IssuedToken, Resource

T = TypeVar("T")

# Each operation can be repeated once; a second fault in a row goes to the caller.
_ATTEMPTS = 2

# Asked once the turn has come, after a wait: raises if another process may make the call by now.
Check = Callable[[], Awaitable[None]]


class Calls:
    """The calls to the resource. Every attempt takes a turn of the limiter.

    Each method raises `UnavailableError` if there is no answer before the deadline.
    """

    def __init__(self, limiter: Limiter, resource: Resource) -> None:
        self._limiter = limiter
        self._resource = resource

    @property
    def key_id(self) -> str:
        """The id of the key that signs the next call; empty with Entra."""
        return self._resource.key_id

    def check_room(self, operation: str, deadline: float) -> None:
        """:raises BusyError: If a call, so far as is known, could not start before the deadline."""
        self._limiter.check_room(operation, deadline)

    async def create(self, custom_id: str, deadline: float, check: Check) -> str:
        # Without custom ids a second attempt might make a second identity.
        attempts = _ATTEMPTS if self._resource.has_custom_ids else 1
        send = partial(self._resource.create, custom_id)
        return await self._call("create", send, deadline, attempts=attempts, check=check)

    async def issue(
        self, identity: str, scopes: Sequence[str], deadline: float, check: Check
    ) -> IssuedToken:
        send = partial(self._resource.issue, identity, scopes)
        return await self._call("issue", send, deadline, check=check)

    async def revoke(self, identity: str, deadline: float, *, urgent: bool) -> None:
        await self._call("revoke", lambda: self._resource.revoke(identity), deadline, urgent=urgent)

    async def delete(self, identity: str, deadline: float, *, urgent: bool) -> None:
        await self._call("delete", lambda: self._resource.delete(identity), deadline, urgent=urgent)

    async def check_key(self, deadline: float) -> None:
        await self._call("revoke", self._resource.check_key, deadline, attempts=1, urgent=True)

    async def _call(
        self,
        operation: str,
        send: Callable[[], Awaitable[T]],
        deadline: float,
        *,
        attempts: int = _ATTEMPTS,
        urgent: bool = False,
        check: Check | None = None,
    ) -> T:
        while True:
            attempts -= 1
            turn = await self._limiter.turn(operation, deadline, urgent=urgent)
            if check is not None:
                await check()
            try:
                return await send()
            except ThrottledError as error:
                await self._limiter.throttled(operation, error)
                raise
            except KeyRejectedError:
                raise
            except ResourceDownError:
                if attempts < 1 or deadlines.left(deadline) <= 0:
                    raise
            finally:
                await self._limiter.ended(operation, turn)
