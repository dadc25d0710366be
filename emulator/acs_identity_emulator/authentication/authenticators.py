"""Authentication of requests: by access key (HMAC), over the bytes as sent, or by Entra token.

An authenticator looks at a request and answers yes (a `Caller`), no (a `Refusal` with its reason)
or "not mine" (None): then the next authenticator is asked.
"""

import hmac
import re
from collections.abc import Callable, Mapping
from itertools import chain
from typing import NamedTuple, Protocol

from multidict import CIMultiDictProxy

from ..contract.errors import CONTENT_HASH_DIFFERS, DATE_TOO_FAR_OFF, DENIED
from ..contract.reasons import Reason, ReasonCode
from ..contract.versions import Operation
from ..state.clock import ServiceClock
from .entra import (
    CLIENTS_AUDIENCE,
    RESOURCE_AUDIENCE,
    TEAMS_AUDIENCES,
    EntraAuthority,
    EntraToken,
    InvalidEntraTokenError,
)
from .signatures import (
    MalformedDateError,
    Signed,
    content_hash,
    explain_mismatch,
    parse_date,
    signature,
    string_to_sign,
    with_final_slash,
)

ALLOWED_CLOCK_SKEW = 300.0  # seconds
ENTRA = "entra"  # stands for the id of a key if an Entra token authenticated the request


class WireRequest(NamedTuple):
    """A request as it was sent: nothing in it is decoded or normalised."""

    method: str
    target: str
    headers: CIMultiDictProxy[str]
    body: bytes
    is_secure: bool

    @property
    def origin(self) -> str:
        """Scheme and authority; what is not UTF-8 is replaced, so that an answer may quote it."""
        host = self.headers.get("Host", "")
        if not host.isascii():
            host = host.encode("utf-8", "replace").decode("utf-8")
        return f"https://{host}" if self.is_secure else f"http://{host}"


class Caller(NamedTuple):
    """An authenticated caller: the key that signed, or the Entra token."""

    key_id: str
    entra: EntraToken | None = None


class Refusal(NamedTuple):
    """Why a request is not authenticated; the client gets the message only."""

    reason: Reason
    message: str = DENIED


class Authenticator(Protocol):
    def authenticate(self, request: WireRequest) -> Caller | Refusal | None: ...


def why_not_authenticated(request: WireRequest) -> Reason:
    """The reason if every authenticator says "not mine"."""
    if "Authorization" in request.headers:
        text = "the Authorization header is neither HMAC-SHA256 nor Bearer"
        return Reason(ReasonCode.MALFORMED_CREDENTIALS, text)
    return Reason(ReasonCode.NO_CREDENTIALS, "the request has no Authorization header")


_SCHEME = "HMAC-SHA256 "
_CREDENTIALS = re.compile(r"\s*SignedHeaders=([^&]*)&Signature=([^&\s]+)\s*", re.ASCII)
# Clients before 2020-07-20 had to send Date, later ones send x-ms-date; SignedHeaders says which.
_DATE_HEADER_OF = {
    "x-ms-date;host;x-ms-content-sha256": "x-ms-date",
    "date;host;x-ms-content-sha256": "date",
}


