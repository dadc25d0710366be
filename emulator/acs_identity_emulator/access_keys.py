"""The two access keys of the resource: random, given, or kept in the database."""

import base64
import binascii
import json
import secrets

from .store import Store

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
        self._text: dict[str, str] = {}
        self._changes: dict[str, int] = {}
        self.octets_by_id: dict[str, bytes] = {}
        for slot, given in zip(SLOTS, (primary, secondary), strict=True):
            self._restore(slot, given)

    def _restore(self, slot: str, given: str | None) -> None:
        kept = self._store.setting(f"access-key-{slot}")
        if kept is None:
            self._put(slot, given or random_key(), changes=0)
            return
        key, changes = json.loads(kept)
        if given is None or given == key:
            self._use(slot, key, changes)
        else:
            self._put(slot, given, changes + 1)

    def __getitem__(self, slot: str) -> str:
        """The key in a slot, base64."""
        return self._text[slot]

    def _put(self, slot: str, key: str, changes: int) -> None:
        self._store.set_setting(f"access-key-{slot}", json.dumps([key, changes]))
        self._use(slot, key, changes)

    def _use(self, slot: str, key: str, changes: int) -> None:
        self.octets_by_id.pop(f"{slot}-{self._changes.get(slot)}", None)
        self._text[slot], self._changes[slot] = key, changes
        self.octets_by_id[f"{slot}-{changes}"] = decode_key(f"the {slot} key", key)


def random_key() -> str:
    return base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode("ascii")
