"""The Communication Services resource. Only this module knows the identity client."""

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import NamedTuple, Protocol, TypeVar

from azure.core.credentials import AzureKeyCredential
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError, HttpResponseError

from azure.communication.identity import ApiVersion, CommunicationTokenScope
from azure.communication.identity.aio import CommunicationIdentityClient

from ..telemetry import metrics
from ..telemetry.logs import Repeated, cause_of
from .credentials import key_id
from .errors import (
    IdentityGoneError,
    KeyRejectedError,
    NotOwnedError,
    ResourceDownError,
    ThrottledError,
    TokenServiceError,
)

T = TypeVar("T")
_LOG = logging.getLogger(__name__)

SCOPES = frozenset(scope.value for scope in CommunicationTokenScope)
# The window of the limits: what a 429 without Retry-After closes.
WINDOW_SECONDS = 30
# Belongs to no resource, so that revoking its tokens shows whether the key works, and does nothing.
_NOBODY = "8:acs:00000000-0000-0000-0000-000000000000_00000000-0000-0000-0000-000000000000"
_NOT_OWNED = "IdentityNotOwned"
# The message is known from reports of users; the code is a guess (see the emulator's README).
_GONE_CODE, _GONE_MESSAGE = "IdentityNotFound", "Provided identity doesn't exist."


class IssuedToken(NamedTuple):
    """A token of the resource; the times are in Unix seconds."""

    token: str
    issued_at: float
    expires_on: float

    def fraction_left(self, now: float) -> float:
        life = self.expires_on - self.issued_at
        return (self.expires_on - now) / life if life > 0 else 0.0


class Reloadable(Protocol):
    async def reload(self) -> object: ...


