"""The two access keys of the resource: random, given, or kept in the database."""

import base64
import binascii
import json
import re
import secrets
import threading
from collections.abc import Mapping

from ..state.store import Store
from .authenticators import ENTRA

SLOTS = ("primary", "secondary")
_KEY_BYTES = 64
_RETIRED = 16  # how many earlier keys are remembered, to explain a rejection


# What may be pasted instead of a key, and the pattern that detects it.
_MISTAKES = {
    "has typographic quotes": (
        "[\u2018-\u201f\u2032-\u2037\u2039\u203a\u00ab\u00bb\u00b4\uff02\uff07]"
    ),
    "is a URL or a connection string, or a part of one": r"://|(?<![\w.-])(endpoint|accesskey)\s*=",
    "is two keys": "[A-Z0-9+/]{30,}[^A-Z0-9+/]+[A-Z0-9+/]{30,}",
    "begins with the name of a variable": "(?<!=)[=:]\\s*[\"'`]?[A-Z0-9+/]",
    "has a quote": "[\"'`]",
    "has white space in it": r"\s",
}
# White space and byte order marks, also those that were read as cp1252.
_AROUND = re.compile("^(?:\\s|\ufeff|\u00ef\u00bb\u00bf)+|(?:\\s|\ufeff)+$")


def pasted_key(name: str, key: str) -> str:
    """An access key, without white space, byte order marks and one pair of quotes around it.

    :raises TypeError: If the key is not a str.
    :raises ValueError: If the key is empty or not base64. The message never holds the key.
    """
    if not isinstance(key, str):
        raise TypeError(f"{name} must be a str, not {type(key).__name__}")
    text = _AROUND.sub("", key)
    if text[:1] in ("'", '"') and text.endswith(text[0]):
        text = _AROUND.sub("", text[1:-1])
    try:
        octets = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        octets = b""
    if not octets:
        found = [mistake for mistake, regex in _MISTAKES.items() if re.search(regex, text, re.I)]
        hint = f": it {found[0]}" if found else ""
        raise ValueError(f"{name} must be base64 of at least one byte{hint}")
    return text


class AccessKeys:
    """The keys in force. The id of a key is its slot and how often the slot was changed."""

    def __init__(self, store: Store, *, primary: str | None, secondary: str | None) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._text: dict[str, str] = {}
        self._changes: dict[str, int] = {}
        self.octets_by_id: Mapping[str, bytes] = {}
        self.retired: Mapping[str, bytes] = {}
        self._restore("primary", primary)
        self._restore("secondary", secondary)

    def _restore(self, slot: str, given: str | None) -> None:
        kept = self._store.setting(f"access-key-{slot}")
        if kept is None:
            self._put(slot, given or _random_key(), changes=0)
            return
        key, changes = json.loads(kept)
        self._use(slot, key, changes)
        if given is not None and given != key:
            self._put(slot, given, changes + 1)

    def rotate(self, slot: str, given: str | None = None) -> str:
        """Replaces the key in a slot, by default with a random one, and returns the new key."""
        key = given or _random_key()
        with self._lock:
            self._put(slot, key, self._changes[slot] + 1)
        return key

    def __getitem__(self, slot: str) -> str:
        """The key in a slot, base64."""
        return self._text[slot]

    def in_force(self, key_id: str) -> bool:
        """Whether tokens issued with this key, or with an Entra token, are still valid."""
        return key_id == ENTRA or key_id in self.octets_by_id

    def _put(self, slot: str, key: str, changes: int) -> None:
        self._store.set_setting(f"access-key-{slot}", json.dumps([key, changes]))
        self._use(slot, key, changes)

    def _use(self, slot: str, key: str, changes: int) -> None:
        octets = base64.b64decode(key)
        own = f"{slot}-"
        others = {id_: kept for id_, kept in self.octets_by_id.items() if not id_.startswith(own)}
        replaced = {id_: kept for id_, kept in self.octets_by_id.items() if id_.startswith(own)}
        self._text[slot], self._changes[slot] = key, changes
        # New mappings: a request in another thread may be iterating over the old ones.
        self.octets_by_id = {**others, f"{own}{changes}": octets}
        self.retired = dict([*self.retired.items(), *replaced.items()][-_RETIRED:])


def _random_key() -> str:
    return base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode("ascii")
