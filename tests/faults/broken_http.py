"""The faults of connections and of HTTP, by where they happen."""

from importlib.metadata import version

from faults.endings import Ending
from faults.scripts import (
    CHUNKED,
    LINE,
    SECRET,
    drips,
    ends_with,
    floods,
    head,
    raw,
    sends,
    status,
)
from faults.server import good, good_body, good_head
from faults.table import STOCK, Fault, at, row
from transports.raw_server import drip, send_and_close, send_and_hang, send_and_reset

_EARLY = (Ending.NO_RESPONSE, Ending.NO_CONNECTION)
_BY_SPEED = "whether the client sends its request before the server acts"

# requests raises the same exception for a connection that breaks in the handshake and after it.
_SAME_EXCEPTION = "tells no handshake from a response"
_IN_HANDSHAKE = at("requests", _SAME_EXCEPTION, Ending.NO_RESPONSE)

CONNECTION: list[Fault] = [
    row("refused", None, Ending.NO_CONNECTION),
    row("unknown host", None, Ending.NO_CONNECTION, place="direct", endpoint="http://a.invalid"),
    row("queue full", None, Ending.NO_CONNECTION_IN_TIME, endpoint="full"),
    row("closed on accept", raw(send_and_close(b"")), *_EARLY, race=_BY_SPEED, greets=True),
    row("reset on accept", raw(send_and_reset(b"")), *_EARLY, race=_BY_SPEED, greets=True),
    row(
        "greets",
        raw(send_and_close(b"SSH-2.0 " + SECRET + LINE)),
        *_EARLY,
        race=_BY_SPEED,
        greets=True,
    ),
    row("silence on accept", raw(send_and_hang(b"")), Ending.NO_RESPONSE_IN_TIME, greets=True),
    row("closed", raw(send_and_close(b"")), Ending.NO_RESPONSE),
    row("reset", raw(send_and_reset(b"")), Ending.NO_RESPONSE),
    row("silence", raw(send_and_hang(b"")), Ending.NO_RESPONSE_IN_TIME),
    row("silence past the deadline", raw(send_and_hang(b"")), Ending.DEADLINE, timeout=1.0),
    row(
        "closed when idle",
        ends_with(raw(send_and_close(b""))),
        Ending.SUCCESS,
        Ending.NO_RESPONSE,
        race="whether the client sees the end before it sends",
        calls=2,
    ),
]

TLS: list[Fault] = [
    row("unknown authority", None, Ending.CANNOT_SUCCEED, certificate="unknown", place="tls"),
    row("another host", None, Ending.CANNOT_SUCCEED, certificate="another", place="tls"),
    row("expired certificate", None, Ending.CANNOT_SUCCEED, certificate="expired", place="tls"),
    row(
        "closed in handshake",
        raw(send_and_close(b"")),
        Ending.NO_CONNECTION,
        place="tls",
        greets=True,
        elsewhere=_IN_HANDSHAKE,
    ),
    row(
        "reset in handshake",
        raw(send_and_reset(b"")),
        Ending.NO_CONNECTION,
        place="tls",
        greets=True,
        elsewhere=at("requests", _SAME_EXCEPTION, Ending.NO_RESPONSE, Ending.NO_CONNECTION),
    ),
    row(
        "silence in handshake",
        raw(send_and_hang(b"")),
        Ending.NO_CONNECTION_IN_TIME,
        place="tls",
        greets=True,
        elsewhere=at("requests", _SAME_EXCEPTION, Ending.NO_RESPONSE_IN_TIME),
    ),
    row(
        "http instead of a handshake",
        raw(send_and_close(b"HTTP/1.1 400 " + SECRET + LINE + LINE)),
        Ending.NO_CONNECTION,
        place="tls",
        greets=True,
        elsewhere=_IN_HANDSHAKE,
    ),
    row(
        "an alert",
        raw(send_and_close(b"\x15\x03\x03\x00\x02\x02\x28")),
        Ending.NO_CONNECTION,
        place="tls",
        greets=True,
        elsewhere=_IN_HANDSHAKE,
    ),
]

