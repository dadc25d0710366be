"""A login for development, without passwords. Only on this machine, and only if enabled."""

import ipaddress
import time
import uuid
from collections.abc import Callable, Sequence

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from .bearer import Issuer, IssuerOptions
from .signing_keys import FixedKeys, SigningKey

ISSUER = "http://localhost/development"
AUDIENCE = "acs-token-service-development"
_LIFETIME = 60 * 60


def new_key() -> str:
    """A private key in PEM, which all workers of one service share."""
    return (
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        .decode()
    )


def load_key(pem: str) -> ec.EllipticCurvePrivateKey:
    """:raises ValueError: If the text is not a private key on P-256 in PEM. It is not shown."""
    try:
        key = serialization.load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise ValueError("expected a private key on the curve P-256 in PEM, without a password")
    return key


class DevelopmentLogin:
    """Issues bearer tokens for any name."""

    def __init__(self, key: str, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self._clock = clock

    @property
    def issuer(self) -> Issuer:
        public = load_key(self._key).public_key()
        document = jwt.get_algorithm_by_name("ES256").to_jwk(public, as_dict=True)
        options = IssuerOptions.model_validate({"issuer": ISSUER, "audience": AUDIENCE})
        return Issuer(options, FixedKeys({None: SigningKey({**document, "alg": "ES256"})}))

    def sign_in(self, name: str, roles: Sequence[str] = ()) -> str:
        now = int(self._clock())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": name,
            "roles": list(roles),
            "iat": now,
            "exp": now + _LIFETIME,
            "jti": str(uuid.uuid4()),
        }
        return jwt.encode(claims, self._key, algorithm="ES256")


def is_loopback(host: str | None) -> bool:
    """Whether a host name or address is this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
