"""The paths of Microsoft Entra ID at which azure-identity and MSAL get tokens of applications.

The first segment is a tenant. `adfs` is the tenant of whichever application asks: clients of Entra
send no instance discovery to login.microsoftonline.com for it, so that they work offline.
"""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from urllib.parse import parse_qsl

from ..authentication.applications import ClientApplication, ClientApplications
from ..authentication.authenticators import WireRequest
from ..authentication.entra import EntraAuthority
from ..contract import errors
from ..contract.guids import GUID
from ..contract.reasons import shown_text
from ..operations.calls import Answer, Payload
from .entra_errors import EntraError, entra_error

ANY_TENANT = "adfs"
_DISCOVERY = "/common/discovery/instance"
# Entra's clients also name a tenant by its domain, and groups of tenants, which are never found.
_TENANT = rf"{GUID}|{ANY_TENANT}|[\w-]+(?:\.[\w-]+)+|common|organizations|consumers"
_PATH = re.compile(rf"/({_TENANT})(/(?:v2\.0|\.well-known|discovery|oauth2)(?:/|$).*)")
_LIFETIME = timedelta(seconds=3599)
_FIELDS = 50  # at most, in a form or a query
_DEFAULT_SCOPE = "/.default"

_Handler = Callable[[WireRequest, str], Answer]


