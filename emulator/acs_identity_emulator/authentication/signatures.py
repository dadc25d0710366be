"""HMAC-SHA256 signatures of requests: how they are made, and why one may not match."""

import base64
import calendar
import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote

from ..contract.reasons import Reason, ReasonCode, shown_target, shown_text

_LONGEST_SHOWN = 4096  # characters of a string to sign


class Signed(NamedTuple):
    """What a signature covers, as sent."""

    method: str
    target: str
    date: str
    host: str
    content_hash: str


def string_to_sign(signed: Signed) -> str:
    method, target, date, host, content_hash = signed
    return f"{method}\n{target}\n{date};{host};{content_hash}"


def signature(key: bytes, text: str) -> bytes:
    """The signature as it stands in the Authorization header: base64 of HMAC-SHA256."""
    return base64.b64encode(hmac.digest(key, text.encode("utf-8", "surrogateescape"), "sha256"))


def content_hash(body: bytes) -> bytes:
    return base64.b64encode(hashlib.sha256(body).digest())


def with_final_slash(signed: Signed) -> Iterator[Signed]:
    """What official clients sign if their endpoint ends in ``/``, unlike what they send.

    Python 1.0 to 1.5 sign the slash as a part of the host, and before 1.4 the path without it.
    Clients that put the path after it sign ``//identities``, and some HTTP libraries send
    ``/identities`` then.
    """
    yield signed._replace(host=f"{signed.host}/")
    yield signed._replace(host=f"{signed.host}/", target=signed.target.removeprefix("/"))
    doubled = signed._replace(target=f"/{signed.target}")
    yield doubled
    yield doubled._replace(host=f"{signed.host}/")


def explain_mismatch(
    signed: Signed, sent: bytes, keys: Mapping[str, bytes], retired: Mapping[str, bytes]
) -> Reason:
    """Why no key made the signature `sent`: a retired key did, or it covers another string."""
    shown = string_to_sign(signed._replace(target=shown_target(signed.target)))
    details = f"string to sign: {shown[:_LONGEST_SHOWN]!a}"
    text = string_to_sign(signed)
    for key_id, key in retired.items():
        if hmac.compare_digest(sent, signature(key, text)):
            slot = key_id.partition("-")[0]
            reason = f"signed with a {slot} key that is not in force any more"
            return Reason(ReasonCode.UNKNOWN_KEY, reason, details)
    for mistake, variant in _common_mistakes(signed):
        text = string_to_sign(variant)
        if any(hmac.compare_digest(sent, signature(key, text)) for key in keys.values()):
            reason = f"the signature covers {mistake}"
            return Reason(ReasonCode.SIGNATURE, reason, details)
    reason = "the signature is made with another key, or over another string to sign"
    return Reason(ReasonCode.SIGNATURE, reason, details)


def _common_mistakes(signed: Signed) -> Iterator[tuple[str, Signed]]:
    path, _, query = signed.target.partition("?")
    yield "the decoded path", signed._replace(target=f"{unquote(path)}?{query}")
    encoded = quote(unquote(path), safe="/")
    yield "a path that is percent-encoded otherwise", signed._replace(target=f"{encoded}?{query}")
    yield "the path without its query", signed._replace(target=path)
    yield "the host without its port", signed._replace(host=signed.host.rpartition(":")[0])
    for scheme in ("http", "https"):
        url = f"{scheme}://{signed.host}{signed.target}"
        yield "the whole URL in place of path and query", signed._replace(target=url)
    yield "a method in lower case", signed._replace(method=signed.method.lower())


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_RFC_1123 = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT", re.ASCII
)


class MalformedDateError(ValueError):
    """A date that is not a valid RFC 1123 date."""


def parse_date(text: str) -> int:
    """The Unix time of an RFC 1123 date.

    :raises MalformedDateError: If the date is malformed, does not exist, or is another weekday.
    """
    seconds = _seconds(text)
    if isinstance(seconds, str):
        raise MalformedDateError(seconds)
    return seconds


@lru_cache(maxsize=64)
def _seconds(text: str) -> int | str:
    """Unix time, or the problem of the date."""
    parts = _RFC_1123.fullmatch(text)
    if parts is None:
        return f"{shown_text(text)} is not an RFC 1123 date in GMT"
    if parts[3] not in _MONTHS:
        return f"{shown_text(text)} has an unknown month"
    day, month, year = int(parts[2]), _MONTHS.index(parts[3]) + 1, int(parts[4])
    hour, minute, second = int(parts[5]), int(parts[6]), int(parts[7])
    if not (year and 1 <= day <= calendar.monthrange(year, month)[1]):
        return f"{shown_text(text)} is a day that does not exist"
    if hour > 23 or minute > 59 or second > 59:
        return f"{shown_text(text)} is a time that does not exist"
    weekday = _WEEKDAYS[calendar.weekday(year, month, day)]
    if parts[1] != weekday:
        return f"{shown_text(text)} is a {weekday}, not a {parts[1]}"
    return calendar.timegm((year, month, day, hour, minute, second))
