"""A resource assembled from its store: settings that are not given are kept ones, or new."""

import os
import uuid
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import rsa

from .arguments import Arguments
from .authentication.access_keys import AccessKeys
from .authentication.applications import ClientApplications
from .authentication.authenticators import BearerAuthenticator, HmacAuthenticator
from .authentication.encryption import TokenEncryption, check_key, new_key
from .authentication.entra import EntraAuthority
from .authentication.tokens import TokenIssuer, generate_key, key_from_pem, key_to_pem
from .contract.faults import FaultQueue
from .contract.guids import is_guid
from .control.administration import Administration
from .control.entra_administration import EntraAdministration
from .control.entra_paths import EntraPaths
from .control.guard import Guard
from .control.managed_identity import ManagedIdentity, new_secret
from .control.own_paths import OwnPaths
from .control.page import Page
from .http.application import Application
from .http.certificates import Certificates
from .operations.service import Service, ServiceOptions
from .operations.throttling import Throttle
from .state.clock import ServiceClock
from .state.journal import Journal
from .state.store import Store, StoreError


class Resource:
    """Store, keys and service of one running emulator."""

    def __init__(self, given: Arguments) -> None:
        """
        :raises DatabaseError: If the database cannot be used.
        :raises ValueError: If the database belongs to another resource, or a certificate cannot
            name the host or one of `tls_names`.
        """
        self.clock = ServiceClock(given.clock)
        self.faults = FaultQueue()
        self.journal = Journal()
        self._default_token_lifetime = given.token_lifetime
        self._store = Store(given.database, given.import_state)
        try:
            self._load(given)
            self.service = self._new_service(given)
            self.application = self._new_application(given.control_token)
        except StoreError as error:
            self._store.abandon()
            raise self._store.unusable(error) from None
        except BaseException:
            self._store.abandon()
            raise

    def _load(self, given: Arguments) -> None:
        """Reads the kept settings, and keeps those that are given or new."""
        self.certificates = Certificates(self._store, given.host, given.tls_names)
        self.id = _resource_id(self._store, given.resource_id)
        tenant_id = self._guid("tenant-id")
        try:
            self.keys = AccessKeys(
                self._store, primary=given.access_key, secondary=given.secondary_key
            )
            self._tokens = TokenIssuer(self._key("token-key"), self.id, self._store.generation)
            self.client_applications = ClientApplications(self._store, tenant_id)
            # New keys can wait until they are used. Kept ones show now whether they are damaged.
            has_entra_key = self._store.setting("entra-key") is not None
            entra_key = self._key("entra-key") if has_entra_key else None
            if (encryption_key := self._store.setting("token-encryption-key")) is not None:
                check_key(encryption_key)
        except (ValueError, TypeError, LookupError, RecursionError):  # which may quote a key
            raise self._store.damaged() from None
        self.entra = EntraAuthority(
            lambda: entra_key or self._key("entra-key"), tenant_id, self.clock
        )
        self.managed_identity = ManagedIdentity(
            self.entra,
            object_id=self._guid("managed-identity-object-id"),
            client_id=self._guid("managed-identity-id"),
            secret=self._kept("managed-identity-secret", new_secret),
        )

    def _new_service(self, given: Arguments) -> Service:
        service = Service(
            self.id,
            self._store,
            self.keys,
            self._tokens,
            self.entra,
            self.clock,
            Throttle(self.clock, tells_when=given.retry_after) if given.throttle else None,
            TokenEncryption(lambda: self._kept("token-encryption-key", new_key)),
            ServiceOptions(given.open_exchange, given.page_size, given.encrypted_tokens),
        )
        service.token_lifetime = given.token_lifetime
        return service

    def _new_application(self, control_token: str | None) -> Application:
        administration = Administration(
            resource_id=self.id,
            tenant_id=self.entra.tenant_id,
            service=self.service,
            keys=self.keys,
            entra=EntraAdministration(self.entra, self.client_applications),
            faults=self.faults,
            clock=self.clock,
            journal=self.journal,
            reset=self.reset,
        )
        page = Page(self.id, self.service, self.faults, self.clock, self.journal)
        signed = HmacAuthenticator(
            lambda: self.keys.octets_by_id, lambda: self.keys.retired, self.clock
        )
        return Application(
            self.service,
            [signed, BearerAuthenticator(self.entra)],
            OwnPaths(
                administration.endpoints(),
                self.managed_identity,
                self.certificates.ca_pem,
                self._tokens.jwks,
                page.answer,
                Guard(control_token),
            ),
            EntraPaths(self.entra, self.client_applications),
            self.faults,
            self.journal,
            self.clock,
        )

    def reset(self) -> None:
        """Empties the resource and puts the clock back; its id, keys and signing keys stay."""
        self.faults.clear()
        self.service.reset()
        self.service.token_lifetime = self._default_token_lifetime
        self.clock.put_back()
        self.journal.clear()

    def export(self, path: str | os.PathLike[str]) -> None:
        """:raises DatabaseError: If the file cannot be written."""
        self._store.export(path)

    def close(self) -> None:
        self.application.close()
        self.certificates.close()
        self._store.close()

    def abandon(self) -> None:
        """Closes it after a failed start, and removes the database if that was new."""
        self.close()
        self._store.abandon()

    def _guid(self, setting: str) -> str:
        kept = self._kept(setting, lambda: str(uuid.uuid4()))
        if not is_guid(kept):
            raise self._store.damaged()
        return kept

    def _kept(self, setting: str, new: Callable[[], str]) -> str:
        kept = self._store.setting(setting)
        if kept is None:
            kept = new()
            self._store.set_setting(setting, kept)
        return kept

    def _key(self, setting: str) -> rsa.RSAPrivateKey:
        kept = self._store.setting(setting)
        if kept is not None:
            return key_from_pem(kept)
        key = generate_key()
        self._store.set_setting(setting, key_to_pem(key))
        return key


def _resource_id(store: Store, given: str | None) -> str:
    kept = store.setting("resource-id")
    wanted = None if given is None else given.lower()
    if kept is None:
        kept = wanted or str(uuid.uuid4())
        store.set_setting("resource-id", kept)
    elif not is_guid(kept):
        raise store.damaged()
    elif wanted not in (None, kept):
        raise ValueError(
            f"the database belongs to the resource {kept}, not to {given}: "
            "leave resource_id out, or name another database"
        )
    return kept
