"""The log says why a request was rejected, and shows ids but never a secret."""

import base64
import hashlib
import hmac
import logging
import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from email.utils import formatdate
from types import SimpleNamespace
from typing import Protocol

import pytest

from acs_identity_emulator import IdentityEmulator
from acs_identity_emulator.contract.reasons import shown_path, shown_target

Send = Callable[..., SimpleNamespace]


class Clock(Protocol):
    offset: float

    def __call__(self) -> float: ...


APP, USER, TENANT = (str(uuid.UUID(int=number)) for number in (1, 2, 3))
QUERY = "api-version=2025-06-30"


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "acs_identity_emulator")


@pytest.fixture
def line(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """The last line about a request."""
    return lambda: [
        record.getMessage() for record in caplog.records if record.levelno == logging.INFO
    ][-1]


Line = Callable[[], str]


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"Authorization": None}, "no-credentials: the request has no Authorization header"),
        ({"Authorization": "Basic dTpw"}, "malformed-credentials: the Authorization header is"),
        ({"Authorization": "HMAC-SHA256 x"}, "malformed-credentials: Authorization is not HMAC"),
        (
            {"Authorization": "HMAC-SHA256 SignedHeaders=host&Signature=AAAA"},
            "malformed-credentials: SignedHeaders must be one of x-ms-date;host;",
        ),
        ({"x-ms-date": None}, "malformed-credentials: the header x-ms-date is sent 0 times"),
        ({"x-ms-date": "now"}, "date: x-ms-date: 'now' is not an RFC 1123 date in GMT"),
        (
            {"x-ms-date": "Fri, 01 Jan 2026 00:00:00 GMT"},
            "date: x-ms-date: 'Fri, 01 Jan 2026 00:00:00 GMT' is a Thu, not a Fri)",
        ),
        (
            {"x-ms-date": "Thu, 31 Feb 2026 00:00:00 GMT"},
            "date: x-ms-date: 'Thu, 31 Feb 2026 00:00:00 GMT' is a day that does not exist",
        ),
        (
            {"x-ms-content-sha256": "x"},
            "content-hash: x-ms-content-sha256 is not of the 0 bytes that arrived",
        ),
        ({"Authorization": "Bearer x"}, "unencrypted: an Entra token is accepted over https only"),
    ],
)
def test_credentials(send: Send, line: Line, headers: dict[str, str | None], reason: str) -> None:
    assert send("POST", "/identities", headers=headers).status == 401
    assert " 401 " in line()
    assert f"Denied ({reason}" in line()


@pytest.mark.parametrize(
    "date",
    ["Fri, 01 Jan 2026 00:00:00 GMT", "Mon, 29 Feb 2024 12:00:00 GMT"],
)
def test_another_weekday_is_malformed_even_if_signed(
    send: Send, clock: Clock, line: Line, date: str
) -> None:
    from email.utils import parsedate_to_datetime

    clock.offset = parsedate_to_datetime(date).timestamp() - clock()
    assert send("POST", "/identities", date=date).status == 401
    assert "(date: " in line()
    right = formatdate(clock(), usegmt=True)
    assert right[3:20] == date[3:20]
    assert send("POST", "/identities", date=right).status == 201


@pytest.mark.parametrize(("seconds", "way"), [(-400, "behind"), (400, "ahead of")])
def test_date_too_far_off(send: Send, clock: Clock, line: Line, seconds: float, way: str) -> None:
    date = formatdate(clock() + seconds, usegmt=True)
    assert send("POST", "/identities", date=date).status == 401
    assert f"s {way} the clock of the service)" in line()


