"""The faults of well-formed responses: bodies, statuses, waits, redirects, mixed-up answers."""

import gzip
import json
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

from faults.endings import Ending
from faults.scripts import (
    SECRET,
    another,
    answers_twice,
    body,
    ends_with,
    later,
    sends,
    status,
)
from faults.server import Script, good, good_body, good_head, whole, without_ids
from faults.table import STOCK, Fault, at, row

_TOKEN = SECRET.decode()
_DEEP = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
_BOMB = gzip.compress(b"\0" * 17 * 2**20)
_NOW = datetime.now(timezone.utc)


def _coded(coding: str, change: Callable[[bytes], bytes]) -> Script:
    return sends(
        lambda request: whole(
            good_head(request), change(good_body(request)), f"Content-Encoding: {coding}"
        )
    )


_NOT_NOTICED = at(STOCK, "does not notice it", Ending.SUCCESS, Ending.INVALID_BODY)
_NO_LIMIT = at(STOCK, "decompresses all of it", Ending.INVALID_BODY)
_ONLY_RAW = at("AioHttpTransport", "expects no zlib header", Ending.NO_RESPONSE)

CODINGS: list[Fault] = [
    row(f"{coding} {name}".rstrip(), _coded(coding, change), ending, needs_body=True, **rest)
    for coding, name, change, ending, rest in (
        ("gzip", "damaged", lambda b: SECRET, Ending.NO_RESPONSE, {}),
        (
            "gzip",
            "damaged later",
            lambda b: gzip.compress(b)[:20] + b"x" * 99,
            Ending.NO_RESPONSE,
            {},
        ),
        (
            "gzip",
            "cut short",
            lambda b: gzip.compress(b)[:-9],
            Ending.NO_RESPONSE,
            {"elsewhere": _NOT_NOTICED},
        ),
        (
            "gzip",
            "bomb",
            lambda b: _BOMB,
            Ending.NO_RESPONSE,
            {"elsewhere": _NO_LIMIT},
        ),
        ("gzip", "twice", lambda b: gzip.compress(gzip.compress(b)), Ending.INVALID_BODY, {}),
        ("gzip", "", gzip.compress, Ending.SUCCESS, {}),
        ("deflate", "damaged", lambda b: b"\x78\x9c" + SECRET, Ending.NO_RESPONSE, {}),
        (
            "deflate",
            "cut short",
            lambda b: zlib.compress(b)[:-9],
            Ending.NO_RESPONSE,
            {"elsewhere": at("requests", "does not notice it", Ending.INVALID_BODY)},
        ),
        ("deflate", "", zlib.compress, Ending.SUCCESS, {"elsewhere": _ONLY_RAW}),
        ("br", "that was not asked for", lambda b: b"\x8b" + b, Ending.INVALID_BODY, {}),
    )
]


def _answer(**changes: object) -> Script:
    """A success whose token, or identity, is changed."""

    def data(request: bytes) -> bytes:
        found = json.loads(good_body(request))
        target = found.get("identity", found)
        target.update({name: value for name, value in changes.items() if name in target})
        return whole(good_head(request), json.dumps(found).encode())

    return sends(data)


