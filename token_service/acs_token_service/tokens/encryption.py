"""Tokens at rest."""

import json
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from .resource import IssuedToken


class TokenBox:
    """Encrypts tokens with the first key, and decrypts them with any.

    To rotate: put a new key in front, restart, and remove the old key a day later.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        """:raises ValueError: If there is no key, or one is not a Fernet key. No key is shown."""
        if not keys:
            raise ValueError(
                "a shared cache needs a key: make one with `acs-token-service new-key`"
            )
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError:
            raise ValueError("a cache key must be 32 bytes in URL-safe base64") from None

    def seal(self, issued: IssuedToken) -> bytes:
        return self._fernet.encrypt(json.dumps(issued).encode())

    def open(self, sealed: bytes | str) -> IssuedToken | None:
        """None if none of the keys has encrypted the text, or it is not a token."""
        try:
            token, issued_at, expires_on = json.loads(self._fernet.decrypt(sealed))
            return IssuedToken(str(token), float(issued_at), float(expires_on))
        except (InvalidToken, ValueError, TypeError):
            return None


def new_key() -> str:
    return Fernet.generate_key().decode()