class HmacAuthenticator:
    """Accepts requests that one of the access keys has signed, within five minutes."""

    def __init__(
        self,
        keys: Callable[[], Mapping[str, bytes]],
        retired: Callable[[], Mapping[str, bytes]],
        clock: ServiceClock,
    ) -> None:
        """
        :param keys: Called for every request: the bytes of the keys in force, by their ids.
        :param retired: The same for earlier keys, which explain rejections.
        """
        self._keys = keys
        self._retired = retired
        self._clock = clock

    def authenticate(self, request: WireRequest) -> Caller | Refusal | None:
        authorization = request.headers.get("Authorization", "")
        if not authorization.startswith(_SCHEME):
            return None
        credentials = _CREDENTIALS.fullmatch(authorization, len(_SCHEME))
        if credentials is None:
            text = "Authorization is not HMAC-SHA256 SignedHeaders=...&Signature=..."
            return _refused(ReasonCode.MALFORMED_CREDENTIALS, text)
        date_header = _DATE_HEADER_OF.get(credentials[1].lower())
        if date_header is None:
            text = f"SignedHeaders must be one of {', '.join(_DATE_HEADER_OF)}"
            return _refused(ReasonCode.MALFORMED_CREDENTIALS, text)
        for name in ("Authorization", "Host", "x-ms-content-sha256", date_header):
            count = len(request.headers.getall(name, ()))
            if count != 1:
                text = f"the header {name} is sent {count} times, not once"
                return _refused(ReasonCode.MALFORMED_CREDENTIALS, text)
        return self._check(request, date_header, _octets(credentials[2]))

    def _check(self, request: WireRequest, date_header: str, sent: bytes) -> Caller | Refusal:
        headers = request.headers
        date, sent_hash = headers[date_header], headers["x-ms-content-sha256"]
        try:
            sent_at = parse_date(date)
        except MalformedDateError as error:
            return _refused(ReasonCode.DATE, f"{date_header}: {error}")
        machine, service = self._clock.times_of_clients()
        ahead = min(sent_at - machine, sent_at - service, key=abs)
        if abs(ahead) > ALLOWED_CLOCK_SKEW:
            way = "ahead of" if ahead > 0 else "behind"
            text = f"{date_header} is {abs(ahead):.0f} s {way} the clock of the service"
            return _refused(ReasonCode.DATE, text, DATE_TOO_FAR_OFF)
        if not hmac.compare_digest(_octets(sent_hash), content_hash(request.body)):
            text = f"x-ms-content-sha256 is not of the {len(request.body)} bytes that arrived"
            return _refused(ReasonCode.CONTENT_HASH, text, CONTENT_HASH_DIFFERS)
        signed = Signed(request.method, request.target, date, headers["Host"], sent_hash)
        keys = self._keys()
        for accepted in chain((signed,), with_final_slash(signed)):  # the others lazily
            text = string_to_sign(accepted)
            for key_id, key in keys.items():
                if hmac.compare_digest(sent, signature(key, text)):
                    return Caller(key_id)
        return Refusal(explain_mismatch(signed, sent, keys, self._retired()))


class BearerAuthenticator:
    """Accepts Entra tokens over TLS; a token in the clear is rejected, whatever its audience."""

    def __init__(self, entra: EntraAuthority) -> None:
        self._entra = entra

    def authenticate(self, request: WireRequest) -> Caller | Refusal | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        count = len(request.headers.getall("Authorization"))
        if count != 1:
            text = f"the header Authorization is sent {count} times, not once"
            return _refused(ReasonCode.MALFORMED_CREDENTIALS, text)
        if not request.is_secure:
            return _refused(ReasonCode.UNENCRYPTED, "an Entra token is accepted over https only")
        try:
            return Caller(ENTRA, self._entra.verify(token.strip()))
        except InvalidEntraTokenError as error:
            return _refused(ReasonCode.ENTRA_TOKEN, str(error))


_USER_AUDIENCES = {
    Operation.EXCHANGE_TEAMS_EXTENSION: TEAMS_AUDIENCES,
    Operation.EXCHANGE_ENTRA: (CLIENTS_AUDIENCE,),
}


def why_not_allowed(caller: Caller, operation: Operation) -> Reason | None:
    """Why the operation does not accept these credentials; None if it does.

    The exchanges of the caller's own token take that token and nothing else; all other operations
    take an access key, or a token for the resource.
    """
    audiences = _USER_AUDIENCES.get(operation)
    if caller.entra is None:
        if audiences is None:
            return None
        text = f"{operation.value} takes the Entra token of the user, not an access key"
        return Reason(ReasonCode.WRONG_CREDENTIALS, text)
    expected = audiences or (RESOURCE_AUDIENCE,)
    if caller.entra.audience in expected:
        return None
    text = (
        f"the Entra token is for {caller.entra.audience!a}, "
        f"{operation.value} takes {' or '.join(expected)}"
    )
    return Reason(ReasonCode.WRONG_CREDENTIALS, text)


def _refused(code: ReasonCode, text: str, message: str = DENIED) -> Refusal:
    return Refusal(Reason(code, text), message)


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