TUNNEL: list[Fault] = [
    row(
        "proxy wants a password",
        status("407 Proxy Authentication Required", "Proxy-Authenticate: Basic"),
        Ending.CANNOT_SUCCEED,
        place="tunnel",
    ),
    row("proxy fails", status("502 " + SECRET.decode()), Ending.NO_CONNECTION, place="tunnel"),
    row("proxy closes", raw(send_and_close(b"")), Ending.NO_CONNECTION, place="tunnel"),
    row("proxy resets", raw(send_and_reset(b"")), Ending.NO_CONNECTION, place="tunnel"),
    row("proxy is silent", raw(send_and_hang(b"")), Ending.NO_CONNECTION_IN_TIME, place="tunnel"),
    row(
        "proxy is malformed",
        raw(send_and_close(SECRET + LINE)),
        Ending.NO_CONNECTION,
        place="tunnel",
    ),
    row(
        "proxy drips",
        drips(b"a", b"X: "),
        Ending.NO_CONNECTION_BY_DEADLINE,
        place="tunnel",
        timeout=1.0,
    ),
    row(
        "tunnel leads nowhere",
        raw(send_and_close(b"HTTP/1.1 200 OK\r\n\r\n")),
        Ending.NO_CONNECTION,
        place="tunnel",
    ),
]

STATUS_LINE: list[Fault] = [
    row(f"status line, {then}", sends(b"HTTP/1.1 2", then), ending)
    for then, ending in (
        ("close", Ending.NO_RESPONSE),
        ("reset", Ending.NO_RESPONSE),
        ("hang", Ending.NO_RESPONSE_IN_TIME),
    )
]
STATUS_LINE += [
    row(f"status line: {name}", sends(line + b"\r\nContent-Length: 2\r\n\r\n{}", "hang"), ending)
    for name, line, ending in (
        ("no HTTP", b"SSH-2.0-" + SECRET, Ending.NO_RESPONSE),
        ("a token", SECRET, Ending.NO_RESPONSE),
        ("version 7.3", b"HTTP/7.3 200 OK", Ending.NO_RESPONSE),
        ("status 999999", b"HTTP/1.1 999999 OK", Ending.NO_RESPONSE),
        ("status -200", b"HTTP/1.1 -200 OK", Ending.NO_RESPONSE),
        ("status abc", b"HTTP/1.1 abc " + SECRET, Ending.NO_RESPONSE),
        ("no status", b"HTTP/1.1", Ending.NO_RESPONSE),
        ("a TLS alert", b"\x15\x03\x01\x00\x02\x02\x50", Ending.NO_RESPONSE),
        ("null characters", b"\0" * 10, Ending.NO_RESPONSE),
    )
]
# The response has no body: aiohttp keeps its connection, on which the server is silent.
_KEPT = at(
    "aiohttp.ClientSession", "keeps the connection", Ending.NO_RESPONSE, Ending.NO_RESPONSE_IN_TIME
)

STATUS_LINE += [
    row(
        "status line: no head", sends(b'{"token": "' + SECRET + b'"}', "close"), Ending.NO_RESPONSE
    ),
    row(
        "status line: a megabyte",
        sends(b"HTTP/1.1 200 " + b"a" * 2**20, "close"),
        Ending.NO_RESPONSE,
    ),
    row(
        "status line: status 99",
        sends(b"HTTP/1.1 099 OK\r\nContent-Length: 2\r\n\r\n{}", "hang"),
        Ending.NO_RESPONSE,
        elsewhere=_KEPT | at("AioHttpTransport", "takes any status", Ending.FINAL),
    ),
    row(
        "status line: drips",
        sends(b"HTTP/1.1 200 O", "stay"),
        Ending.NO_RESPONSE_IN_TIME,
    ),
]

