"""Verifies bearer tokens."""

import hashlib
import logging
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jwt
from jwt.exceptions import InvalidAudienceError, MissingRequiredClaimError, PyJWTError
from pydantic import BaseModel, ConfigDict, Field, model_validator

from .errors import NotSignedInError
from .scopes import AllowedScopes
from .signing_keys import KeySource, check_is_safe

_LOG = logging.getLogger(__name__)
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LARGEST_TOKEN = 16 * 1024
_VERIFIED_TOKENS = 50_000
_VERIFIED_SECONDS = 300


class IssuerOptions(BaseModel):
    """An OpenID Connect provider whose bearer tokens are accepted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str = Field("", description="the claim iss, exactly")
    audience: str = Field(
        description="the claim aud: the id of your API there; in v2.0 tokens of Entra its client id"
    )
    jwks_uri: str | None = Field(None, description="default: from its OpenID configuration")
    subject_claim: str = Field("sub", description="the claim that names a person for good")
    entra_tenant: str | None = Field(
        None,
        description="id (a GUID) of a Microsoft Entra tenant, instead of issuer, for tokens of "
        "version 2.0; people are named by oid",
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_in_entra(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("entra_tenant") and not values.get("issuer"):
            tenant = str(values["entra_tenant"]).lower()
            if not _GUID.fullmatch(tenant):
                # Tokens name the tenant by its id, however it was named when they were asked for.
                raise ValueError("entra_tenant must be the id of a tenant, a GUID, not a domain")
            return {
                "subject_claim": "oid",
                **values,
                "issuer": f"https://login.microsoftonline.com/{tenant}/v2.0",
            }
        return values

    @model_validator(mode="after")
    def _check(self) -> "IssuerOptions":
        check_is_safe(self.issuer)
        if self.jwks_uri is not None:
            check_is_safe(self.jwks_uri)
        return self


class SignedIn(NamedTuple):
    """The person of a bearer token."""

    issuer: str
    subject: str
    issued_at: float
    allowed_scopes: frozenset[str]


class Issuer(NamedTuple):
    options: IssuerOptions
    keys: KeySource


class _RejectedError(ValueError):
    """The message holds nothing of the token."""


def _reason(error: Exception) -> str:
    match error:
        case _RejectedError():
            return str(error)
        case MissingRequiredClaimError():
            return f"the claim {error.claim} is missing"
        case InvalidAudienceError():
            return "aud is not the audience in ACS_TOKEN_ISSUERS"
        case _:
            return type(error).__name__  # messages of libraries quote values


class Bearers:
    """Verifies tokens of the known issuers, each for its audience.

    A token that was verified is remembered by its hash for five minutes, since the signature of
    each request would otherwise cost more than the rest of it.

    :param leeway: Seconds by which the clock of an issuer may differ from ours.
    """

    def __init__(
        self,
        issuers: Sequence[Issuer],
        allowed_scopes: AllowedScopes,
        *,
        leeway: float = 60,
        clock: Callable[[], float],
    ) -> None:
        self._issuers = {issuer.options.issuer: issuer for issuer in issuers}
        self._allowed_scopes = allowed_scopes
        self._leeway = leeway
        self._clock = clock
        self._verified: OrderedDict[bytes, tuple[float, SignedIn]] = OrderedDict()

    async def verify(self, authorization: str | None) -> SignedIn:
        """Verifies the header ``Authorization`` of a request.

        :raises NotSignedInError: If there is no valid bearer token.
        :raises IssuerUnreachableError: If the token cannot be verified at the moment.
        """
        scheme, _, token = (authorization or "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise NotSignedInError("a bearer token is needed: Authorization: Bearer …")
        if len(token) > _LARGEST_TOKEN:
            raise NotSignedInError("the bearer token is too long")
        digest = hashlib.sha256(token.encode("utf-8", "replace")).digest()
        known = self._verified.get(digest)
        now = self._clock()
        if known is not None and now < known[0]:
            return known[1]
        signed_in, expires_at = await self._verify(token)
        self._verified[digest] = min(expires_at, now + _VERIFIED_SECONDS), signed_in
        self._verified.move_to_end(digest)
        if len(self._verified) > _VERIFIED_TOKENS:
            self._verified.popitem(last=False)
        return signed_in

    async def _verify(self, token: str) -> tuple[SignedIn, float]:
        try:
            return await self._decode(token)
        except (PyJWTError, ValueError, TypeError, RecursionError) as error:
            _LOG.debug("A bearer token was rejected: %s", _reason(error))
            raise NotSignedInError("the bearer token is not valid here, or has expired") from None

    async def _decode(self, token: str) -> tuple[SignedIn, float]:
        # Read before the signature is verified, to find the key; nothing else is done with them.
        header = jwt.get_unverified_header(token)
        unverified = jwt.decode(token, options={"verify_signature": False})
        issuer = self._issuers.get(str(unverified.get("iss")))
        if issuer is None:
            raise _RejectedError("the issuer is not in ACS_TOKEN_ISSUERS")
        key = await issuer.keys.find(header.get("kid"))
        if key is None:
            raise _RejectedError("the issuer does not publish the key that its kid names")
        claims = jwt.decode(
            token,
            key.key,
            algorithms=list(key.algorithms),
            audience=issuer.options.audience,
            issuer=issuer.options.issuer,
            leeway=self._leeway,
            options={"require": ["exp", "iat", "iss", "aud", issuer.options.subject_claim]},
        )
        subject = claims[issuer.options.subject_claim]
        if not isinstance(subject, str) or not 0 < len(subject) <= 255:
            raise _RejectedError("the subject is not a text of 1 to 255 characters")
        signed_in = SignedIn(
            issuer.options.issuer, subject, float(claims["iat"]), self._allowed_scopes(claims)
        )
        return signed_in, float(claims["exp"])
