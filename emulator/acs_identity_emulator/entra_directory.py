"""The part of `IdentityEmulator` that emulates Microsoft Entra ID: users and applications."""

from collections.abc import Sequence
from datetime import timedelta
from types import NoneType
from urllib.parse import urlsplit

from .arguments import check_texts, check_type
from .control.entra_administration import environment_of
from .lifecycle import Lifecycle


class EntraDirectory(Lifecycle):
    """The tenant of an emulator: it gives tokens to users, applications and a managed identity."""

    @property
    def tenant_id(self) -> str:
        """The GUID of the Entra tenant of users and applications, by default.

        :raises RuntimeError: If the emulator is not running.
        """
        return self._running().entra.tenant_id

    @property
    def managed_identity_environment(self) -> dict[str, str]:
        """The environment variables by which azure-identity finds the emulator's managed identity.

        With them set, `ManagedIdentityCredential` and `DefaultAzureCredential` get tokens here,
        over plain http, as in App Service.

        :raises RuntimeError: If the emulator is not running.
        """
        endpoint = self._listening().plain_endpoint
        return self._running().managed_identity.environment(endpoint)

    def register_application(
        self,
        client_id: str | None = None,
        secret: str | None = None,
        *,
        tenant_id: str | None = None,
    ) -> dict[str, str]:
        """Registers an application that gets Entra tokens for the resource by its secret.

        With the returned environment variables, `EnvironmentCredential` and
        `DefaultAzureCredential` of azure-identity get tokens here; clients must trust `ca_bundle`.
        The tenant in them is ``adfs``, for which azure-identity asks no server of Microsoft whether
        the authority exists. With the GUID of the tenant, credentials need the argument
        ``disable_instance_discovery=True``.

        :param client_id: A GUID, by default a random one. An existing application is changed.
        :param secret: By default, the one that the application has, or a random one.
        :param tenant_id: The tenant of the application, a GUID; by default `tenant_id`.
        :returns: ``AZURE_AUTHORITY_HOST``, ``AZURE_TENANT_ID``, ``AZURE_CLIENT_ID`` and
            ``AZURE_CLIENT_SECRET``.
        :raises TypeError: If the secret is not a str.
        :raises ValueError: If an id is not a GUID, or the secret is empty.
        :raises DatabaseError: If the database cannot be written.
        :raises RuntimeError: If the emulator is not running.
        """
        check_type("secret", secret, "a str", str, NoneType)
        application = self._running().client_applications.register(client_id, secret, tenant_id)
        return environment_of(application, urlsplit(self._listening().endpoint).netloc)

    def issue_entra_token(
        self,
        *,
        user_object_id: str,
        client_id: str,
        tenant_id: str | None = None,
        scopes: Sequence[str] | None = None,
        groups: Sequence[str] = (),
        expires_in: timedelta = timedelta(hours=1),
    ) -> str:
        """A Microsoft Entra token of a user, which the exchange operations accept.

        :param user_object_id: The object id of the user, a GUID.
        :param client_id: The id of the application the user has signed in to, a GUID.
        :param tenant_id: The tenant of the user, a GUID; by default `tenant_id` of the emulator.
        :param scopes: URLs of scopes, all of one audience; by default those of Teams calling. A
            scope below ``https://auth.msft.communication.azure.com/`` is for the exchanges of Teams
            users and of the Teams extension, one below ``https://communication.azure.com/clients/``
            for the exchange of Entra users, and ``https://communication.azure.com//.default`` for
            all other operations.
        :param groups: The object ids of the groups that the user is in, GUIDs.
        :param expires_in: Its lifetime, by default one hour; a negative one gives a token that has
            expired.
        :raises TypeError: If `scopes`, `groups` or `expires_in` has the wrong type.
        :raises ValueError: If an id is not a GUID, or the scopes are not of one audience.
        :raises DatabaseError: If the database cannot be read or written.
        :raises RuntimeError: If the emulator is not running.
        """
        if scopes is not None:
            check_texts("scopes", scopes)
        check_texts("groups", groups)
        check_type("expires_in", expires_in, "a timedelta", timedelta)
        return self._running().entra.issue(
            user_object_id=user_object_id,
            client_id=client_id,
            tenant_id=tenant_id,
            scopes=scopes,
            groups=groups,
            expires_in=expires_in,
        )