class TestSignature:
    def sign(self, emulator: IdentityEmulator, text: str) -> str:
        key = base64.b64decode(emulator.access_key)
        signature = base64.b64encode(hmac.digest(key, text.encode(), "sha256")).decode()
        return f"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}"

    @pytest.mark.parametrize(
        ("target", "host", "method", "mistake"),
        [
            ("/identities", None, "POST", "the path without its query"),
            (f"/identities?{QUERY}", "127.0.0.1", "POST", "the host without its port"),
            (f"http://HOST/identities?{QUERY}", None, "POST", "the whole URL in place of path"),
            (f"/identities?{QUERY}", None, "post", "a method in lower case"),
        ],
    )
    def test_common_mistakes(
        self, emulator: IdentityEmulator, send: Send, line: Line, target: str, host: str | None,
        method: str, mistake: str,
    ) -> None:  # fmt: skip
        authority = emulator.endpoint.removeprefix("http://").rstrip("/")
        date = formatdate(usegmt=True)
        body_hash = base64.b64encode(hashlib.sha256(b"").digest()).decode()
        text = (
            f"{method}\n{target.replace('HOST', authority)}\n{date};{host or authority};{body_hash}"
        )
        authorization = self.sign(emulator, text)
        headers = {"Authorization": authorization}
        assert send("POST", "/identities", headers=headers, date=date).status == 401
        assert f"(signature: the signature covers {mistake}" in line()

    @pytest.mark.parametrize(
        ("signed", "sent", "mistake"),
        [
            ("8:acs:a%b", "8%3Aacs%3Aa%25b", "the decoded path"),
            ("8%3Aacs%3Ax", "8:acs:x", "a path that is percent-encoded otherwise"),
        ],
    )
    def test_encoding_of_the_path(
        self, emulator: IdentityEmulator, send: Send, line: Line, signed: str, sent: str,
        mistake: str,
    ) -> None:  # fmt: skip
        authority = emulator.endpoint.removeprefix("http://").rstrip("/")
        date = formatdate(usegmt=True)
        body_hash = base64.b64encode(hashlib.sha256(b"").digest()).decode()
        text = f"DELETE\n/identities/{signed}?{QUERY}\n{date};{authority};{body_hash}"
        headers = {"Authorization": self.sign(emulator, text)}
        assert send("DELETE", f"/identities/{sent}", headers=headers, date=date).status == 401
        assert f"(signature: the signature covers {mistake})" in line()

    def test_string_to_sign_at_debug_only(
        self, send: Send, user: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        other = base64.b64encode(b"other").decode()
        date = formatdate(usegmt=True)
        path = f"/identities/{user}"
        assert send("DELETE", path, key=other, date=date).status == 401
        record = caplog.records[-1]
        assert record.levelno == logging.DEBUG
        assert f"'DELETE\\n{path}?{QUERY}\\n{date};127.0.0.1:" in record.getMessage()
        assert "string to sign" not in caplog.records[-2].getMessage().partition(" (")[0]
        caplog.clear()
        caplog.set_level(logging.INFO, "acs_identity_emulator")
        assert send("DELETE", path, key=other, date=date).status == 401
        assert [record.levelno for record in caplog.records] == [logging.INFO]

    def test_a_key_that_was_rotated(self, send: Send, line: Line) -> None:
        with IdentityEmulator() as emulator:
            old = emulator.access_key
            emulator.rotate_key("primary")
            assert send("POST", "/identities", to=emulator, key=old).status == 401
            assert "(unknown-key: signed with a primary key that is not in force" in line()
            for _ in range(20):
                emulator.rotate_key("secondary")
            assert send("POST", "/identities", to=emulator, key=old).status == 401
            assert "(signature: " in line()

    def test_a_key_that_a_restart_replaced(self, send: Send, line: Line, tmp_path: object) -> None:
        with IdentityEmulator(database=f"{tmp_path}/a.db") as emulator:
            old = emulator.access_key
        with IdentityEmulator(database=f"{tmp_path}/a.db", access_key="QUJD") as emulator:
            assert send("POST", "/identities", to=emulator, key=old).status == 401
            assert "(unknown-key: " in line()


class TestEntra:
    @pytest.mark.parametrize(
        ("scope", "expires_in", "reason"),
        [
            (
                "https://communication.azure.com//.default",
                -5,
                "entra-token: the Entra token expired ",
            ),
            (
                "https://graph.microsoft.com/x",
                60,
                "wrong-credentials: the Entra token is for 'https://graph.microsoft.com', create "
                "takes https://communication.azure.com",
            ),
        ],
    )
    def test_token(
        self, tls_emulator: IdentityEmulator, send: Send, line: Line, scope: str, expires_in: int,
        reason: str,
    ) -> None:  # fmt: skip
        token = tls_emulator.issue_entra_token(
            user_object_id=USER,
            client_id=APP,
            scopes=[scope],
            expires_in=timedelta(seconds=expires_in),
        )
        assert send("POST", "/identities", to=tls_emulator, bearer=token).status == 401
        assert f"Denied ({reason}" in line()

    def test_forged(self, tls_emulator: IdentityEmulator, send: Send, line: Line) -> None:
        assert send("POST", "/identities", to=tls_emulator, bearer="a.b.c").status == 401
        assert "Denied (entra-token: it is not a JWT, or not signed by the Entra" in line()

    def test_a_key_where_a_token_is_needed(self, send: Send, line: Line) -> None:
        assert send("POST", "/access/teamsExtension/:exchangeAccessToken", {}).status == 401
        assert (
            "(wrong-credentials: exchange-teams-extension takes the Entra token of the user, not "
            "an access key)" in line()
        )

    def test_token_of_a_teams_user(self, send: Send, line: Line) -> None:
        body = {"token": "x", "appId": APP, "userId": USER}
        assert send("POST", "/teamsUser/:exchangeAccessToken", body).status == 401
        assert "InvalidAccessToken (entra-token: it is not a JWT" in line()


def test_identities(emulator: IdentityEmulator, send: Send, deleted_user: str, line: Line) -> None:
    def revoke(identity_id: str) -> str:
        send("POST", f"/identities/{identity_id}/:revokeAccessTokens")
        return line()

    other = f"8:acs:{APP}_{USER}"
    never = f"8:acs:{emulator.resource_id}_{USER}"
    assert f"IdentityNotOwned (unknown-identity: {other} is of another resource)" in revoke(other)
    assert f"(unknown-identity: {never} is of this resource, but was never created" in revoke(never)
    assert f"(deleted-identity: {deleted_user} is deleted)" in revoke(deleted_user)


@pytest.mark.parametrize(
    ("method", "path", "query", "reason"),
    [
        ("POST", "/identites", QUERY, "path: no operation has the path /identites"),
        (
            "POST",
            f"/identities/8:acs:{APP}_{USER}/:issue",
            QUERY,
            f"path: no operation has the path /identities/8:acs:{APP}_{USER}/:issue",
        ),
        ("GET", "/identities", QUERY, "method: the path has POST"),
        ("POST", "/identities", "", "api-version: the query has no api-version"),
        (
            "POST",
            "/identities",
            "api-version=2020-01-01",
            "api-version: '2020-01-01' is not an api version that this path has",
        ),
        (
            "POST",
            "/access/teamsExtension/:exchangeAccessToken",
            "api-version=2021-03-07",
            "api-version: '2021-03-07' is not an api version that this path has",
        ),
        (
            "POST",
            "/identities",
            "api-version=2021-03-07&api-version=2023-10-01",
            "api-version: the query has 2 different api versions",
        ),
        ("POST", "/.emulator/x", QUERY, "path: no operation has the path /.emulator/..."),
    ],
)
def test_paths(send: Send, line: Line, method: str, path: str, query: str, reason: str) -> None:
    send(method, f"{path}?{query}", version=None)
    assert line().endswith(f"({reason})")


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        (
            "faults",
            {"Origin": "https://a.example"},
            r"403 \d+ms Forbidden \(foreign-page: Origin or Sec-Fetch-Site is another site\)",
        ),
        (
            "faults",
            {"Host": "a.example"},
            r"403 \d+ms Forbidden \(host: Host does not name loopback\)",
        ),
        (
            "msi/token",
            {"X-IDENTITY-HEADER": "x"},
            r"401 \d+ms Unauthorized \(managed-identity: X-IDENTITY-HEADER is not the one .*\)",
        ),
        ("keys/primary/rotate", {}, r"405 \d+ms MethodNotAllowed \(method: the path has POST\)"),
    ],
)
def test_own_paths(
    send: Send, line: Line, path: str, headers: dict[str, str | None], expected: str
) -> None:
    send("GET", f"/.emulator/{path}", version=None, headers=headers)
    assert re.fullmatch(rf"GET /\.emulator/{path} {expected}", line())