HEADERS: list[Fault] = [
    row(
        "headers, close",
        head(b"X-A: b\r\n", "close"),
        Ending.NO_RESPONSE,
        elsewhere=at("requests", "takes the end of a connection for that of the headers"),
    ),
    row("headers, reset", head(b"X-A: b\r\n", "reset"), Ending.NO_RESPONSE),
    row("headers, hang", head(b"X-A: b\r\n"), Ending.NO_RESPONSE_IN_TIME),
    row("headers: drip", drips(b"a", b"X: "), Ending.DEADLINE, timeout=1.0),
    row(
        "headers: no colon",
        head(b"X-Token " + SECRET + LINE + LINE),
        Ending.NO_RESPONSE,
        elsewhere=at("requests", "ignores the line, and logs it"),
    ),
    row(
        "headers: no colon, endless",
        floods(b"X-Token\r\n" * 999),
        Ending.NO_RESPONSE,
    ),
    row("headers: a line of a megabyte", floods(b"a" * 65536, b"X: "), Ending.NO_RESPONSE),
    row("headers: endless", floods(b"X-Many: 1\r\n" * 999), Ending.NO_RESPONSE),
    row("headers: endless folded", floods(b" aaaaaaaa\r\n" * 999, b"X: 1\r\n"), Ending.NO_RESPONSE),
    row(
        "headers: 80,000 folded lines",
        sends(lambda request: good_head(request) + b"X: 1\r\n" + b" a\r\n" * 80_000 + LINE),
        Ending.NO_RESPONSE,
        needs_body=True,
    ),
    row(
        "headers: begin folded",
        sends(lambda r: good_head(r).partition(LINE)[0] + b"\r\n X: a\r\n\r\n", "close"),
        Ending.NO_RESPONSE,
        elsewhere=at(("aiohttp", "requests"), "ignores the line", Ending.INVALID_BODY),
        needs_body=True,
    ),
    *(
        row(
            f"{status} without an end",
            raw(drip(b"", b"HTTP/1.1 %d X\r\n\r\n" % status * 99, pause=0.001)),
            Ending.NO_RESPONSE,
            elsewhere={
                **at("aiohttp", "counts none of their bytes", Ending.NO_RESPONSE_IN_TIME),
                **at("AioHttpTransport", "has no timeout after the first"),
                **at("requests", "has no limit for 100, and takes 103 for the response"),
            },
        )
        for status in (100, 103)
    ),
    row(
        "101",
        sends(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "hang"),
        Ending.NO_RESPONSE,
        elsewhere=_KEPT | at(STOCK, "takes it for the response", Ending.FINAL),
    ),
    row(
        "100 and 103 before the response",
        sends(lambda r: b"HTTP/1.1 100 A\r\n\r\nHTTP/1.1 103 B\r\nLink: a\r\n\r\n" + good(r)),
        Ending.SUCCESS,
        elsewhere=at("requests", "takes 103 for the response", Ending.FINAL),
    ),
]


_IGNORED = at("requests", "ignores the length", Ending.NO_RESPONSE_IN_TIME)
_UNLIMITED = at(STOCK, "reads a body of any length", Ending.NO_RESPONSE_IN_TIME)
_FILLS_THE_MEMORY = at(STOCK, "reads a body of any length")
_LIMITS_LINES = tuple(map(int, version("urllib3").split(".")[:2])) >= (2, 8)
_READS_LONG_LINES = {} if _LIMITS_LINES else at("requests", "reads a line of any length")

