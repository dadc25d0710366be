"""The exchange of :mod:`entra_exchange`, for event loops."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from sys import maxsize
from typing import Any

from azure.core.credentials import AccessToken

from .. import _results
from .._generated.aio import CommunicationIdentityClient
from .._shared.token_refresh import Clock, awaitable, read_token
from .assembly import async_pipeline_options
from .entra_exchange import ExchangeRules


class AsyncEntraExchange(ExchangeRules):
    """The refresher of a credential that is made from an async Entra credential.

    :raises ImportError: There is neither aiohttp nor another transport.
    """

    def __init__(
        self,
        resource_endpoint: str | None,
        token_credential: Any,
        scopes: Sequence[str] | None,
        options: Mapping[str, Any],
        clock: Clock,
    ) -> None:
        super().__init__(resource_endpoint, token_credential, scopes, options, clock)
        # Now, so that it is here that a missing transport is found out, and no event loop has to
        # wait for the import of the one that is there.
        self._arguments("")

    async def __call__(self) -> AccessToken:
        """The token of the user who is signed in to the Entra credential now."""
        entra_token = read_token(await awaitable(self.get_entra_token())).token
        reusable = self.reusable(entra_token)
        if reusable is not None:
            return reusable
        async with AsyncExitStack() as stack:
            client = CommunicationIdentityClient(
                self.endpoint, api_version=self.route.api_version, **self._arguments(entra_token)
            )
            if self.owns_connections:
                await stack.enter_async_context(client)
            operation = getattr(getattr(client, self.route.group), self.route.operation)
            _, token = await operation(cls=_results.user_and_token, **self.call_options)
        return self.remember(entra_token, token)

    def _arguments(self, entra_token: str) -> dict[str, Any]:
        fetched: Any = _AsyncFetchedToken(entra_token)
        return async_pipeline_options(self.endpoint, fetched, self.options)


class _AsyncFetchedToken:
    def __init__(self, token: str) -> None:
        self._token = AccessToken(token, maxsize)

    async def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        return self._token
