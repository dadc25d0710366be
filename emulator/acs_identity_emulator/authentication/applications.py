"""The applications of the Entra tenant: client ids and secrets, kept in the database."""

import hmac
import json
import secrets
import threading
import uuid
from typing import NamedTuple

from ..contract.guids import check_guid
from ..state.store import Store

_SETTING = "entra-applications"


class ClientApplication(NamedTuple):
    """An application that gets tokens for itself; its ids are GUIDs in lower case."""

    client_id: str
    secret: str
    tenant_id: str
    object_id: str

    def has_secret(self, given: str) -> bool:
        return hmac.compare_digest(
            given.encode("utf-8", "surrogatepass"), self.secret.encode("utf-8", "surrogatepass")
        )


class ClientApplications:
    """The registered applications, by client id."""

    def __init__(self, store: Store, tenant_id: str) -> None:
        """:param tenant_id: The tenant of an application that is registered without one.
        :raises ValueError: If the store is damaged.
        :raises TypeError: Likewise.
        """
        self._store = store
        self._tenant_id = tenant_id
        self._lock = threading.Lock()
        kept = json.loads(store.setting(_SETTING) or "[]")
        self._by_client_id = {fields[0]: ClientApplication(*fields) for fields in kept}

    def register(
        self, client_id: str | None, secret: str | None, tenant_id: str | None
    ) -> ClientApplication:
        """Adds an application, or changes the one with this client id.

        None keeps the value of an existing application; for a new one, ids and secret are random.

        :raises ValueError: If an id is not a GUID, or the secret is empty.
        """
        for name, value in (("client_id", client_id), ("tenant_id", tenant_id)):
            if value is not None:
                check_guid(name, value)
        if secret == "":
            raise ValueError("secret must not be empty")
        with self._lock:
            wanted = (client_id or str(uuid.uuid4())).lower()
            kept = self._by_client_id.get(wanted)
            if kept is None:
                new_secret = secrets.token_urlsafe(30)
                kept = ClientApplication(wanted, new_secret, self._tenant_id, str(uuid.uuid4()))
            application = kept._replace(
                secret=secret or kept.secret, tenant_id=(tenant_id or kept.tenant_id).lower()
            )
            # A new mapping: another thread may be reading the old one.
            self._by_client_id = {**self._by_client_id, wanted: application}
            self._store.set_setting(_SETTING, json.dumps(list(self._by_client_id.values())))
        return application

    def with_client_id(self, client_id: str) -> ClientApplication | None:
        return self._by_client_id.get(client_id.lower())

    def has_tenant(self, tenant_id: str) -> bool:
        """Whether it is the tenant of the emulator, or of one of the applications."""
        tenants = {application.tenant_id for application in self._by_client_id.values()}
        return tenant_id.lower() in {self._tenant_id, *tenants}