LENGTHS: list[Fault] = [
    row(
        f"length of {name}",
        head(b"Content-Length: %b\r\n\r\n{" % value),
        Ending.NO_RESPONSE,
        elsewhere=elsewhere,
    )
    for name, value, elsewhere in (
        ("10**12", b"1000000000000", _UNLIMITED),
        ("5000 digits", b"9" * 5000, _IGNORED),
        ("-5", b"-5", _IGNORED),
        ("abc", b"abc", _IGNORED),
        ("+5", b"+5", _IGNORED),
        ("5 and 6", b"5\r\nContent-Length: 6", {}),
    )
]
LENGTHS += [
    row("length, close", head(b"Content-Length: 99\r\n\r\n{", "close"), Ending.NO_RESPONSE),
    row("length, reset", head(b"Content-Length: 99\r\n\r\n{", "reset"), Ending.NO_RESPONSE),
    row("length, hang", head(b"Content-Length: 99\r\n\r\n{"), Ending.NO_RESPONSE_IN_TIME),
    row("body drips", drips(b"a", b"Content-Length: 999\r\n\r\n"), Ending.DEADLINE, timeout=1.0),
    row(
        "gigabyte with a length",
        floods(b"a" * 2**20, b"Content-Length: 1000000000\r\n\r\n"),
        Ending.NO_RESPONSE,
        elsewhere=_FILLS_THE_MEMORY,
    ),
    row(
        "gigabyte to the end",
        floods(b"a" * 2**20, LINE),
        Ending.NO_RESPONSE,
        elsewhere=_FILLS_THE_MEMORY,
    ),
    row(
        "length too short",
        sends(
            lambda request: good_head(request) + b"Content-Length: 5\r\n\r\n" + good_body(request)
        ),
        Ending.INVALID_BODY,
        elsewhere=at("aiohttp", "rejects a response with bytes behind it", Ending.NO_RESPONSE),
    ),
]
LENGTHS = [fault._replace(needs_body=True) for fault in LENGTHS]


CHUNKS: list[Fault] = [
    row(f"chunk {name}", head(CHUNKED + data, then), ending, needs_body=True)
    for name, data, then, ending in (
        ("not a number", b"x\r\n{}\r\n0\r\n\r\n", "hang", Ending.NO_RESPONSE),
        ("negative", b"-5\r\n{}\r\n0\r\n\r\n", "hang", Ending.NO_RESPONSE),
        ("huge", b"f" * 5000 + b"\r\n{}", "close", Ending.NO_RESPONSE),
        ("of a terabyte, close", b"ffffffffff\r\n{}", "close", Ending.NO_RESPONSE),
        ("cut, close", b"a\r\n12345", "close", Ending.NO_RESPONSE),
        ("cut, reset", b"a\r\n12345", "reset", Ending.NO_RESPONSE),
        ("cut, hang", b"a\r\n12345", "hang", Ending.NO_RESPONSE_IN_TIME),
        ("missing", b"2\r\n{}\r\n", "close", Ending.NO_RESPONSE),
        ("without its end", b"2\r\n{}2\r\n{}\r\n0\r\n\r\n", "close", Ending.NO_RESPONSE),
    )
]
CHUNKS += [
    row(
        "chunks drip", drips(b"1\r\na\r\n", CHUNKED), Ending.DEADLINE, timeout=1.0, needs_body=True
    ),
    row(
        "gigabyte of chunks",
        floods(b"100000\r\n" + b"a" * 2**20 + LINE, CHUNKED),
        Ending.NO_RESPONSE,
        elsewhere=_FILLS_THE_MEMORY,
        needs_body=True,
    ),
    row(
        "extension of a chunk without an end",
        floods(b"a" * 65536, CHUNKED + b"1;"),
        Ending.NO_RESPONSE,
        elsewhere={
            **at("aiohttp", "skips extensions", Ending.NO_RESPONSE_IN_TIME),
            **_READS_LONG_LINES,
        },
        needs_body=True,
    ),
    row(
        "trailers without an end",
        floods(b"X-Trailer: a\r\n" * 99_999, CHUNKED + b"0\r\n"),
        Ending.NO_RESPONSE,
        elsewhere={
            **at("urllib3", "skips trailers", Ending.DEADLINE),
            **at("requests", "skips trailers, and its read cannot be interrupted"),
            **at(
                "aiohttp, TLS, Entra",
                "decrypts a megabyte before it rejects it",
                Ending.NO_RESPONSE,
                Ending.DEADLINE,
            ),
        },
        timeout=1.0,
        needs_body=True,
    ),
]
