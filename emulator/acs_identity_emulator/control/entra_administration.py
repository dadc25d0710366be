"""The endpoints that stand for the sign-in and the app registrations of Microsoft Entra ID."""

from collections.abc import Sequence
from datetime import timedelta

from ..authentication.applications import ClientApplication, ClientApplications
from ..authentication.entra import EntraAuthority
from ..contract.errors import ServiceError
from ..operations import bodies
from ..operations.calls import Answer
from .endpoints import FILLED, GUID, TEXT, ControlCall, Endpoint, camel, invalid, nullable, number
from .entra_paths import ANY_TENANT

_SCOPE = {"type": "string", "pattern": "[^/].*/"}  # all of one audience, besides
_SECONDS = {
    "type": "number",
    "minimum": timedelta.min // timedelta(seconds=1),
    "maximum": timedelta.max // timedelta(seconds=1),
}
_VARIABLES = (
    "AZURE_AUTHORITY_HOST",
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
)


def environment_of(application: ClientApplication, host: str) -> dict[str, str]:
    """The variables by which azure-identity finds the authority and is the application.

    :param host: The name or address of the emulator, and its port.
    """
    values = (f"https://{host}", ANY_TENANT, application.client_id, application.secret)
    return dict(zip(_VARIABLES, values, strict=True))


class EntraAdministration:
    """Issues tokens of users and registers applications."""

    def __init__(self, entra: EntraAuthority, applications: ClientApplications) -> None:
        self._entra = entra
        self._applications = applications

    def endpoints(self) -> Sequence[Endpoint]:
        """The table of endpoints."""
        return [
            Endpoint(
                "POST",
                "entra/tokens",
                "Issues a Microsoft Entra token of a user.",
                self._issue_token,
                request={
                    "userObjectId": GUID,
                    "clientId": GUID,
                    "tenantId": nullable(GUID),
                    "scopes": nullable({"type": "array", "items": _SCOPE, "minItems": 1}),
                    "groups": nullable({"type": "array", "items": GUID}),
                    "expiresInSeconds": nullable(_SECONDS),
                },
                required=("userObjectId", "clientId"),
                response={"type": "object", "properties": {"token": TEXT}},
            ),
            Endpoint(
                "POST",
                "entra/applications",
                "Registers an application, and returns the environment variables for its secret.",
                self._register,
                request={
                    "clientId": nullable(GUID),
                    "secret": nullable(FILLED),
                    "tenantId": nullable(GUID),
                },
                response={"type": "object", "properties": dict.fromkeys(_VARIABLES, TEXT)},
            ),
        ]

    def _issue_token(self, call: ControlCall) -> Answer:
        body = call.body()
        user_object_id = bodies.required_string(body, "userObjectId")
        client_id = bodies.required_string(body, "clientId")
        tenant_id = bodies.string(body, "tenantId")
        groups = bodies.strings(body, "groups") or ()
        seconds = number(body, "expiresInSeconds")
        try:
            token = self._entra.issue(
                user_object_id=user_object_id,
                client_id=client_id,
                tenant_id=tenant_id,
                scopes=bodies.strings(body, "scopes"),
                groups=groups,
                expires_in=timedelta(seconds=3600 if seconds is None else seconds),
            )
        except OverflowError:
            raise invalid("expiresInSeconds is too large.") from None
        except ValueError as error:
            raise _invalid(error) from None
        return Answer(200, {"token": token})

    def _register(self, call: ControlCall) -> Answer:
        body = call.body()
        client_id, tenant_id = bodies.string(body, "clientId"), bodies.string(body, "tenantId")
        secret = bodies.string(body, "secret")
        try:
            application = self._applications.register(client_id, secret, tenant_id)
        except ValueError as error:
            raise _invalid(error) from None
        return Answer(200, environment_of(application, call.wire.headers.get("Host", "")))


def _invalid(error: ValueError) -> ServiceError:
    """The error for an argument, with its name as it is in JSON."""
    name, _, rest = str(error).partition(" ")
    return invalid(f"{camel(name)} {rest}.")