BODIES: list[Fault] = [
    row(f"body {name}", body(content), Ending.INVALID_BODY, needs_body=True)
    for name, content in (
        ("not JSON", b'{"token": "' + SECRET),
        ("empty", b""),
        ("of HTML", b"<html>" + SECRET),
        ("an array", b'["' + SECRET + b'"]'),
        ("null", b"null"),
        ("nested 100,000 deep", _DEEP),
        ("nested 100,000 deep in arrays", b"[" * 100_000),
        ("with a number of 5000 digits", b'{"token": ' + b"9" * 5000 + b"}"),
        ("without fields", b"{}"),
        ("with wrong types", b'{"identity": [], "token": 5, "value": {}, "expiresOn": []}'),
        ("of null characters", b"\0" * 50),
        ("invalid UTF-8", b'{"token": "\xff\xfe' + SECRET),
    )
]
BODIES += [
    row(
        f"charset {charset}",
        sends(
            lambda request, charset=charset: whole(  # type: ignore[misc]
                good_head(request).replace(b"json", b"json; charset=" + charset.encode()),
                good_body(request),
            )
        ),
        Ending.SUCCESS,
        needs_body=True,
    )
    for charset in ("unknown", "utf-16", "rot13", "\\0")
]
BODIES += [
    row("token empty", _answer(token=""), Ending.INVALID_BODY, operations=("issue",)),
    row("token of spaces", _answer(token="  "), Ending.INVALID_BODY, operations=("issue",)),
    row("token null", _answer(token=None), Ending.INVALID_BODY, operations=("issue",)),
    row("id empty", _answer(id=""), Ending.INVALID_BODY, operations=("create", "create by id")),
    row(
        "token expired",
        sends(
            lambda request: whole(
                good_head(request) + f"Date: {format_datetime(_NOW, usegmt=True)}\r\n".encode(),
                b'{"token": "%b", "expiresOn": "2020-01-01T00:00:00Z"}' % SECRET,
            )
        ),
        Ending.INVALID_BODY,
        operations=("issue",),
    ),
]
BODIES += [
    row(f"expiry {name}", _answer(expiresOn=value), Ending.INVALID_BODY, operations=("issue",))
    for name, value in (
        ("in milliseconds", 4070908800000),
        ("as text", "soon"),
        ("of year 10000", "10000-01-01T00:00:00Z"),
        ("in month 13", "2099-13-01T00:00:00Z"),
        ("in ms as text", "4070908800000"),
    )
]
BODIES += [
    row(
        f"next page {name}",
        body(json.dumps({"value": [], "nextLink": link}).encode()),
        Ending.INVALID_BODY,
        operations=("list",),
    )
    for name, link in (
        ("on another host", f"http://elsewhere.invalid/{_TOKEN}"),
        ("without a host", "http://[::1"),
        ("with two dots", "http://a..b/"),
        ("not a URL", 5),
    )
]

_LASTING = {
    "400": Ending.FINAL,
    "401": Ending.UNAUTHORIZED,
    "403": Ending.FINAL,
    "404": Ending.NOT_FOUND,
}
_LASTING |= {
    "409": Ending.EXISTS,
    "410": Ending.FINAL,
    "418": Ending.FINAL,
    "520": Ending.FINAL,
    "501": Ending.FINAL,
}
_TRANSIENT = {"429": Ending.REJECTED, "503": Ending.REJECTED}
_TRANSIENT |= dict.fromkeys(("408", "500", "502", "504"), Ending.TRANSIENT)

STATUSES: list[Fault] = [
    row(f"status {code}", status(f"{code} X"), ending)
    for code, ending in (_LASTING | _TRANSIENT).items()
]
STATUSES += [
    row(f"status 400 with {name}", status("400 Bad Request", content=content), Ending.FINAL)
    for name, content in (
        ("HTML", b"<html>"),
        ("deep JSON", _DEEP),
        ("wrong types", b'{"error": {"code": [], "details": 5, "innererror": "a"}}'),
        ("an array", b"[1]"),
        ("a number of 5000 digits", b'{"error": ' + b"9" * 5000 + b"}"),
        ("invalid UTF-8", b"\xff\xfe\xff"),
    )
]
STATUSES += [
    row("status 206", status("206 Partial"), Ending.FINAL),
    row("status 202", status("202 Accepted"), Ending.FINAL),
    *(
        row(
            f"claims challenge that is {name}",
            status(
                "401 X", f'WWW-Authenticate: Bearer error="insufficient_claims", claims="{claims}"'
            ),
            Ending.UNAUTHORIZED,
        )
        for name, claims in (("not ASCII", "\xe9"), ("not base64", "a"), ("not UTF-8", "_w=="))
    ),
]

