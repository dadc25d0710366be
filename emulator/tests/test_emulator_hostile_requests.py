"""Any bytes get a response in the service's form, and never stop the emulator."""

import base64
import uuid
from collections.abc import Callable
from types import SimpleNamespace
from urllib.parse import quote

import pytest

from acs_identity_emulator import IdentityEmulator

from .conftest import connect

Send = Callable[..., SimpleNamespace]

HOSTILE_IDS = [
    "8:acs:a/b",
    "8:acs:a?b=c",
    "8:acs:a#b",
    "8:acs:a b",
    "8:acs:a+b",
    "8:acs:a%b",
    "8:acs:a%2Fb",
    "8:acs:ünïcødé-💥-用户",
    "8:acs:\x00\r\n\t\x7f",
    "8:acs:" + "x" * 2048,
    "8:acs:" + "用" * 2048,
    "8:acs:'\"<>\\^`{|}",
    "..",
    ":revokeAccessTokens",
    "8:acs:1_2/:issueAccessToken",
]


@pytest.mark.parametrize("identity_id", HOSTILE_IDS, ids=lambda value: ascii(value)[:20])
@pytest.mark.parametrize(
    ("method", "action", "body"),
    [
        ("DELETE", "", b""),
        ("POST", "/:revokeAccessTokens", b""),
        ("POST", "/:issueAccessToken", {"scopes": ["chat"]}),
    ],
)
def test_hostile_ids_reach_their_operation(
    send: Send, identity_id: str, method: str, action: str, body: object
) -> None:
    reply = send(method, f"/identities/{quote(identity_id, safe='')}{action}", body)
    assert (reply.status, reply.error) == (
        400,
        {
            "code": "ValidationError",
            "message": "Provided identity has invalid format.",
            "target": "id",
        },
    )


@pytest.mark.parametrize("raw", ["a%zz", "%", "%ff%fe", "a:b@c", "a;b=c,d", "a|b", "a%2", "~!*'()"])
def test_ids_as_no_client_would_quote_them(send: Send, raw: str) -> None:
    reply = send("DELETE", f"/identities/{raw}")
    assert (reply.status, reply.error["target"]) == (400, "id")


@pytest.mark.parametrize("action", [":issueAccessToken", "%3AissueAccessToken"])
def test_the_action_may_be_quoted(send: Send, user: str, action: str) -> None:
    assert send("POST", f"/identities/{user}/{action}", {"scopes": ["chat"]}).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/identity",
        "/Identities/x/y",
        "/identities/x/:other",
        "/identities/x/:issueAccessToken/y",
        "/identities//:issueAccessToken",
        "///identities",
        "/teamsUser",
        "/teamsUser/:issueAccessToken",
        "/identities/a/b/:issueAccessToken",
        "/identities/../identities",
        "/.emulator/x",
    ],
)
def test_unknown_path(send: Send, path: str) -> None:
    reply = send("POST", path)
    assert (reply.status, reply.code) == (404, "NotFound")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/identities", "POST"),
        ("GET", "/identities", "POST"),
        ("PATCH", "/identities/x", "DELETE"),
        ("POST", "/identities/x", "DELETE"),
        ("GET", "/identities/x", "DELETE"),
        ("DELETE", "/identities/x/:issueAccessToken", "POST"),
        ("OPTIONS", "/teamsUser/:exchangeAccessToken", "POST"),
    ],
)
def test_wrong_method(send: Send, method: str, path: str, allow: str) -> None:
    reply = send(method, path)
    assert (reply.status, reply.code) == (405, "MethodNotAllowed")
    assert reply.headers["Allow"] == allow


def test_head_has_no_body(send: Send) -> None:
    reply = send("HEAD", "/identities")
    assert (reply.status, reply.body) == (405, b"")


@pytest.mark.parametrize(("size", "status"), [(1024 * 1024, 400), (1024 * 1024 + 1, 413)])
def test_body_size(send: Send, size: int, status: int) -> None:
    reply = send("POST", "/identities", b"x" * size)
    assert reply.status == status
    assert reply.code == ("RequestEntityTooLarge" if status == 413 else "ValidationError")


