"""The exchange of a user's Entra token for a token for communication.

The scopes of the Entra token tell the kind of user, and so the operation that exchanges it.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from sys import maxsize
from typing import Any, NamedTuple

from azure.core.credentials import AccessToken

from .. import _results
from .._generated import CommunicationIdentityClient
from .._shared.token_refresh import Clock
from .._shared.tokens import read_token
from .._shared.urls import endpoint_url
from .assembly import sync_pipeline_options
from .deadlines import call_until, deadline_after, seconds_left
from .option_checks import check_client_options

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
    """What is exchanged, where, and for how long the result holds.

    :param str resource_endpoint: The endpoint of the resource.
    :param token_credential: The Entra credential of the user.
    :param scopes: The scopes of the Entra token; None for :data:`DEFAULT_SCOPES`.
    :param options: Options of the pipeline.
    :param clock: Returns the time in Unix seconds.
    :raises TypeError: If an argument has the wrong type, or an option is unknown.
    :raises ValueError: If an argument is missing, the endpoint is not an https URL, or the scopes
        do not belong to one kind of user.
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
        if not any(hasattr(token_credential, name) for name in ("get_token", "get_token_info")):
            raise TypeError(
                "token_credential must be an Entra credential such as "
                f"azure.identity.DefaultAzureCredential, not {type(token_credential).__name__}."
            )
        check_client_options(options, "CommunicationTokenCredential", ())
        self.endpoint = endpoint_url(resource_endpoint)
        if not self.endpoint.startswith("https://"):
            raise ValueError(
                "resource_endpoint must be an https URL, not http: Entra tokens are not sent in "
                "the clear."
            )
        self._scopes, self.route = _route(DEFAULT_SCOPES if scopes is None else scopes)
        self._credential = token_credential
        self.options = options
        self._clock = clock
        self._last: tuple[str, AccessToken] | None = None

    def get_entra_token(self, claims: str | None = None) -> Any:
        """Asks the Entra credential for a token.

        :param claims: The claims of a challenge, which the last token lacked.
        :return: What the credential returns.
        """
        credential = self._credential
        if hasattr(credential, "get_token"):
            return credential.get_token(*self._scopes, **({"claims": claims} if claims else {}))
        options = {"options": {"claims": claims}} if claims else {}
        return credential.get_token_info(*self._scopes, **options)

    def deadline(self) -> float | None:
        """The deadline of an exchange that begins now, its Entra token included."""
        return deadline_after(self.options.get("timeout"))

    def call_options(self, deadline: float | None) -> dict[str, Any]:
        """The options of the call that exchanges the token.

        :raises ~azure.core.exceptions.ServiceResponseTimeoutError: If the deadline has passed.
        """
        # A caller's pipeline may have no policy that reads the option.
        is_ours = self.options.get("policies") is None and self.options.get("pipeline") is None
        return {"timeout": seconds_left(deadline)} if is_ours and deadline is not None else {}

    @property
    def owns_connections(self) -> bool:
        """Whether to close the connections after an exchange, because nobody else uses them.

        Exchanges are an hour apart. The other side closes connections that are kept open for so
        long, and they would bind the credential to one process or event loop.
        """
        return not any(self.options.get(name) for name in ("transport", "pipeline", "session"))

    def reusable(self, entra_token: str) -> AccessToken | None:
        """The token that this Entra token was exchanged for, unless that token has expired."""
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
        f"{', '.join(scopes) or 'an empty list'}."
    )


class ExchangedToken:
    """The credential of one exchange: the Entra token that was compared with the last one.

    A claims challenge is passed on to the Entra credential.

    :param rules: Whose Entra credential has made the token.
    :param str token: The Entra token.
    """

    def __init__(self, rules: ExchangeRules, token: str) -> None:
        self.token = token
        self._rules = rules

    def get_token(self, *scopes: str, claims: str | None = None, **kwargs: Any) -> AccessToken:
        """The token, or the one that the Entra credential makes for the claims."""
        if claims is not None:
            self.token = read_token(self._rules.get_entra_token(claims)).token
        return AccessToken(self.token, maxsize)


class EntraExchange(ExchangeRules):
    """The refresher of a credential that is made from an Entra credential."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        # Now, so that an invalid option is an error here, and not at the first refresh.
        self._pipeline_options("")

    def __call__(self) -> AccessToken:
        """The token of the user who is signed in to the Entra credential now."""
        deadline = self.deadline()
        entra_token = read_token(call_until(deadline, self.get_entra_token)).token
        reusable = self.reusable(entra_token)
        if reusable is not None:
            return reusable
        sent, options = self._pipeline_options(entra_token)
        with ExitStack() as stack:
            client = CommunicationIdentityClient(
                self.endpoint, api_version=self.route.api_version, **options
            )
            if self.owns_connections:
                stack.enter_context(client)
            operation = getattr(getattr(client, self.route.group), self.route.operation)
            _, token = operation(cls=_results.user_and_token, **self.call_options(deadline))
        return self.remember(sent.token, token)

    def _pipeline_options(self, entra_token: str) -> tuple[ExchangedToken, dict[str, Any]]:
        sent = ExchangedToken(self, entra_token)
        return sent, sync_pipeline_options(self.endpoint, sent, self.options)
