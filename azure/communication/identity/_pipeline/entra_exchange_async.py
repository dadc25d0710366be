"""The exchange of :mod:`entra_exchange`, for event loops."""

from contextlib import AsyncExitStack
from sys import maxsize
from typing import Any

from azure.core.credentials import AccessToken

from .. import _results
from .._generated.aio import CommunicationIdentityClient
from .._shared.tokens import awaitable, read_token
from .assembly import async_pipeline_options
from .deadlines import ended_by
from .entra_exchange import ExchangedToken, ExchangeRules


class AsyncEntraExchange(ExchangeRules):
    """The refresher of a credential that is made from an async Entra credential.

    :raises ImportError: If aiohttp is not installed and no transport is passed.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        # Now, so that a missing transport is an error here, and no event loop waits for an import.
        self._pipeline_options("")

    async def __call__(self) -> AccessToken:
        """The token of the user who is signed in to the Entra credential now."""
        deadline = self.deadline()
        fetched = self._entra_token()
        entra_token = await (fetched if deadline is None else ended_by(deadline, fetched))
        reusable = self.reusable(entra_token)
        if reusable is not None:
            return reusable
        sent, options = self._pipeline_options(entra_token)
        async with AsyncExitStack() as stack:
            client = CommunicationIdentityClient(
                self.endpoint, api_version=self.route.api_version, **options
            )
            if self.owns_connections:
                await stack.enter_async_context(client)
            operation = getattr(getattr(client, self.route.group), self.route.operation)
            _, token = await operation(cls=_results.user_and_token, **self.call_options(deadline))
        return self.remember(sent.token, token)

    async def _entra_token(self) -> str:
        return read_token(await awaitable("token_credential", self.get_entra_token())).token

    def _pipeline_options(self, entra_token: str) -> tuple[ExchangedToken, dict[str, Any]]:
        sent: Any = _AsyncExchangedToken(self, entra_token)
        return sent, async_pipeline_options(self.endpoint, sent, self.options)


class _AsyncExchangedToken(ExchangedToken):
    async def get_token(  # type: ignore[override] # the async protocol of azure-core
        self, *scopes: str, claims: str | None = None, **kwargs: Any
    ) -> AccessToken:
        if claims is not None:
            token = await awaitable("token_credential", self._rules.get_entra_token(claims))
            self.token = read_token(token).token
        return AccessToken(self.token, maxsize)