def test_chunked_body(send: Send) -> None:
    reply = send(
        "POST",
        "/identities",
        b"{}",
        sent_body=b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
        headers={"Content-Length": None, "Transfer-Encoding": "chunked"},
    )
    assert reply.status == 201


def test_broken_chunks(send: Send) -> None:
    reply = send(
        "POST",
        "/identities",
        b"{}",
        sent_body=b"zz\r\n{}\r\n0\r\n\r\n",
        headers={"Content-Length": None, "Transfer-Encoding": "chunked"},
    )
    assert (reply.status, reply.code) == (400, "BadRequest")


@pytest.mark.parametrize("sent_before", [b"", b"1\r\nx\r\n", b"5\r\nx"])
@pytest.mark.parametrize("is_waited_for", [False, True])
def test_chunks_that_break_later(
    emulator: IdentityEmulator, send: Send, sent_before: bytes, is_waited_for: bool
) -> None:
    head = b"POST /identities HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with connect(emulator.endpoint) as connection:
        connection.sendall(head + sent_before)
        if is_waited_for:
            send("POST", "/identities")
        connection.sendall(b"zz\r\nzz\r\n")
        with connection.makefile("rb") as stream:
            reply = stream.read()
    assert reply.count(b"HTTP/1.") == 1
    assert b" 400 Bad Request\r\n" in reply
    assert b'"code":"BadRequest"' in reply
    assert send("POST", "/identities").status == 201


def test_the_content_hash_is_over_the_encoded_body(send: Send) -> None:
    encoded = bytes.fromhex("1f8b0800000000000003abae050043bfa6a302000000")  # gzip of {}
    reply = send("POST", "/identities", encoded, headers={"Content-Encoding": "gzip"})
    assert reply.error["message"] == "The request body is not valid JSON."


def test_expect_continue(send: Send) -> None:
    reply = send("POST", "/identities", b"{}", headers={"Expect": "100-continue"})
    assert reply.status == 201


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"POST identities HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /a b HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /identities HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        b"POST /identities HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"POST /identities HTTP/1.1\r\n bad: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 70_000 + b"\r\n\r\n",
    ],
    ids=lambda value: ascii(value[:30]),
)
def test_what_is_no_http(send: Send, send_bytes: Send, request_bytes: bytes) -> None:
    reply = send_bytes(request_bytes)
    assert reply.status == 400
    assert reply.error == {
        "code": "BadRequest",
        "message": "The request is not well-formed HTTP.",
    }
    assert send("POST", "/identities").status == 201


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"POST /identities HTTP/1.1\r\n\r\n",
        b"POST /identities?api-version=2025-06-30 HTTP/1.0\r\n\r\n",
        b"POST * HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /identities?%%%&&;=\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_unsigned_oddities(send_bytes: Send, request_bytes: bytes) -> None:
    reply = send_bytes(request_bytes)
    assert reply.status in (400, 401)
    assert set(reply.error) == {"code", "message"}


def test_absolute_form(emulator: IdentityEmulator, send: Send) -> None:
    """A proxy's form of the target; the signature still covers path and query."""
    path = "/identities?api-version=2025-06-30"
    reply = send("POST", path, version=None, request_target=emulator.endpoint[:-1] + path)
    assert reply.status == 201


def test_http_1_0(send: Send) -> None:
    assert send("POST", "/identities", protocol="HTTP/1.0").status == 201
    reply = send("POST", "/nowhere", protocol="HTTP/1.0")
    assert (reply.status, reply.code) == (404, "NotFound")
    assert "Transfer-Encoding" not in reply.headers


def test_a_client_that_leaves_early(
    emulator: IdentityEmulator, send: Send, caplog: pytest.LogCaptureFixture
) -> None:
    for request in (b"POST", b"POST /identities HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"):
        with connect(emulator.endpoint) as connection:
            connection.sendall(request)
            send("POST", "/identities")  # by then the emulator waits for the rest
    assert send("POST", "/identities").status == 201
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


ISSUE = f"/identities/{quote('8:acs:1_2', safe='')}/:issueAccessToken"
ASSIGNMENT = f"/access/teamsExtension/tenants/{uuid.UUID(int=1)}/assignments/{uuid.UUID(int=2)}"


