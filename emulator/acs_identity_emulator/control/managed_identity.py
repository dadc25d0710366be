"""The token endpoint that App Service gives to programs with a managed identity."""

import hmac
import secrets
from datetime import timedelta
from urllib.parse import parse_qs

from ..authentication.authenticators import WireRequest
from ..authentication.entra import EntraAuthority
from ..contract.errors import ServiceError, before_controller
from ..contract.guids import is_guid
from ..contract.reasons import Reason, ReasonCode
from ..operations.calls import Answer

PATH = "/.emulator/msi/token"
_API_VERSION = "2019-08-01"
_LIFETIME = timedelta(hours=24)


def new_secret() -> str:
    """A value for the header IDENTITY_HEADER."""
    return secrets.token_hex(16).upper()


class ManagedIdentity:
    """Issues tokens to clients that send the secret header, as App Service does."""

    def __init__(
        self, entra: EntraAuthority, *, object_id: str, client_id: str, secret: str
    ) -> None:
        """:param object_id: of the identity in the tenant.
        :param client_id: of its application.
        :param secret: the value of the header.
        """
        self.secret = secret
        self._entra = entra
        self._object_id = object_id
        self._client_id = client_id

    def environment(self, endpoint: str) -> dict[str, str]:
        """The variables by which azure-identity finds it.

        :param endpoint: the URL of the emulator, with http.
        """
        return {
            "IDENTITY_ENDPOINT": f"{endpoint.rstrip('/')}{PATH}",
            "IDENTITY_HEADER": self.secret,
        }

    def answer(self, request: WireRequest) -> Answer:
        """:raises ServiceError: If the request is not one that App Service would accept."""
        sent = request.headers.get("X-IDENTITY-HEADER", "")
        if not hmac.compare_digest(sent.encode("utf-8", "surrogateescape"), self.secret.encode()):
            raise _rejection(401, "Unauthorized", "X-IDENTITY-HEADER is not the one given out.")
        query = parse_qs(request.target.partition("?")[2])
        if query.get("api-version") != [_API_VERSION]:
            raise _rejection(400, "BadRequest", f"api-version must be {_API_VERSION}.")
        if len(query.get("resource", ())) != 1:
            raise _rejection(400, "BadRequest", "One resource is needed to issue a token for.")
        resource = query["resource"][0]
        client_id = query.get("client_id", [self._client_id])[0]
        if not is_guid(client_id):
            raise _rejection(400, "BadRequest", "client_id must be a GUID.")
        token = self._entra.issue_to_application(
            object_id=self._object_id, client_id=client_id, resource=resource, expires_in=_LIFETIME
        )
        expires_on = self._entra.now() + int(_LIFETIME.total_seconds())
        return Answer(
            200,
            {
                "access_token": token,
                "expires_on": str(expires_on),
                "resource": resource,
                "token_type": "Bearer",
                "client_id": client_id,
            },
        )


def _rejection(status: int, code: str, message: str) -> ServiceError:
    reason = Reason(ReasonCode.MANAGED_IDENTITY, message.removesuffix("."))
    return before_controller(status, code, message, reason=reason)
