"""From the Entra token of a user to a token for communication.

The scopes of the Entra token say what the user is, and so which operation exchanges it.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from sys import maxsize
from typing import Any, NamedTuple

from azure.core.credentials import AccessToken

from .. import _results
from .._generated import CommunicationIdentityClient
from .._shared.keywords import unknown_keyword
from .._shared.token_refresh import Clock, read_token
from .._shared.urls import endpoint_url
from .assembly import sync_pipeline_options
from .options import ClientOptions

DEFAULT_SCOPES = ("https://communication.azure.com/clients/.default",)


class _Route(NamedTuple):
    group: str
    operation: str
    api_version: str


_TEAMS_PHONE_USER = _Route("teams_extension", "exchange_token", "2025-06-30")
_ENTRA_USER = _Route("entra", "exchange_token", "2025-03-02-preview")
_ROUTES = {
    "https://auth.msft.communication.azure.com/": _TEAMS_PHONE_USER,
    "https://auth.msft.communication.azure.us/": _TEAMS_PHONE_USER,
    "https://communication.azure.com/clients/": _ENTRA_USER,
}


class ExchangeRules:
    """What is exchanged, where, and for how long it holds.

    :param str resource_endpoint: The endpoint of the resource.
    :param token_credential: The Entra credential of the user.
    :param scopes: The scopes of the Entra token; None for :data:`DEFAULT_SCOPES`.
    :param options: What goes to the pipeline.
    :param clock: Tells the time.
    :raises TypeError: An argument is of another type, or an option is not known.
    :raises ValueError: An argument is missing, the endpoint is not an https one, or the scopes are
        not of one kind of user.
    """

    def __init__(
        self,
        resource_endpoint: str | None,
        token_credential: Any,
        scopes: Sequence[str] | None,
        options: Mapping[str, Any],
        clock: Clock,
    ) -> None:
        if resource_endpoint is None:
            raise ValueError("A credential that exchanges Entra tokens needs resource_endpoint.")
        if token_credential is None:
            raise ValueError("A credential that exchanges Entra tokens needs token_credential.")
        # Of the two protocols for credentials either is enough.
        get_token = getattr(token_credential, "get_token", None) or getattr(
            token_credential, "get_token_info", None
        )
        if get_token is None:
            raise TypeError(
                "token_credential must be an Entra credential such as "
                f"azure.identity.DefaultAzureCredential, not {type(token_credential).__name__}."
            )
        for name in options.keys() - ClientOptions.__annotations__.keys():
            raise TypeError(
                unknown_keyword(name, "CommunicationTokenCredential", ClientOptions.__annotations__)
            )
        self.endpoint = endpoint_url(resource_endpoint)
        if not self.endpoint.startswith("https://"):
            raise ValueError(
                f"resource_endpoint must be an https URL, not {resource_endpoint!r}: Entra tokens "
                "are not sent in the clear."
            )
        scopes, self.route = _route(DEFAULT_SCOPES if scopes is None else scopes)
        self.get_entra_token: Callable[[], Any] = partial(get_token, *scopes)
        self.options = options
        self._clock = clock
        self._last: tuple[str, AccessToken] | None = None

    @property
    def call_options(self) -> dict[str, Any]:
        """The options of the one call."""
        # It may be repeated: the token that a lost response carried is just not used. Pipelines of
        # the caller's own need not have a policy that reads the option.
        is_ours = self.options.get("policies") is None and self.options.get("pipeline") is None
        return {"retry_on_methods": ["POST"]} if is_ours else {}

    @property
    def owns_connections(self) -> bool:
        """Whether they are closed after an exchange, being nobody else's.

        Exchanges are an hour apart. What is kept open for so long is closed by the other side, and
        would bind the credential to one process, or to one event loop.
        """
        return not any(self.options.get(name) for name in ("transport", "pipeline", "session"))

    def reusable(self, entra_token: str) -> AccessToken | None:
        """The token that this very Entra token was exchanged for, unless that has expired."""
        if self._last is None:
            return None
        exchanged, token = self._last
        return token if exchanged == entra_token and self._clock() < token.expires_on else None

    def remember(self, entra_token: str, token: AccessToken) -> AccessToken:
        """Keeps a token for :meth:`reusable`."""
        self._last = (entra_token, token)
        return token


def _route(scopes: Sequence[str]) -> tuple[Sequence[str], _Route]:
    if isinstance(scopes, str) or not isinstance(scopes, Sequence):
        raise TypeError(f"scopes must be a list of str, not {type(scopes).__name__}.")
    for scope in scopes:
        if not isinstance(scope, str):
            raise TypeError(f"Each of scopes must be a str, not {type(scope).__name__}.")
    for prefix, route in _ROUTES.items():
        if scopes and all(scope.startswith(prefix) for scope in scopes):
            return tuple(scopes), route
    raise ValueError(
        f"scopes must be one or more that all begin with one of {', '.join(_ROUTES)}: not "
        f"{', '.join(scopes) or 'none'}."
    )


class _FetchedToken:
    """The credential for one exchange: exactly the token that was compared with the last one."""

    def __init__(self, token: str) -> None:
        self._token = AccessToken(token, maxsize)

    def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        return self._token


class EntraExchange(ExchangeRules):
    """The refresher of a credential that is made from an Entra credential."""

    def __call__(self) -> AccessToken:
        """The token of the user who is signed in to the Entra credential now."""
        entra_token = read_token(self.get_entra_token()).token
        reusable = self.reusable(entra_token)
        if reusable is not None:
            return reusable
        arguments = sync_pipeline_options(self.endpoint, _FetchedToken(entra_token), self.options)
        with ExitStack() as stack:
            client = CommunicationIdentityClient(
                self.endpoint, api_version=self.route.api_version, **arguments
            )
            if self.owns_connections:
                stack.enter_context(client)
            operation = getattr(getattr(client, self.route.group), self.route.operation)
            _, token = operation(cls=_results.user_and_token, **self.call_options)
        return self.remember(entra_token, token)
