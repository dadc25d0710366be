"""Emulates Microsoft Entra ID, which issues the tokens that callers exchange."""

import secrets
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import NamedTuple

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from ..contract.guids import check_guid
from .tokens import jwks, key_names, verified_claims

RESOURCE_AUDIENCE = "https://communication.azure.com"
CLIENTS_AUDIENCE = f"{RESOURCE_AUDIENCE}/clients"
_TEAMS_AUDIENCE = "https://auth.msft.communication.azure.com"
TEAMS_AUDIENCES = (_TEAMS_AUDIENCE, "https://auth.msft.communication.azure.us")  # public, GCC High
_TEAMS_SCOPES = (
    f"{_TEAMS_AUDIENCE}/Teams.ManageCalls",
    f"{_TEAMS_AUDIENCE}/Teams.ManageChats",
)


class EntraToken(NamedTuple):
    """The claims of a valid Entra token.

    All ids are in lower case.

    :param expires_at: Unix seconds.
    :param groups: The object ids of the groups that the user is in.
    """

    audience: str
    tenant_id: str
    object_id: str
    client_id: str
    expires_at: int
    groups: tuple[str, ...] = ()


class InvalidEntraTokenError(ValueError):
    """An Entra token that is not valid now; the message says why, without the token."""


class EntraAuthority:
    """Issues Entra tokens and verifies them."""

    def __init__(
        self,
        load_key: Callable[[], rsa.RSAPrivateKey],
        tenant_id: str,
        clock: Callable[[], float],
    ) -> None:
        """:param load_key: Called once, when a token is first issued or verified."""
        self.tenant_id = tenant_id
        self._load_key = load_key
        self._clock = clock
        self._key: rsa.RSAPrivateKey | None = None
        self._lock = threading.Lock()

    def issue(
        self,
        *,
        user_object_id: str,
        client_id: str,
        tenant_id: str | None,
        scopes: Sequence[str] | None,
        groups: Sequence[str],
        expires_in: timedelta,
    ) -> str:
        """A token of a user who has signed in to an application.

        :raises ValueError: If an id is not a GUID, or the scopes are not of one audience.
        """
        tenant_id = self.tenant_id if tenant_id is None else tenant_id
        ids = {"user_object_id": user_object_id, "client_id": client_id, "tenant_id": tenant_id}
        for name, value in (*ids.items(), *(("groups", group) for group in groups)):
            check_guid(name, value)
        audience, names = _split_scopes(_TEAMS_SCOPES if scopes is None else scopes)
        holder: dict[str, object] = {
            "appid": client_id,
            "oid": user_object_id,
            "scp": " ".join(names),
        }
        if groups:
            holder["groups"] = list(groups)
        return self._signed(audience, holder, tenant_id, expires_in)

    def issue_to_application(
        self,
        *,
        object_id: str,
        client_id: str,
        resource: str,
        expires_in: timedelta,
        tenant_id: str | None = None,
    ) -> str:
        """A token of an application itself, such as a managed identity."""
        holder: dict[str, object] = {"appid": client_id, "oid": object_id, "idtyp": "app"}
        return self._signed(resource, holder, tenant_id or self.tenant_id, expires_in)

    def verify(self, token: str) -> EntraToken:
        """The claims of a token.

        :raises InvalidEntraTokenError: If this authority did not sign it, or it has expired.
        """
        claims = verified_claims(token, self._signing_key().public_key())
        if claims is None:
            raise InvalidEntraTokenError(
                "it is not a JWT, or not signed by the Entra authority of this emulator"
            )
        expired_since = self._clock() - claims["exp"]
        if expired_since >= 0:
            raise InvalidEntraTokenError(f"the Entra token expired {expired_since:.0f} s ago")
        return EntraToken(
            audience=claims["aud"].rstrip("/"),
            tenant_id=claims["tid"].lower(),
            object_id=claims["oid"].lower(),
            client_id=claims["appid"].lower(),
            expires_at=claims["exp"],
            groups=tuple(group.lower() for group in claims.get("groups", ())),
        )

    def now(self) -> int:
        """Unix time by the clock of the tokens."""
        return int(self._clock())

    def _signed(
        self, audience: str, holder: dict[str, object], tenant_id: str, expires_in: timedelta
    ) -> str:
        issued_at = self.now()
        claims = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{tenant_id}/",
            "iat": issued_at,
            "nbf": issued_at,
            "exp": int(issued_at + expires_in.total_seconds()),
            **holder,
            "tid": tenant_id,
            "uti": secrets.token_urlsafe(16),
            "ver": "1.0",
        }
        key = self._signing_key()
        kid, x5t = key_names(key.public_key())
        return jwt.encode(claims, key, algorithm="RS256", headers={"kid": kid, "x5t": x5t})

    def jwks(self) -> dict[str, object]:
        """The JSON Web Key Set that verifies these tokens."""
        return jwks(self._signing_key().public_key())

    def _signing_key(self) -> rsa.RSAPrivateKey:
        with self._lock:
            if self._key is None:
                self._key = self._load_key()
            return self._key


def _split_scopes(scopes: Sequence[str]) -> tuple[str, list[str]]:
    """The audience of the scopes, and their names."""
    if isinstance(scopes, str) or not scopes:
        raise ValueError("scopes must be a non-empty list of URLs")
    audiences = {scope.rpartition("/")[0].rstrip("/") for scope in scopes}
    if len(audiences) != 1 or "" in audiences:
        raise ValueError(
            f"scopes must be URLs of one audience, such as {_TEAMS_SCOPES[0]!r}, not {scopes!r}"
        )
    return audiences.pop(), [scope.rpartition("/")[2] for scope in scopes]
