"""The two access keys of the resource: random, given, or kept in the database."""

import base64
import binascii
import json
import secrets
import threading

from ..state.store import Store
from .authenticators import ENTRA

SLOTS = ("primary", "secondary")
_KEY_BYTES = 64


def decode_key(name: str, key: str) -> bytes:
    """The bytes of an access key.

    :raises ValueError: it is not base64, or empty. The message never holds the key.
    """
    try:
        octets = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        octets = b""
    if not octets:
        raise ValueError(f"{name} must be base64 of at least one byte")
    return octets


class AccessKeys:
    """The keys in force. The id of a key says its slot and how often the slot was changed."""

    def __init__(self, store: Store, *, primary: str | None, secondary: str | None) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._text: dict[str, str] = {}
        self._changes: dict[str, int] = {}
        self.octets_by_id: dict[str, bytes] = {}
        for slot, given in zip(SLOTS, (primary, secondary), strict=True):
            self._restore(slot, given)

    def _restore(self, slot: str, given: str | None) -> None:
        kept = self._store.setting(f"access-key-{slot}")
        if kept is None:
            self._put(slot, given or _random_key(), changes=0)
            return
        key, changes = json.loads(kept)
        if given is None or given == key:
            self._use(slot, key, changes)
        else:
            self._put(slot, given, changes + 1)

    def rotate(self, slot: str, given: str | None = None) -> str:
        """Puts another key into a slot and returns it: the given one, or a random one."""
        key = given or _random_key()
        with self._lock:
            self._put(slot, key, self._changes[slot] + 1)
        return key

    def __getitem__(self, slot: str) -> str:
        """The key in a slot, base64."""
        return self._text[slot]

    def in_force(self, key_id: str) -> bool:
        """Whether tokens hold that were issued on a request of this key, or of an Entra token."""
        return key_id == ENTRA or key_id in self.octets_by_id

    def _put(self, slot: str, key: str, changes: int) -> None:
        self._store.set_setting(f"access-key-{slot}", json.dumps([key, changes]))
        self._use(slot, key, changes)

    def _use(self, slot: str, key: str, changes: int) -> None:
        octets = decode_key(f"the {slot} key", key)
        others = {
            key_id: kept
            for key_id, kept in self.octets_by_id.items()
            if not key_id.startswith(f"{slot}-")
        }
        self._text[slot], self._changes[slot] = key, changes
        # A new mapping, as a request in another thread may be going through the old one.
        self.octets_by_id = {**others, f"{slot}-{changes}": octets}


def _random_key() -> str:
    return base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode("ascii")
