"""A resource put together from its store: what is not given is taken from there, or made anew."""

import os
import uuid
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import rsa

from .access_keys import AccessKeys
from .application import Application
from .authentication import HmacAuthenticator
from .entra import EntraAuthority
from .service import Service
from .store import Store
from .tokens import TokenIssuer, generate_key, key_from_pem, key_to_pem


class Resource:
    """Store, keys and service of one running emulator."""

    def __init__(
        self,
        *,
        database: str | os.PathLike[str] | None,
        access_key: str | None,
        secondary_key: str | None,
        resource_id: str | None,
        clock: Callable[[], float],
    ) -> None:
        """:raises DatabaseError: the database cannot be used.
        :raises ValueError: the database belongs to another resource.
        """
        self._store = Store(database)
        try:
            self.id = _resource_id(self._store, resource_id)
            self.keys = AccessKeys(self._store, primary=access_key, secondary=secondary_key)
            tokens = TokenIssuer(self._key("token-key"), self.id)
        except BaseException:
            self._store.close()
            raise
        self.entra = EntraAuthority(lambda: self._key("entra-key"), clock)
        self.service = Service(self.id, self._store, tokens, self.entra, clock)
        self.application = Application(
            self.service, [HmacAuthenticator(self.keys.octets_by_id, clock)], clock
        )

    def close(self) -> None:
        self._store.close()

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
    elif wanted not in (None, kept):
        raise ValueError(
            f"the database belongs to the resource {kept}, not to {given}: "
            "leave the resource id out, or name another database"
        )
    return kept