WAITS: list[Fault] = [
    row(f"Retry-After: {name}", status("503 X", *(f"Retry-After: {v}" for v in values)), ending)
    for name, values, ending in (
        ("soon", ["soon"], Ending.REJECTED),
        ("empty", [""], Ending.REJECTED),
        ("twice", ["1", "1"], Ending.REJECTED),
        ("-5", ["-5"], Ending.REJECTED),
        ("nan", ["nan"], Ending.REJECTED),
        ("0", ["0"], Ending.REJECTED),
        ("a past date", ["Sun, 06 Nov 1994 08:49:37 GMT"], Ending.REJECTED),
        ("a malformed date", ["Sun, 99 Nov 1994 08:49:37 GMT"], Ending.REJECTED),
        ("inf", ["inf"], Ending.FAR_RETRY),
        ("1e400", ["1e400"], Ending.FAR_RETRY),
        ("a billion", ["1000000000"], Ending.FAR_RETRY),
        ("5000 digits", ["9" * 5000], Ending.FAR_RETRY),
        (
            "a date to come",
            [format_datetime(_NOW + timedelta(days=9), usegmt=True)],
            Ending.FAR_RETRY,
        ),
        ("year 9999", ["Fri, 31 Dec 9999 23:59:59 GMT"], Ending.FAR_RETRY),
    )
]

_PARSED = at("requests", "parses the location, and fails", Ending.NO_RESPONSE)

REDIRECTS: list[Fault] = [
    row(
        f"redirect to {location}",
        status("307 Temporary Redirect", f"Location: {location}"),
        Ending.REDIRECT,
        elsewhere=_PARSED if "[" in location else {},
    )
    for location in ("http://elsewhere.invalid/", "/", "http://[::1", "http://a..b/")
]
REDIRECTS += [
    row(
        f"followed redirect to {location or 'nothing'}",
        status("307 Temporary Redirect", *([f"Location: {location}"] if location else [])),
        Ending.REDIRECT,
        options={"permit_redirects": True},
        elsewhere=_PARSED if "[" in location else {},
        operations=("issue",),  # it has a body, which goes nowhere else
    )
    for location in ("http://elsewhere.invalid/", "http://[::1", "http://a..b/", "ftp://a/", "")
]
REDIRECTS += [
    row(
        "redirect to itself",
        status("307 Temporary Redirect", "Location: /again"),
        Ending.LOOP,
        options={"permit_redirects": True},
    )
]

# What is sent again on another connection succeeds.
_MIXED_UP = (Ending.SUCCESS, Ending.NO_RESPONSE)
_BY_SPEED = "whether the connection has ended, or is known to be spoiled, when it is used again"

_NOT_SEEN = at(
    ("AioHttpTransport", "aiohttp.ClientSession"), "takes what it finds on an idle connection"
)

ANSWERS: list[Fault] = [
    row("answer to another request", sends(another), Ending.NO_RESPONSE),
    *(
        row(name, script, *_MIXED_UP, race=_BY_SPEED, calls=3)
        for name, script in (
            ("two answers at once", sends(answers_twice)),
            ("an answer unasked", later(another)),
            ("garbage unasked", later(lambda r: SECRET)),
            ("garbage after an answer", sends(lambda r: good(r) + SECRET)),
            ("closed after an answer", sends(good, "close")),
        )
    ),
    *(
        row(f"{name} without ids", script, *_MIXED_UP, race=_BY_SPEED, calls=3, **details)
        for name, script, details in (
            ("two answers at once", sends(lambda r: without_ids(answers_twice(r))), {}),
            (
                "an answer unasked",
                later(lambda r: without_ids(another(r)), waits=False),
                {"pause": 0.1, "elsewhere": _NOT_SEEN},
            ),
        )
    ),
    row(
        "the second answer to another request",
        ends_with(sends(another)),
        *_MIXED_UP,
        race=_BY_SPEED,
        calls=2,
    ),
]