class EntraPaths:
    """Metadata, keys and token endpoint of the tenants."""

    def __init__(self, entra: EntraAuthority, applications: ClientApplications) -> None:
        self._entra = entra
        self._applications = applications
        keys: dict[str, _Handler] = {"GET": lambda *_: Answer(200, entra.jwks())}
        token: dict[str, _Handler] = {"POST": self._issue}
        self._handlers: dict[str, dict[str, _Handler]] = {
            "/.well-known/openid-configuration": {"GET": self._metadata_of_v1},
            "/v2.0/.well-known/openid-configuration": {"GET": self._metadata_of_v2},
            "/discovery/keys": keys,
            "/discovery/v2.0/keys": keys,
            "/oauth2/token": token,
            "/oauth2/v2.0/token": token,
        }

    def has(self, target: str) -> bool:
        """Whether the target is a path of Entra, and not of the service."""
        return _PATH.match(target) is not None or target.startswith(_DISCOVERY)

    def answer(self, request: WireRequest) -> Answer:
        """
        :raises ServiceError: If the path, the method or the tenant is unknown, or Entra would
            reject the request.
        """
        path = request.target.partition("?")[0]
        if path == _DISCOVERY:
            handlers: dict[str, _Handler] = {"GET": self._discover}
            tenant = ANY_TENANT
        else:
            match = _PATH.fullmatch(path)
            tenant, rest = match.groups() if match else ("", "")
            found = self._handlers.get(rest)
            if found is None:
                raise errors.unknown_path(path)
            handlers = found
        handler = handlers.get(request.method)
        if handler is None:
            raise errors.wrong_method(request.method, ", ".join(handlers))
        if tenant != ANY_TENANT and not self._applications.has_tenant(tenant):
            message = (
                f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID: "
                f"a GUID, or '{ANY_TENANT}' for the tenant of the application."
            )
            raise self._error(400, "invalid_tenant", 90002, message, f"no tenant is {tenant}")
        return handler(request, tenant)

    def _metadata_of_v1(self, request: WireRequest, tenant: str) -> Answer:
        base = f"{request.origin}/{tenant}"
        tenant_id = self._entra.tenant_id if tenant == ANY_TENANT else tenant
        issuer = f"https://sts.windows.net/{tenant_id}/"
        return Answer(200, _metadata(base, issuer, "/oauth2", "/discovery/keys"))

    def _metadata_of_v2(self, request: WireRequest, tenant: str) -> Answer:
        base = f"{request.origin}/{tenant}"
        return Answer(200, _metadata(base, f"{base}/v2.0", "/oauth2/v2.0", "/discovery/v2.0/keys"))

    def _discover(self, request: WireRequest, _: str) -> Answer:
        """Instance discovery: this host is an authority, and has no other name."""
        authorize = _fields(request.target.partition("?")[2]).get("authorization_endpoint", "")
        origin = request.origin
        tenant = re.match(rf"https?://[^/]*/({_TENANT})/", authorize)
        if tenant is None:
            message = "The authorization_endpoint is not one of this authority."
            raise self._error(400, "invalid_instance", 50049, message, "another authority")
        host = origin.partition("://")[2]
        metadata = {"preferred_network": host, "preferred_cache": host, "aliases": [host]}
        configuration = f"{origin}/{tenant[1]}/v2.0/.well-known/openid-configuration"
        return Answer(
            200,
            {
                "tenant_discovery_endpoint": configuration,
                "api-version": "1.1",
                "metadata": [metadata],
            },
        )

    def _issue(self, request: WireRequest, tenant: str) -> Answer:
        """A token of an application that proves itself by its secret."""
        form = _fields(request.body.decode("utf-8", "replace"))
        grant_type = self._required(form, "grant_type")
        if grant_type != "client_credentials":
            message = f"The app requested an unsupported grant type {shown_text(grant_type)}."
            why = "only client_credentials can be granted"
            raise self._error(400, "unsupported_grant_type", 70003, message, why)
        client_id = self._required(form, "client_id")
        resource = self._resource(form)
        application = self._authenticated(form, client_id, tenant)
        token = self._entra.issue_to_application(
            object_id=application.object_id,
            client_id=application.client_id,
            tenant_id=application.tenant_id,
            resource=resource,
            expires_in=_LIFETIME,
        )
        seconds = int(_LIFETIME.total_seconds())
        return Answer(
            200,
            {
                "token_type": "Bearer",
                "expires_in": seconds,
                "ext_expires_in": seconds,
                "access_token": token,
            },
        )

    def _resource(self, form: Mapping[str, str]) -> str:
        """The audience of the scope, or the resource of an older client."""
        if "scope" not in form and "resource" in form:
            return self._required(form, "resource")
        scope = self._required(form, "scope")
        if not scope.endswith(_DEFAULT_SCOPE) or " " in scope or scope == _DEFAULT_SCOPE:
            message = (
                f"The provided value for scope {shown_text(scope, 100)} is not valid. Client "
                "credential flows must have a scope value with /.default suffixed to the resource "
                "identifier (application ID URI)."
            )
            raise self._error(400, "invalid_scope", 1002012, message, "the scope is invalid")
        return scope.removesuffix(_DEFAULT_SCOPE)

    def _authenticated(
        self, form: Mapping[str, str], client_id: str, tenant: str
    ) -> ClientApplication:
        application = self._applications.with_client_id(client_id)
        if application is None or tenant.lower() not in (ANY_TENANT, application.tenant_id):
            message = (
                f"Application with identifier {shown_text(client_id)} was not found in the "
                f"directory '{tenant}'."
            )
            why = f"no application of tenant {tenant} has the client id"
            raise self._error(400, "unauthorized_client", 700016, message, why)
        secret = form.get("client_secret")
        if not secret:
            message = (
                "'client_assertion', 'client_secret' or 'request' is required for the "
                "'client_credentials' grant type. The emulator knows secrets only."
            )
            why = "the request has no client_secret"
            raise self._error(401, "invalid_client", 7000216, message, why)
        if not application.has_secret(secret):
            message = (
                "Invalid client secret provided. Ensure the secret being sent in the request is "
                "the client secret value, not the client secret ID, for a secret added to app "
                f"'{application.client_id}'."
            )
            why = f"the client secret is not the one of application {application.client_id}"
            raise self._error(401, "invalid_client", 7000215, message, why)
        return application

    def _required(self, form: Mapping[str, str], name: str) -> str:
        value = form.get(name)
        if not value:
            message = f"The request body must contain the following parameter: '{name}'."
            raise self._error(400, "invalid_request", 900144, message, f"{name} is missing")
        return value

    def _error(self, status: int, error: str, number: int, message: str, why: str) -> EntraError:
        return entra_error(status, error, number, message, why, self._entra.now())


def _metadata(base: str, issuer: str, oauth2: str, keys: str) -> Payload:
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{base}{oauth2}/authorize",
        "token_endpoint": f"{base}{oauth2}/token",
        "jwks_uri": f"{base}{keys}",
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
        "response_types_supported": ["token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }


def _fields(text: str) -> dict[str, str]:
    """The fields of a form or a query; empty if there are too many."""
    try:
        return dict(parse_qsl(text, max_num_fields=_FIELDS))
    except ValueError:
        return {}