class Resource:
    """Sends one request for each call, and translates what the client raises.

    :param endpoint: The URL of the resource.
    :param credential: Its access key, or an Entra credential.
    :param key_file: Where a rejected key is looked up again.
    :param custom_ids: Whether identities are created with an id of ours, so that a create call can
        be repeated without a second identity. It needs a preview version of the REST API.
    :param timeout: Seconds for one call.
    :param lifetime: Of tokens; None for the resource's own.
    :param traced: Whether calls are spans of OpenTelemetry.
    """

    def __init__(
        self,
        endpoint: str,
        credential: AzureKeyCredential | AsyncTokenCredential,
        *,
        key_file: Reloadable | None = None,
        custom_ids: bool = True,
        timeout: float = 10.0,
        lifetime: timedelta | None = None,
        traced: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        # Every attempt takes a turn of the limiter, so the client does not retry.
        self._client = CommunicationIdentityClient(
            endpoint, credential, retry_total=0, redact_user_ids=True
        )
        self._credential = credential
        self._key_file = key_file
        self.has_custom_ids = custom_ids
        self._timeout = timeout
        self._lifetime = lifetime
        self._tracing = {"enabled": traced}
        self._clock = clock
        self._failures = Repeated(_LOG)

    @property
    def key_id(self) -> str:
        """The id of the key that signs the next call; empty with Entra."""
        credential = self._credential
        return key_id(credential.key) if isinstance(credential, AzureKeyCredential) else ""

    async def create(self, custom_id: str) -> str:
        """Creates an identity, or finds the one that has the custom id; returns its raw id."""
        if self.has_custom_ids:
            user = await self._call(
                "create",
                lambda: self._client.create_user(
                    custom_id=custom_id,
                    api_version=ApiVersion.V2025_03_02_PREVIEW,
                    timeout=self._timeout,
                    tracing_options=self._tracing,
                ),
            )
        else:
            async with _counted_when_unanswered():
                user = await self._call(
                    "create",
                    lambda: self._client.create_user(
                        timeout=self._timeout, tracing_options=self._tracing
                    ),
                )
        return user.raw_id

    async def issue(self, identity: str, scopes: Sequence[str]) -> IssuedToken:
        issued_at = self._clock()
        token = await self._call(
            "issue",
            lambda: self._client.get_token(
                identity,
                list(scopes),
                token_expires_in=self._lifetime,
                timeout=self._timeout,
                tracing_options=self._tracing,
            ),
        )
        return IssuedToken(token.token, issued_at, token.expires_on)

    async def revoke(self, identity: str) -> None:
        await self._call(
            "revoke",
            lambda: self._client.revoke_tokens(
                identity, timeout=self._timeout, tracing_options=self._tracing
            ),
        )

    async def delete(self, identity: str) -> None:
        """Deletes an identity. Deleting a missing identity succeeds."""
        try:
            await self._call(
                "delete",
                lambda: self._client.delete_user(
                    identity, timeout=self._timeout, tracing_options=self._tracing
                ),
            )
        except IdentityGoneError:
            return

    async def check_key(self) -> None:
        """Checks that the resource accepts the key, without changing anything.

        :raises KeyRejectedError: If the resource rejects the key.
        :raises UnavailableError: If the resource does not answer.
        """
        try:
            await self.revoke(_NOBODY)
        except (NotOwnedError, IdentityGoneError):
            return

    async def close(self) -> None:
        await self._client.close()

    async def _call(self, operation: str, send: Callable[[], Awaitable[T]]) -> T:
        key = self.key_id
        try:
            return await self._send(operation, send)
        except KeyRejectedError:
            if self._key_file is None:
                raise
            await self._key_file.reload()
            if self.key_id == key:  # another call may have read the file first
                raise
            return await self._send(operation, send)

    async def _send(self, operation: str, send: Callable[[], Awaitable[T]]) -> T:
        outcome = "error"
        started = time.perf_counter()
        try:
            answer = await send()
            outcome = "ok"
            return answer
        except AzureError as error:
            translated = _in_our_words(error)
            is_down = isinstance(translated, ResourceDownError)
            if is_down and not isinstance(translated, NotOwnedError):
                self._failures.note(f"{operation}: {translated} ({cause_of(error)})")
            outcome = type(translated).__name__.removesuffix("Error")
            raise translated from error
        finally:
            metrics.RESOURCE_CALLS.labels(operation, outcome).inc()
            metrics.RESOURCE_SECONDS.labels(operation).observe(time.perf_counter() - started)


@asynccontextmanager
async def _counted_when_unanswered() -> AsyncIterator[None]:
    """Without a custom id, the identity of a create call is lost together with its response."""
    answered = False
    try:
        yield
        answered = True
    except (ThrottledError, KeyRejectedError):
        answered = True
        raise
    finally:
        if not answered:
            metrics.IDENTITIES_UNACCOUNTED.inc()


def _in_our_words(error: AzureError) -> TokenServiceError:
    if not isinstance(error, HttpResponseError) or error.status_code is None:
        return ResourceDownError("the resource does not answer")
    code, message = (error.error.code, error.error.message) if error.error else (None, None)
    if error.status_code == 429:
        return ThrottledError("the resource is over its limit", _retry_after(error))
    if code == _NOT_OWNED:
        return NotOwnedError("the identity belongs to another resource than this one", 30)
    if error.status_code == 404:
        if code == _GONE_CODE or message == _GONE_MESSAGE:
            return IdentityGoneError("the resource does not have the identity")
        # Of a proxy, or of a server that is not the resource: nothing was revoked or deleted.
        return ResourceDownError("the resource answers with 404: check its endpoint")
    if error.status_code in (401, 403):
        return KeyRejectedError("the resource rejects the key, or the clock of this machine", 30)
    if 400 <= error.status_code < 500:
        return TokenServiceError(f"the resource rejected the call with {error.status_code} {code}")
    return ResourceDownError(
        f"the resource answers with {error.status_code}", _retry_after(error, 5)
    )


def _retry_after(error: HttpResponseError, otherwise: float = WINDOW_SECONDS) -> float:
    text: str = getattr(error.response, "headers", {}).get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else otherwise