@pytest.mark.parametrize("text", [r"\ud800", r"\uDFFF", r"a\udc00\ud800", "\ud800"])
@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("POST", "/identities", '{"customId":"%s"}'),
        ("POST", "/identities", '{"createTokenWithScopes":["%s"]}'),
        ("POST", "/identities", '{"%s":1}'),
        ("POST", ISSUE, '{"scopes":["%s"]}'),
        ("PUT", ASSIGNMENT, '{"principalType":"%s"}'),
        ("PUT", ASSIGNMENT, '{"principalType":"user","clientIds":["%s"]}'),
    ],
)
def test_half_a_character_is_no_json(
    send: Send, method: str, target: str, body: str, text: str
) -> None:
    octets = (body % text).encode("utf-8", "surrogatepass")
    reply = send(method, target, octets, version="2025-03-02-preview")
    assert (reply.status, reply.error) == (
        400,
        {"code": "ValidationError", "message": "The request body is not valid JSON."},
    )


@pytest.mark.parametrize(
    ("written", "text"),
    [(r"\ud83d\udca5", "💥"), (r"a\u0000b", "a\0b"), (r"\\ud800", r"\ud800"), ("用户", "用户")],
)
def test_odd_text_is_kept(send: Send, written: str, text: str) -> None:
    def create() -> SimpleNamespace:
        body = f'{{"customId":"{written}"}}'.encode()
        return send("POST", "/identities", body, version="2025-03-02-preview")

    first = create().json["identity"]
    assert first["customId"] == text
    assert create().json["identity"]["id"] == first["id"]


@pytest.mark.parametrize("minutes", ["9" * 5000, "1e400", "2147483648", "-1e9999", "1" + "0" * 400])
def test_huge_numbers(send: Send, minutes: str) -> None:
    reply = send("POST", "/identities", f'{{"expiresInMinutes":{minutes}}}'.encode())
    assert (reply.status, reply.code) == (400, "ValidationError")


def test_the_last_of_duplicate_keys_counts(send: Send) -> None:
    body = b'{"createTokenWithScopes":["?"],"createTokenWithScopes":["chat"]}'
    assert send("POST", "/identities", body).status == 201


@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"a":' * 200_000, b'{"scopes":' + b"[" * 9999])
def test_deep_json(send: Send, user: str, body: bytes) -> None:
    reply = send("POST", f"/identities/{user}/:issueAccessToken", body)
    assert (reply.status, reply.error["message"]) == (400, "The request body is not valid JSON.")


def _deep_token(size: int) -> str:
    header = base64.urlsafe_b64encode(b'{"alg":' + b"[" * size).decode().rstrip("=")
    return f"{header}.e30.AAAA"


def test_a_deep_token_to_exchange(send: Send) -> None:
    reply = send("POST", "/teamsUser/:exchangeAccessToken", {"token": _deep_token(500_000)})
    assert (reply.status, reply.code) == (401, "InvalidAccessToken")


def test_a_deep_token_of_the_caller(send: Send, tls_emulator: IdentityEmulator) -> None:
    reply = send("POST", "/identities", to=tls_emulator, bearer=_deep_token(40_000))
    assert (reply.status, reply.code) == (401, "Denied")


def test_a_deep_token_is_not_valid(emulator: IdentityEmulator) -> None:
    assert not emulator.is_token_valid(_deep_token(500_000))


@pytest.mark.parametrize("host", [None, "\udcff\udcfe"])
def test_a_host_that_is_no_text(
    send: Send, tls_emulator: IdentityEmulator, host: str | None
) -> None:
    """An error message can hold any URI."""
    token = tls_emulator.issue_entra_token(
        user_object_id=str(uuid.UUID(int=1)),
        client_id=str(uuid.UUID(int=2)),
        scopes=["https://communication.azure.com//.default"],
    )
    reply = send(
        "POST",
        "/identities",
        version="1999-01-01",
        to=tls_emulator,
        bearer=token,
        headers={"Host": None},
        extra=b"" if host is None else b"Host: \xff\xfe\r\n",
        protocol="HTTP/1.0",
    )
    assert (reply.status, reply.code) == (400, "UnsupportedApiVersion")
    reply.error["message"].encode("utf-8")
