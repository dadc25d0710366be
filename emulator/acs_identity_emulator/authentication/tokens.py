"""Communication access tokens: RS256 JWTs in the service's own form."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import jwt
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from jwt.algorithms import RSAAlgorithm

from ..state import unique

_encode = json.JSONEncoder(separators=(",", ":")).encode
_JWS = jwt.PyJWS()
_PADDING, _HASH = padding.PKCS1v15(), hashes.SHA256()
_SCP = 1792  # the number every recorded token carries


def generate_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key_to_pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode("ascii")


def key_from_pem(pem: str) -> rsa.RSAPrivateKey:
    """:raises ValueError: If the text is not an RSA private key."""
    key = serialization.load_pem_private_key(pem.encode("ascii"), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("expected an RSA private key")
    return key


class Lineage(NamedTuple):
    """The origin of a token, by which it can be revoked later.

    :param key_id: The access key that signed the request for the token.
    :param revocations: How often the identity's tokens had been revoked when it was issued; those
        of a Teams user cannot be.
    :param grant: The serial of the assignment that let the user get the token, 0 if none did.
    """

    key_id: str
    revocations: int = 0
    grant: int = 0


class Signable(Protocol):
    """A token but for its signature."""

    def signed(self) -> str:
        """The token, from any thread."""
        ...


class UnsignedToken:
    """A token but for its signature, which takes longer than everything else."""

    def __init__(self, header_and_claims: bytes, key: rsa.RSAPrivateKey) -> None:
        self._header_and_claims = header_and_claims
        self._key = key

    def signed(self) -> str:
        """The token, from any thread."""
        signature = self._key.sign(self._header_and_claims, _PADDING, _HASH)
        return (self._header_and_claims + b"." + _base64url(signature)).decode("ascii")


class TokenIssuer:
    """Issues access tokens of one resource, and recognises its own."""

    def __init__(self, key: rsa.RSAPrivateKey, resource_id: str, generation: int) -> None:
        """:param generation: How often the resource was emptied, which revokes all tokens."""
        self.generation = generation
        self._key = key
        self._public_key = key.public_key()
        self._resource_id = resource_id
        kid, x5t = key_names(self._public_key)
        header = {"alg": "RS256", "kid": kid, "x5t": x5t, "typ": "JWT"}
        # PyJWT writes typ and alg first; the service has this order.
        self._header = _segment(header)

    def issue(
        self, subject: str, scopes: Sequence[str], issued_at: int, expires_at: int, lineage: Lineage
    ) -> UnsignedToken:
        """A unique token, even within one second.

        :param subject: The identity without its leading `8:`.
        :param issued_at: Unix time.
        :param expires_at: Unix time.
        """
        key_id, revocations, grant = lineage
        unique_part = unique.octets(8).hex()
        claims = {
            "skypeid": subject,
            "scp": _SCP,
            "csi": str(issued_at),
            "exp": expires_at,
            "iat": issued_at,
            "acsScope": ",".join(scopes),
            "resourceId": self._resource_id,
            "jti": f"{key_id}.{revocations}.{self.generation}.{grant}.{unique_part}",
        }
        return UnsignedToken(self._header + b"." + _segment(claims), self._key)

    def jwks(self) -> dict[str, object]:
        """The JSON Web Key Set that verifies these tokens."""
        return jwks(self._public_key)

    def claims_of(self, token: str) -> dict[str, Any] | None:
        """The claims of a token of this generation, expired or not; None for any other token."""
        claims = verified_claims(token, self._public_key)
        if claims is None or _jti(claims)[2] != str(self.generation):
            return None
        return claims


def lineage_of(claims: dict[str, Any]) -> Lineage:
    """The lineage of a token, from the claims that `TokenIssuer.claims_of` returns."""
    key_id, revocations, _, grant, _ = _jti(claims)
    return Lineage(key_id, int(revocations), int(grant))


def _jti(claims: dict[str, Any]) -> list[str]:
    jti: str = claims["jti"]
    return jti.split(".")


def verified_claims(token: str, key: rsa.RSAPublicKey) -> dict[str, Any] | None:
    """The claims, if `key` signed the token; the caller, who has the clock, checks the times."""
    try:
        claims: dict[str, Any] = json.loads(_JWS.decode(token, key, algorithms=["RS256"]))
    except (jwt.PyJWTError, ValueError, RecursionError):  # the last from older PyJWT
        return None
    return claims


def key_names(key: rsa.RSAPublicKey) -> tuple[str, str]:
    """The `kid` and `x5t` of a key. The service has a certificate; here the key is hashed."""
    der = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    thumbprint = hashlib.sha256(der).digest()[:20]
    return thumbprint.hex().upper(), _base64url(thumbprint).decode("ascii")


def jwks(key: rsa.RSAPublicKey) -> dict[str, object]:
    """A JSON Web Key Set with this key."""
    kid, x5t = key_names(key)
    numbers = json.loads(RSAAlgorithm.to_jwk(key))
    shown = {
        "kty": "RSA",
        "use": "sig",
        "alg": "RS256",
        "kid": kid,
        "x5t": x5t,
        "n": numbers["n"],
        "e": numbers["e"],
    }
    return {"keys": [shown]}


def _segment(value: Mapping[str, object]) -> bytes:
    return _base64url(_encode(value).encode("ascii"))


def _base64url(octets: bytes) -> bytes:
    return base64.urlsafe_b64encode(octets).rstrip(b"=")
