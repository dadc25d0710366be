"""Encrypted access tokens (JWE, five parts): clients cannot read them, not even the expiry."""

import base64
import re
import secrets
import threading
from collections.abc import Callable

from .tokens import Signable

_KEY_BYTES = 32
_HEADER = {"alg": "A256KW", "enc": "A256GCM", "cty": "JWT"}
_ALGORITHMS = ["A256KW", "A256GCM"]
_FIVE_PARTS = re.compile(r"[\w-]+(?:\.[\w-]+){4}", re.ASCII)


def new_key() -> str:
    """A random key, base64."""
    return base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode("ascii")


def check_key(key: str) -> None:
    """:raises ValueError: If `new_key` cannot have made the key."""
    if len(base64.b64decode(key, validate=True)) != _KEY_BYTES:
        raise ValueError(f"expected {_KEY_BYTES} bytes")


class TokenEncryption:
    """Encrypts signed tokens with a key of the emulator, and decrypts its own."""

    def __init__(self, load_key: Callable[[], str]) -> None:
        """:param load_key: Called once, when a token is first encrypted or decrypted."""
        self._load_key = load_key
        self._cipher: _Cipher | None = None
        self._lock = threading.Lock()

    def encrypted(self, token: Signable) -> Signable:
        """The same token, encrypted once it is signed."""
        return _Encrypted(token, self._loaded())

    def decrypted(self, token: str) -> str | None:
        """The token in an encrypted one; the token itself if it is not encrypted.

        :returns: None if it is encrypted, but not by this emulator.
        """
        if token.count(".") != 4:
            return token
        return self._loaded().decrypt(token)

    def _loaded(self) -> "_Cipher":
        with self._lock:
            if self._cipher is None:
                self._cipher = _Cipher(base64.b64decode(self._load_key()))
            return self._cipher


class _Encrypted:
    def __init__(self, token: Signable, cipher: "_Cipher") -> None:
        self._token = token
        self._cipher = cipher

    def signed(self) -> str:
        return self._cipher.encrypt(self._token.signed())


class _Cipher:
    def __init__(self, key: bytes) -> None:
        # joserfc takes a quarter of a second to import, and most emulators encrypt nothing.
        from joserfc import jwe
        from joserfc.errors import JoseError
        from joserfc.jwk import OctKey

        self._jwe = jwe
        self._errors = (JoseError, ValueError)
        self._key = OctKey.import_key(key)
        self._beginning = self.encrypt("").partition(".")[0] + "."

    def encrypt(self, token: str) -> str:
        return self._jwe.encrypt_compact(
            dict(_HEADER), token.encode("ascii"), self._key, algorithms=_ALGORITHMS
        )

    def decrypt(self, token: str) -> str | None:
        # The header is the same in every token, so that no other is parsed.
        if not (_FIVE_PARTS.fullmatch(token) and token.startswith(self._beginning)):
            return None
        try:
            decrypted = self._jwe.decrypt_compact(token, self._key, algorithms=_ALGORITHMS)
        except self._errors:
            return None
        return (decrypted.plaintext or b"").decode("ascii")
