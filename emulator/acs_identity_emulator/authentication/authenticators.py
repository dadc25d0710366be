"""Who calls: by access key (HMAC), checked against the bytes that came over the wire, or by Entra.

An authenticator looks at a request and answers yes (a `Caller`), no (a `Refusal` with its reason)
or "not mine" (None), whereupon the next one is asked.
"""

import base64
import calendar
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple, Protocol

from multidict import CIMultiDictProxy

from ..contract.errors import CONTENT_HASH_DIFFERS, DATE_TOO_FAR_OFF, DENIED
from ..contract.versions import Operation
from .entra import (
    CLIENTS_AUDIENCE,
    RESOURCE_AUDIENCE,
    TEAMS_AUDIENCES,
    EntraAuthority,
    EntraToken,
)

ALLOWED_CLOCK_SKEW = 300.0  # seconds
ENTRA = "entra"  # in place of the id of a key, where an Entra token vouched for the request


class WireRequest(NamedTuple):
    """A request as it was sent: nothing in it is decoded or normalised."""

    method: str
    target: str
    headers: CIMultiDictProxy[str]
    body: bytes
    is_secure: bool


class Caller(NamedTuple):
    """An authenticated caller: the key that signed for it, or else the Entra token it holds."""

    key_id: str
    entra: EntraToken | None = None


class Refusal(NamedTuple):
    reason: str


class Authenticator(Protocol):
    def authenticate(self, request: WireRequest) -> Caller | Refusal | None: ...


_SCHEME = "HMAC-SHA256 "
_CREDENTIALS = re.compile(r"\s*SignedHeaders=([^&]*)&Signature=([^&\s]+)\s*", re.ASCII)
# Clients before 2020-07-20 had to send Date, today's send x-ms-date; SignedHeaders says which.
_DATE_HEADER_OF = {
    "x-ms-date;host;x-ms-content-sha256": "x-ms-date",
    "date;host;x-ms-content-sha256": "date",
}


def string_to_sign(method: str, target: str, date: str, host: str, content_hash: str) -> str:
    return f"{method}\n{target}\n{date};{host};{content_hash}"


def signature(key: bytes, text: str) -> bytes:
    """The signature as it stands in the Authorization header: base64 of HMAC-SHA256."""
    return base64.b64encode(hmac.digest(key, text.encode("utf-8", "surrogateescape"), "sha256"))


def content_hash(body: bytes) -> bytes:
    return base64.b64encode(hashlib.sha256(body).digest())


class HmacAuthenticator:
    """Accepts requests that one of the access keys has signed, within five minutes."""

    def __init__(self, keys: Callable[[], Mapping[str, bytes]], clock: Callable[[], float]) -> None:
        """`keys` gives the bytes of the keys in force by their ids, anew for every request."""
        self._keys = keys
        self._clock = clock

    def authenticate(self, request: WireRequest) -> Caller | Refusal | None:
        authorization = request.headers.get("Authorization", "")
        if not authorization.startswith(_SCHEME):
            return None
        credentials = _CREDENTIALS.fullmatch(authorization, len(_SCHEME))
        if credentials is None:
            return Refusal(DENIED)
        date_header = _DATE_HEADER_OF.get(credentials[1].lower())
        if date_header is None or _is_ambiguous(request.headers, date_header):
            return Refusal(DENIED)
        return self._check(request, request.headers[date_header], credentials[2])

    def _check(self, request: WireRequest, date: str, sent_signature: str) -> Caller | Refusal:
        sent_at = _seconds(date)
        if sent_at is None:
            return Refusal(DENIED)
        if abs(self._clock() - sent_at) > ALLOWED_CLOCK_SKEW:
            return Refusal(DATE_TOO_FAR_OFF)
        sent_hash = request.headers["x-ms-content-sha256"]
        if not hmac.compare_digest(_octets(sent_hash), content_hash(request.body)):
            return Refusal(CONTENT_HASH_DIFFERS)
        text = string_to_sign(
            request.method, request.target, date, request.headers["Host"], sent_hash
        )
        sent = _octets(sent_signature)
        for key_id, key in self._keys().items():
            if hmac.compare_digest(sent, signature(key, text)):
                return Caller(key_id)
        return Refusal(DENIED)


class BearerAuthenticator:
    """Accepts Entra tokens over TLS: a token in the clear is refused, whoever it is for."""

    def __init__(self, entra: EntraAuthority) -> None:
        self._entra = entra

    def authenticate(self, request: WireRequest) -> Caller | Refusal | None:
        authorization = request.headers.getall("Authorization", ())
        scheme, _, token = authorization[0].partition(" ") if authorization else ("", "", "")
        if scheme.lower() != "bearer":
            return None
        if len(authorization) != 1 or not request.is_secure:
            return Refusal(DENIED)
        verified = self._entra.verified(token.strip())
        return Refusal(DENIED) if verified is None else Caller(ENTRA, verified)


_USER_AUDIENCES = {
    Operation.EXCHANGE_TEAMS_EXTENSION: TEAMS_AUDIENCES,
    Operation.EXCHANGE_ENTRA: (CLIENTS_AUDIENCE,),
}


def may_call(caller: Caller, operation: Operation) -> bool:
    """Whether the operation takes credentials of this kind.

    The two exchanges of the caller's own token take that token and nothing else; all other
    operations take an access key or a token for the resource.
    """
    audiences = _USER_AUDIENCES.get(operation)
    if caller.entra is None:
        return audiences is None
    return caller.entra.audience in (audiences or (RESOURCE_AUDIENCE,))


def _is_ambiguous(headers: CIMultiDictProxy[str], date_header: str) -> bool:
    """Whether a header that decides is missing or sent more than once."""
    return any(
        len(headers.getall(name, ())) != 1
        for name in ("Authorization", "Host", "x-ms-content-sha256", date_header)
    )


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_RFC_1123 = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT", re.ASCII
)


@lru_cache(maxsize=64)
def _seconds(date: str) -> int | None:
    """Unix time of an RFC 1123 date, None if it is none."""
    parts = _RFC_1123.fullmatch(date)
    if parts is None or parts[2] not in _MONTHS:
        return None
    day, month, year = int(parts[1]), _MONTHS.index(parts[2]) + 1, int(parts[3])
    hour, minute, second = int(parts[4]), int(parts[5]), int(parts[6])
    if not (year and 1 <= day <= calendar.monthrange(year, month)[1]):
        return None
    if hour > 23 or minute > 59 or second > 59:
        return None
    return calendar.timegm((year, month, day, hour, minute, second))