def test_the_words_of_all_own_paths_are_shown(send: Send) -> None:
    paths = send("GET", "/.emulator/openapi.json", version=None).json["paths"]
    assert len(paths) > 10
    for path in paths:
        for slot in ("primary", "secondary"):
            named = path.replace("{slot}", slot)
            assert shown_path(named) == named


def test_the_control_token(send: Send, line: Line) -> None:
    with IdentityEmulator(control_token="secret") as emulator:
        for headers in ({"Authorization": None}, {"Authorization": "Bearer wrong"}):
            send("GET", "/.emulator/requests", version=None, headers=headers, to=emulator)
            assert re.fullmatch(
                r"GET /\.emulator/requests 401 \d+ms Unauthorized "
                r"\(control-token: the token is missing or wrong\)",
                line(),
            )


def test_paths_of_entra(send: Send, line: Line, emulator: IdentityEmulator) -> None:
    for tenant in ("adfs", emulator.tenant_id):
        path = f"/{tenant}/oauth2/v2.0/token"
        send("POST", path, version=None)
        assert line().startswith(f"POST {path} 400 ")
        assert list(emulator.requests)[-1].path == path


def test_no_secret(
    emulator: IdentityEmulator, send: Send, caplog: pytest.LogCaptureFixture
) -> None:
    token = send("POST", "/identities", {"createTokenWithScopes": ["chat"]}).json["accessToken"]
    other = base64.b64encode(b"other").decode()
    # Fixed keys: the beginning of a random one can look like a word of a path.
    keys = [base64.b64encode(bytes([number]) * 64).decode() for number in (7, 200)]
    secrets = [*keys, token["token"]]
    for secret in secrets:
        for key in (emulator.access_key, other):
            send("POST", f"/identities/{secret}/:issueAccessToken", key=key)
            send("POST", f"/{secret}", key=key)
            send("POST", "/identities", key=key, version=None, bearer=None)
            send("POST", f"/identities?x={secret}&{QUERY}", key=key, version=None)
        send("POST", "/identities", headers={"Authorization": secret})
        send("POST", "/identities", headers={"x-ms-content-sha256": secret})
        send("POST", "/identities", bearer=secret)
        send("POST", "/identities", version=secret)
        send("POST", "/identities", date=secret)
    assert len(caplog.records) > 30
    for secret in secrets:
        assert secret not in caplog.text
        assert secret[:12] not in caplog.text


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("/", "/"),
        ("*", "..."),
        ("/a b?c=d&api-version=1", "/...?...&api-version=1"),
        (f"/identities/8%3Aacs%3A{APP}_{USER}", f"/identities/8%3Aacs%3A{APP}_{USER}"),
        ("/identities/a/identities?", "/identities/.../identities?"),
        ("/x\n/\udcff?api-version=\n", "/.../...?..."),
        ("/identities" * 10, "/identities" * 10),
        ("/identities" * 12, "/identities" * 10 + "/..."),
    ],
)
def test_shown_target(target: str, shown: str) -> None:
    assert shown_target(target) == shown
