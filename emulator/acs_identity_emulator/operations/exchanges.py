"""The exchange of a Microsoft Entra token for a communication token of the same user."""

from collections.abc import Callable, Mapping

from ..authentication.encryption import TokenEncryption
from ..authentication.entra import (
    TEAMS_AUDIENCES,
    EntraAuthority,
    EntraToken,
    InvalidEntraTokenError,
)
from ..authentication.tokens import Lineage, TokenIssuer
from ..contract import errors
from ..contract.guids import is_guid
from ..contract.versions import Field, Operation, knows
from ..state.store import Store
from . import bodies
from .calls import AccessToken, Answer, Call, Handler
from .gate import Gate

_SCOPES = ("chat", "voip")


class Exchanges:
    """The three exchange operations."""

    def __init__(
        self,
        resource_id: str,
        store: Store,
        tokens: TokenIssuer,
        entra: EntraAuthority,
        gate: Gate,
        encryption: TokenEncryption | None,
        clock: Callable[[], float],
    ) -> None:
        """:param encryption: Encrypts the tokens of Entra users; None if they are not encrypted."""
        self._resource_id = resource_id
        self._store = store
        self._tokens = tokens
        self._entra = entra
        self._gate = gate
        self._encryption = encryption
        self._clock = clock
        self.operations: dict[Operation, Handler] = {
            Operation.EXCHANGE_TEAMS_USER: self._exchange_teams_user,
            Operation.EXCHANGE_TEAMS_EXTENSION: self._exchange_callers_token,
            Operation.EXCHANGE_ENTRA: self._exchange_callers_token,
        }

    def _exchange_teams_user(self, call: Call) -> Answer:
        try:
            body = bodies.json_object(call.body)
            token = bodies.string(body, "token")
        except errors.ServiceError:
            raise errors.no_token() from None
        if token is None:
            raise errors.no_token()
        try:
            user = self._entra.verify(token)
        except InvalidEntraTokenError as error:
            raise errors.invalid_token(str(error)) from None
        if user.audience not in TEAMS_AUDIENCES:
            raise errors.invalid_token(f"it is for {user.audience!a}, not for Teams")
        if knows(call.version, Field.APP_AND_USER_ID):
            _check_application_and_user(body, user)
        lineage = Lineage(call.caller.key_id)
        subject = f"orgid:{user.object_id}"
        return Answer(200, self._exchanged(subject, user, lineage, int(self._clock())).shown)

    def _exchange_callers_token(self, call: Call) -> Answer:
        """Exchanges the token that authenticates the request; its user becomes an identity."""
        user = call.caller.entra
        assert user is not None  # noqa: S101 - no other caller may use these operations
        bodies.json_object(call.body)
        grant = self._gate.grant(call.operation, user)
        guid = f"{user.tenant_id}_{user.object_id}"
        identity = self._store.identity_of_user(guid)
        subject = f"acs:{self._resource_id}_{guid}"
        lineage = Lineage(call.caller.key_id, identity.revocations, grant)
        now = int(self._clock())
        token = self._exchanged(subject, user, lineage, now)
        if call.operation is Operation.EXCHANGE_ENTRA and self._encryption is not None:
            token = token._replace(token=self._encryption.encrypted(token.token))
        self._store.token_issued(guid, now)
        shown = {"id": f"8:{subject}"}
        return Answer(200, lambda: {"identity": shown, "accessToken": token.shown()})

    def _exchanged(self, subject: str, user: EntraToken, lineage: Lineage, now: int) -> AccessToken:
        """A token that expires with the Entra token."""
        token = self._tokens.issue(subject, _SCOPES, now, user.expires_at, lineage)
        return AccessToken(token, user.expires_at)


def _check_application_and_user(body: Mapping[str, object], user: EntraToken) -> None:
    """:raises ServiceError: If the body names another application or user than the token."""
    app_id = bodies.required_string(body, "appId")
    user_id = bodies.required_string(body, "userId")
    for field, value in (("appId", app_id), ("userId", user_id)):
        if not is_guid(value):
            raise errors.malformed_guid(field)
    if app_id.lower() != user.client_id:
        raise errors.unexpected_application()
    if user_id.lower() != user.object_id:
        raise errors.unexpected_user()
