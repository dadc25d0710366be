"""A stand-in for Microsoft Entra ID: it issues the tokens that Teams users exchange."""

import secrets
import threading
import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import NamedTuple

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from .guids import is_guid
from .tokens import verified_claims

TEAMS_AUDIENCE = "https://auth.msft.communication.azure.com"
TEAMS_SCOPES = (f"{TEAMS_AUDIENCE}/Teams.ManageCalls", f"{TEAMS_AUDIENCE}/Teams.ManageChats")


class EntraUser(NamedTuple):
    """What a valid Entra token says; `expires_at` is Unix time."""

    user_object_id: str
    client_id: str
    expires_at: int


class EntraAuthority:
    """Issues Entra tokens and verifies them."""

    def __init__(
        self, load_key: Callable[[], rsa.RSAPrivateKey], clock: Callable[[], float]
    ) -> None:
        """`load_key` is called once, when a token is first issued or verified."""
        self._load_key = load_key
        self._clock = clock
        self._key: rsa.RSAPrivateKey | None = None
        self._lock = threading.Lock()
        self._tenant_id = str(uuid.uuid4())

    def issue(
        self,
        user_object_id: str,
        client_id: str,
        scopes: Sequence[str] | None,
        expires_in: timedelta,
    ) -> str:
        """:raises ValueError: an id is not a GUID, or the scopes are not of one audience."""
        for name, value in (("user_object_id", user_object_id), ("client_id", client_id)):
            if not is_guid(value):
                raise ValueError(f"{name} must be a GUID, not {value!r}")
        audience, names = _split_scopes(TEAMS_SCOPES if scopes is None else scopes)
        issued_at = int(self._clock())
        claims = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{self._tenant_id}/",
            "iat": issued_at,
            "nbf": issued_at,
            "exp": int(issued_at + expires_in.total_seconds()),
            "appid": client_id,
            "oid": user_object_id,
            "scp": " ".join(names),
            "tid": self._tenant_id,
            "uti": secrets.token_urlsafe(16),
            "ver": "1.0",
        }
        return jwt.encode(claims, self._signing_key(), algorithm="RS256")

    def teams_user(self, token: str) -> EntraUser | None:
        """Whom a token for the Teams audience stands for; None if it is not valid."""
        claims = verified_claims(token, self._signing_key().public_key())
        if claims is None or claims.get("aud") != TEAMS_AUDIENCE:
            return None
        user, client, expires_at = (claims.get(name) for name in ("oid", "appid", "exp"))
        if not (isinstance(user, str) and isinstance(client, str) and isinstance(expires_at, int)):
            return None
        if expires_at <= self._clock():
            return None
        return EntraUser(user, client, expires_at)

    def _signing_key(self) -> rsa.RSAPrivateKey:
        with self._lock:
            if self._key is None:
                self._key = self._load_key()
            return self._key


def _split_scopes(scopes: Sequence[str]) -> tuple[str, list[str]]:
    """The audience of the scopes, and their names."""
    if isinstance(scopes, str) or not scopes:
        raise ValueError("scopes must be a non-empty list of str")
    audiences = {scope.rpartition("/")[0].rstrip("/") for scope in scopes}
    if len(audiences) != 1 or "" in audiences:
        raise ValueError(
            f"scopes must be URLs of one audience, such as {TEAMS_SCOPES[0]!r}, not {scopes!r}"
        )
    return audiences.pop(), [scope.rpartition("/")[2] for scope in scopes]
