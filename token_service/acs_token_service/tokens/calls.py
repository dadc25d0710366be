"""Calls to the resource, each within the limits."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from . import deadlines
from .errors import KeyRejectedError, ResourceDownError, ThrottledError
from .limiter import Limiter
from .resource import IssuedToken, Resource

T = TypeVar("T")

_ATTEMPTS = (
    2  # each operation here can be repeated once; a second fault in a row goes to the caller
)


class Calls:
    """The calls to the resource. Every attempt takes a turn of the limiter.

    Each method raises `UnavailableError` if there is no answer before the deadline.
    """

    def __init__(self, limiter: Limiter, resource: Resource) -> None:
        self._limiter = limiter
        self._resource = resource

    async def create(self, custom_id: str, deadline: float) -> str:
        # Without custom ids a second attempt might make a second identity.
        attempts = _ATTEMPTS if self._resource.has_custom_ids else 1
        return await self._call(
            "create", lambda: self._resource.create(custom_id), deadline, attempts=attempts
        )

    async def issue(self, identity: str, scopes: Sequence[str], deadline: float) -> IssuedToken:
        return await self._call("issue", lambda: self._resource.issue(identity, scopes), deadline)

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
    ) -> T:
        while True:
            attempts -= 1
            await self._limiter.turn(operation, deadline, urgent=urgent)
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
