"""The public keys of an issuer, fetched again when they change."""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from aiohttp import ClientError, ClientSession, ClientTimeout
from jwt import PyJWK
from jwt.exceptions import PyJWTError
from yarl import URL

from .errors import IssuerUnreachableError

_LOG = logging.getLogger(__name__)
_LARGEST_DOCUMENT = 1024 * 1024
# No symmetric algorithm: anyone who knows a public key could sign with it.
_ALGORITHMS = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC": ("ES256", "ES384", "ES512"),
    "OKP": ("EdDSA",),
}


class SigningKey:
    """A public key, and the algorithms that a signature by it may have."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        """:raises ValueError: If the key is not a public key for signatures."""
        kind, algorithm = document.get("kty"), document.get("alg")
        if document.get("use", "sig") != "sig" or kind not in _ALGORITHMS:
            raise ValueError("not a public key for signatures")
        allowed = _ALGORITHMS[kind]
        if algorithm is not None:
            allowed = tuple(name for name in allowed if name == algorithm)
        if not allowed:
            raise ValueError("not an asymmetric algorithm")
        try:
            self.key: Any = PyJWK.from_dict(dict(document), allowed[0]).key
        except PyJWTError as error:
            raise ValueError("not a valid key") from error
        self.algorithms = allowed


class KeySource(Protocol):
    async def find(self, key_id: str | None) -> SigningKey | None: ...


class FixedKeys:
    """Keys that are known from the start."""

    def __init__(self, keys: Mapping[str | None, SigningKey]) -> None:
        self._keys = dict(keys)

    async def find(self, key_id: str | None) -> SigningKey | None:
        return self._keys.get(key_id)


class PublishedKeys:
    """The keys that an issuer publishes.

    They are fetched again every `refresh_seconds`, and at once for a key id that is not known, but
    not more often than every `pause_seconds`: anyone can invent a key id. While the issuer is
    unreachable, known keys are used for `grace_seconds`.

    :param url: Of the keys, or of the OpenID configuration that names it if `is_configuration`.
    """

    def __init__(
        self,
        session: ClientSession,
        issuer: str,
        url: str,
        *,
        is_configuration: bool,
        refresh_seconds: float = 600,
        pause_seconds: float = 10,
        grace_seconds: float = 3600,
        timeout: float = 5,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._session = session
        self._issuer = issuer
        self._url = url
        self._is_configuration = is_configuration
        self._refresh_seconds = refresh_seconds
        self._pause_seconds = pause_seconds
        self._grace_seconds = grace_seconds
        self._timeout = ClientTimeout(total=timeout)
        self._clock = clock
        self._keys: dict[str | None, SigningKey] = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._lock = asyncio.Lock()

    async def find(self, key_id: str | None) -> SigningKey | None:
        """:raises IssuerUnreachableError: If the keys are unknown or too old."""
        age = self._age(self._fetched_at)
        if age > self._refresh_seconds or key_id not in self._keys:
            await self._fetch_once()
        if self._age(self._fetched_at) > self._grace_seconds:
            raise IssuerUnreachableError(
                "the keys of the issuer are unreachable", self._pause_seconds
            )
        return self._keys.get(key_id)

    def _age(self, moment: float | None) -> float:
        return float("inf") if moment is None else self._clock() - moment

    async def _fetch_once(self) -> None:
        asked_at = self._clock()
        async with self._lock:
            tried = self._tried_at
            if tried is not None and (tried >= asked_at or self._age(tried) < self._pause_seconds):
                return
            self._tried_at = self._clock()
            try:
                self._keys = await self._fetch()
            except (ClientError, OSError, asyncio.TimeoutError, ValueError) as error:
                _LOG.warning(
                    "The signing keys of %s cannot be fetched: %s",
                    self._issuer,
                    type(error).__name__,
                )
                return
            self._fetched_at = self._tried_at

    async def _fetch(self) -> dict[str | None, SigningKey]:
        url = self._url
        if self._is_configuration:
            configuration = await self._get(url)
            if configuration.get("issuer") != self._issuer:
                raise ValueError("the configuration is of another issuer")
            url = str(configuration.get("jwks_uri"))
            check_is_safe(url)
        keys: dict[str | None, SigningKey] = {}
        for document in (await self._get(url)).get("keys", []):
            try:
                keys[document.get("kid")] = SigningKey(document)
            except (ValueError, TypeError, AttributeError):
                continue  # of a kind that is not used here
        if not keys:
            raise ValueError("the issuer publishes no key that can be used")
        return keys

    async def _get(self, url: str) -> dict[str, Any]:
        async with self._session.get(
            url, timeout=self._timeout, allow_redirects=False, raise_for_status=True
        ) as response:
            if response.status != 200:
                raise ValueError("redirected")
            body = await response.content.read(_LARGEST_DOCUMENT)
            document = json.loads(body)
        if not isinstance(document, dict):
            raise ValueError("not a JSON object")
        return document


def check_is_safe(url: str) -> None:
    """:raises ValueError: If the content of the URL could be replaced in transit."""
    parsed = URL(url)
    is_local = parsed.host in ("127.0.0.1", "localhost", "::1")
    if parsed.host is None or not (
        parsed.scheme == "https" or (parsed.scheme == "http" and is_local)
    ):
        raise ValueError("an issuer must be at an https URL, or at http on this machine")
