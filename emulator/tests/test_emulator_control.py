"""The endpoints under `/.emulator/`, and who may use them."""

import base64
import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from multidict import CIMultiDict, CIMultiDictProxy

from acs_identity_emulator import IdentityEmulator, JournalEntry
from acs_identity_emulator.authentication.authenticators import WireRequest
from acs_identity_emulator.contract.faults import FaultQueue
from acs_identity_emulator.control.page import Page
from acs_identity_emulator.state.clock import ServiceClock
from acs_identity_emulator.state.journal import Journal

from .conftest import Clock, Send, exchange

GUID = "00000000-0000-0000-0000-000000000001"
Control = Callable[..., SimpleNamespace]


def control_of(emulator: IdentityEmulator) -> Control:
    def control(
        method: str, path: str, body: object = None, *, prefix: str = "/.emulator/", **headers: str
    ) -> SimpleNamespace:
        content = b"" if body is None else json.dumps(body).encode()
        sent = {
            "Host": emulator.endpoint.partition("://")[2].rstrip("/"),
            "Content-Length": str(len(content)),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        lines = [f"{method} {prefix}{path} HTTP/1.1", *(f"{k}: {v}" for k, v in sent.items())]
        return exchange(emulator.endpoint, "\r\n".join([*lines, "", ""]).encode() + content, method)

    return control


@pytest.fixture
def control(emulator: IdentityEmulator, clock: Clock) -> Iterator[Control]:
    emulator.reset()
    yield control_of(emulator)
    emulator.reset()


def test_health(control: Control, emulator: IdentityEmulator) -> None:
    reply = control("GET", "health")
    assert (reply.status, reply.json["status"]) == (200, "ok")
    assert reply.json["resourceId"] == emulator.resource_id
    assert reply.json["tenantId"] == emulator.tenant_id


def test_managed_identity(control: Control, emulator: IdentityEmulator) -> None:
    assert control("GET", "managed-identity").json == emulator.managed_identity_environment


def test_certificate_authority(control: Control, emulator: IdentityEmulator) -> None:
    reply = control("GET", "ca.pem")
    assert reply.body == Path(emulator.ca_file).read_bytes()
    assert b"PRIVATE" not in reply.body
    assert reply.headers["Content-Type"] == "application/x-pem-file"


def test_connection_strings(control: Control, emulator: IdentityEmulator) -> None:
    strings = control("GET", "connection-strings").json
    assert strings["primary"] == emulator.connection_string
    assert strings["secondary"].endswith(f";accesskey={emulator.secondary_key}")


@pytest.fixture
def own() -> Iterator[IdentityEmulator]:
    """An emulator whose keys a test may change."""
    with IdentityEmulator() as emulator:
        yield emulator


def test_rotate_a_key(own: IdentityEmulator) -> None:
    emulator, control, before = own, control_of(own), own.access_key
    assert control("POST", "keys/primary/rotate").json == {"key": emulator.access_key}
    assert emulator.access_key != before
    reply = control("POST", "keys/secondary/rotate", {"key": "c2VjcmV0"})
    assert reply.json == {"key": "c2VjcmV0"} == {"key": emulator.secondary_key}
    rejected = control("POST", "keys/primary/rotate", {"key": "hidden value"})
    assert (rejected.status, rejected.code) == (400, "ValidationError")
    assert b"hidden" not in rejected.body
    assert control("POST", "keys/tertiary/rotate").status == 404


def test_identities_in_pages(control: Control, emulator: IdentityEmulator, send: Send) -> None:
    for _ in range(3):
        send("POST", "/identities", {"createTokenWithScopes": ["chat"]})
    expected = [
        {"id": each.id, "customId": None, "lastTokenIssuedAt": each.last_token_issued_at}
        for each in emulator.identities()
    ]
    assert control("GET", "identities").json == {"identities": expected}
    assert control("GET", "identities?limit=2").json == {"identities": expected[:2]}
    after = expected[1]["id"]
    assert control("GET", f"identities?after={after}").json == {"identities": expected[2:]}
    for limit in ("0", "1001", "x", "²", "1&limit=2"):
        assert control("GET", f"identities?limit={limit}").status == 400


def test_validate_a_token(own: IdentityEmulator, send: Send) -> None:
    emulator, control = own, control_of(own)
    created = send("POST", "/identities", {"createTokenWithScopes": ["chat"]}, to=own)
    token = created.json["accessToken"]
    body = {"token": token["token"]}
    assert control("POST", "tokens/validate", body).json == {"valid": True}
    emulator.rotate_key("primary")
    assert control("POST", "tokens/validate", body).json == {"valid": False}
    assert control("POST", "tokens/validate", {}).status == 400


def test_entra_tokens(control: Control, send: Send) -> None:
    body = {"userObjectId": GUID, "clientId": GUID}
    token = control("POST", "entra/tokens", body).json["token"]
    exchanged = {"token": token, "appId": GUID, "userId": GUID}
    assert send("POST", "/teamsUser/:exchangeAccessToken", exchanged).status == 200
    expired = control("POST", "entra/tokens", {**body, "expiresInSeconds": -1}).json["token"]
    exchanged["token"] = expired
    assert send("POST", "/teamsUser/:exchangeAccessToken", exchanged).status == 401
    wrongs: list[dict[str, object]] = [
        {"clientId": "x"},
        {"tenantId": "x"},
        {"groups": ["x"]},
        {"expiresInSeconds": "1"},
        {"expiresInSeconds": 1e300},
        {"expiresInSeconds": 10**400},
        {"scopes": []},
        {"scopes": ["https://one.example/a", "https://two.example/b"]},
    ]
    for wrong in wrongs:
        reply = control("POST", "entra/tokens", {**body, **wrong})
        assert (reply.status, reply.code) == (400, "ValidationError"), wrong
        assert next(iter(wrong)) in reply.error["message"]
        assert not re.search(r"\bint\b|timedelta|\bstr\b|_", reply.error["message"])


def test_applications(own: IdentityEmulator) -> None:
    control = control_of(own)
    body = {"clientId": GUID, "secret": "hidden value"}
    variables = control("POST", "entra/applications", body).json
    assert variables == own.register_application(GUID)
    again = control("POST", "entra/applications", {"clientId": GUID.upper()}).json
    assert again == variables
    new = control("POST", "entra/applications", {}).json
    assert new["AZURE_CLIENT_ID"] not in ("", GUID)
    for wrong in ({"clientId": "x"}, {"clientId": ""}, {"tenantId": "x"}, {"secret": ""}):
        reply = control("POST", "entra/applications", {**body, **wrong})
        assert (reply.status, reply.code) == (400, "ValidationError"), wrong


def test_clock(control: Control, emulator: IdentityEmulator, send: Send) -> None:
    token = send("POST", "/identities", {"createTokenWithScopes": ["chat"]}).json["accessToken"]
    body = {"advanceSeconds": 90000, "tokenLifetimeSeconds": 60}
    reply = control("POST", "clock", body)
    assert reply.json["advancedSeconds"] == 90000
    assert reply.json["tokenLifetimeSeconds"] == 60
    assert control("GET", "clock").json.keys() == reply.json.keys()
    assert not emulator.is_token_valid(token["token"])
    cleared = control("POST", "clock", {"tokenLifetimeSeconds": None}).json
    assert (cleared["tokenLifetimeSeconds"], cleared["advancedSeconds"]) == (None, 90000)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"advanceSeconds": -5}, "from 0 to 316224000 (ten years) in all, not -5; POST reset"),
        ({"advanceSeconds": -1e-9}, "from 0 to 316224000 (ten years) in all, not -1e-09; "),
        ({"advanceSeconds": 1e12}, "from 0 to 316224000 (ten years) in all, not 1e+12; "),
        ({"advanceSeconds": 1e300}, "from 0 to 316224000 (ten years) in all, not 1e+300; "),
        (
            {"tokenLifetimeSeconds": 0},
            "tokenLifetimeSeconds must be null or a whole number from 1 to 86400, not 0.",
        ),
        (
            {"tokenLifetimeSeconds": 86401},
            "must be null or a whole number from 1 to 86400, not 86401.",
        ),
        (
            {"tokenLifetimeSeconds": 1e300},
            "must be null or a whole number from 1 to 86400, not 1e+300.",
        ),
        (
            {"tokenLifetimeSeconds": 1.9},
            "must be null or a whole number from 1 to 86400, not 1.9.",
        ),
        ({"tokenLifetimeSeconds": "1"}, "tokenLifetimeSeconds must be a number."),
    ],
    ids=str,
)
def test_invalid_times(control: Control, wrong: dict[str, object], message: str) -> None:
    reply = control("POST", "clock", {"advanceSeconds": 5, "tokenLifetimeSeconds": 60, **wrong})
    assert (reply.status, reply.code) == (400, "ValidationError")
    assert message in reply.error["message"]
    unchanged = control("GET", "clock").json
    assert (unchanged["advancedSeconds"], unchanged["tokenLifetimeSeconds"]) == (0, None)


def test_requests(control: Control, send: Send, user: str) -> None:
    send("POST", f"/identities/{user}/:issueAccessToken", {"scopes": ["chat"]})
    create, issue = control("GET", "requests").json["requests"]
    assert (create["operation"], create["user"], create["status"]) == ("create", user, 201)
    assert (issue["scopes"], issue["expiresInMinutes"], issue["apiVersion"]) == (
        *(["chat"], None),
        "2025-06-30",
    )
    assert control("GET", "requests?operation=issue").json == {"requests": [issue]}
    assert control("GET", f"requests?user={user}&status=201").json == {"requests": [create]}
    assert control("GET", "requests?limit=1").json == {"requests": [issue]}
    assert control("GET", "requests?apiVersion=2025-06-30").json == {"requests": [create, issue]}
    assert control("GET", "requests?apiVersion=2023-10-01&status=0").json == {"requests": []}
    assert control("DELETE", "requests").status == 204
    assert control("GET", "requests").json == {"requests": []}


def test_requests_by_scopes_and_error(control: Control, send: Send, user: str) -> None:
    for scopes in (["chat"], ["voip", "chat"], []):
        send("POST", f"/identities/{user}/:issueAccessToken", {"scopes": scopes})
    create, chat, both, rejected = control("GET", "requests").json["requests"]
    assert control("GET", "requests?scopes=chat").json == {"requests": [chat]}
    assert control("GET", "requests?scopes=chat%2Cvoip").json == {"requests": [both]}
    assert control("GET", "requests?scopes=").json == {"requests": [create, rejected]}
    assert control("GET", "requests?error=ValidationError").json == {"requests": [rejected]}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("operation=issues", "operation must be one of create, .*issue, .*, not 'issues'"),
        ("operation=", "operation must be one of create, .*, not ''"),
        ("status=abc", "status must be 0, or from 100 to 599, not 'abc'"),
        ("status=20", "status must be 0, or from 100 to 599, not '20'"),
        (
            "operations=issue",
            "Unknown query parameter 'operations': GET requests takes operation",
        ),
        ("scopes=chat&scopes=voip", "The query has scopes more than once"),
        ("api_version=1", "'api_version': .* takes operation, .*, error, apiVersion, limit"),
        ("nothing", "Unknown query parameter 'nothing'"),
    ],
)
def test_wrong_selections_of_requests(control: Control, query: str, message: str) -> None:
    reply = control("GET", f"requests?{query}")
    assert (reply.status, reply.code) == (400, "ValidationError")
    assert re.search(message, reply.error["message"])


def test_unknown_names_are_rejected_everywhere(own: IdentityEmulator, send: Send) -> None:
    send("POST", "/identities", to=own)
    control, key, identities = control_of(own), own.access_key, own.identities()
    document = control("GET", "openapi.json").json
    assert "Unknown query parameters" in document["info"]["description"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            target, method = path.replace("{slot}", "primary"), method.upper()
            schema: dict[str, Any] = {"properties": {}}
            if "requestBody" in operation:
                schema = operation["requestBody"]["content"]["application/json"]["schema"]
                assert schema["additionalProperties"] is False
            reply = control(method, target, {"foo": 1}, prefix="")
            assert (reply.status, reply.code) == (400, "ValidationError"), (method, path)
            takes = f"takes {', '.join(schema['properties']) or 'none'}."
            assert "Unknown member of the body 'foo'" in reply.error["message"]
            assert reply.error["message"].endswith(takes)
            assert control(method, f"{target}?foo=1", prefix="").status == 400, (method, path)
    assert (own.access_key, own.identities()) == (key, identities)


def test_the_document_describes_every_answer(
    control: Control, emulator: IdentityEmulator, user: str
) -> None:
    emulator.inject("issue", "status:429")
    document = control("GET", "openapi.json").json
    for path, operations in document["paths"].items():
        described = operations.get("get", {}).get("responses", {}).get("200")
        if described is not None:
            reply = control("GET", path, prefix="")
            ((media_type, content),) = described["content"].items()
            assert reply.headers["Content-Type"].partition(";")[0] == media_type
            if media_type == "application/json":
                assert_described(reply.json, content["schema"], path)


def assert_described(value: Any, schema: dict[str, Any], where: str) -> None:
    if "properties" in schema:
        assert value.keys() == schema["properties"].keys(), where
        for name, described in schema["properties"].items():
            assert_described(value[name], described, f"{where} {name}")
    elif schema["type"] == "array":
        for item in value:
            assert_described(item, schema["items"], where)


def test_limits(send: Send) -> None:
    with IdentityEmulator(throttle=True) as emulator:
        send("POST", "/identities", to=emulator)
        limits = control_of(emulator)("GET", "limits").json["limits"]
    assert {"name": "create", "limit": 1000, "used": 1} in limits
    assert {"name": "delete", "limit": 500, "used": 0} in limits


def test_unknown_paths_and_methods(control: Control) -> None:
    assert control("GET", "nothing").status == 404
    reply = control("PUT", "faults")
    assert (reply.status, reply.headers["Allow"]) == (405, "GET, POST, DELETE")
    assert control("GET", "keys/{slot}/rotate").status == 405


def test_bodies_that_are_not_objects(control: Control) -> None:
    for path in ("tokens/validate", "entra/tokens", "entra/applications", "clock", "faults"):
        assert control("POST", path, [1]).status == 400


READS = [
    "identities",
    "connection-strings",
    "managed-identity",
    "requests",
    "clock",
    "faults",
    "limits",
]


@pytest.mark.parametrize("path", [*READS, "reset"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:80"},
        {"Host": ""},
    ],
    ids=str,
)
def test_pages_of_other_sites_are_rejected(
    control: Control, send: Send, user: str, path: str, headers: dict[str, str]
) -> None:
    reply = control("POST" if path == "reset" else "GET", path, **headers)
    assert reply.status in (400, 403)
    assert user not in reply.body.decode()
    assert control("GET", "identities").json["identities"] != []


def test_the_own_page_may(control: Control, emulator: IdentityEmulator) -> None:
    origin = emulator.endpoint.rstrip("/")
    assert control("GET", "identities", Origin=origin, Sec_Fetch_Site="same-origin").status == 200
    for host in ("localhost:1", "[::1]:80", "LOCALHOST", "emulator.localhost", "127.9.9.9"):
        assert control("GET", "identities", Host=host).status == 200


def test_no_other_site_may_read(control: Control) -> None:
    for path in (*READS, "health", "ca.pem", "jwks.json"):
        assert "Access-Control-Allow-Origin" not in control("GET", path).headers


@pytest.fixture(scope="module")
def guarded() -> Iterator[Control]:
    """The endpoints of an emulator with a control token."""
    with IdentityEmulator(control_token="s3cret") as emulator:
        yield control_of(emulator)


class TestControlToken:
    def test_needed(self, guarded: Control) -> None:
        for path in READS:
            assert guarded("GET", path).status == 401
            assert guarded("GET", path, Authorization="Bearer wrong").status == 401
            assert guarded("GET", path, Authorization="Digest s3cret").status == 401
            assert guarded("GET", path, Authorization="Basic ***").status == 401
            assert guarded("GET", path, Authorization="Bearer s3cret").status == 200
        assert guarded("POST", "reset").status == 401

    def test_not_needed_for_what_is_public(self, guarded: Control) -> None:
        for path in ("health", "ca.pem", "jwks.json", "openapi.json"):
            assert guarded("GET", path).status == 200

    def test_by_other_names(self, guarded: Control) -> None:
        reply = guarded("GET", "clock", Host="emulator:8080", Authorization="Bearer s3cret")
        assert reply.status == 200

    def test_from_the_browser(self, guarded: Control) -> None:
        password = base64.b64encode(b"anyone:s3cret").decode()
        page = {"prefix": "/", "Accept": "text/html"}
        asked = guarded("GET", "", **page)
        assert asked.status == 401
        assert asked.headers["WWW-Authenticate"] == 'Basic realm="acs-identity-emulator"'
        assert guarded("GET", "", **page, Authorization=f"Basic {password}").status == 200
        # A browser sends the password to every page's request, so that the origin still counts.
        foreign = {"Authorization": f"Basic {password}", "Origin": "http://evil.example"}
        assert guarded("POST", "reset", **foreign).status == 403

    @pytest.mark.parametrize("token", ["", "a b", "ä", "x\n"])
    def test_invalid(self, token: str) -> None:
        with pytest.raises(ValueError, match="control_token must consist of ASCII letters"):
            IdentityEmulator(control_token=token)


class TestPage:
    def page(self, control: Control) -> SimpleNamespace:
        return control("GET", "", prefix="/", Accept="text/html,*/*")

    def test_shows_the_state(self, control: Control, emulator: IdentityEmulator, user: str) -> None:
        emulator.inject("issue", "status:429", times=3)
        reply = self.page(control)
        assert reply.status == 200
        assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
        text = reply.body.decode()
        assert text.count(user) == 2  # as an identity, and in the call that created it
        assert "<td>issue</td><td>status:429</td><td>3</td><td>0</td>" in text
        (table,) = re.findall(r'id="faults".*?</table>', text, re.S)
        assert table.count("<th ") == table.count("<td>") == 4

    def test_shows_the_newest_calls_and_the_first_identities(
        self, control: Control, emulator: IdentityEmulator, send: Send
    ) -> None:
        for _ in range(51):
            assert send("POST", "/identities").status == 201
        send("GET", "/nowhere")
        text = self.page(control).body.decode()
        assert "Calls (52)" in text
        assert "Identities (51)" in text
        (calls,) = re.findall(r'id="calls".*?</table>', text, re.S)
        (identities,) = re.findall(r'id="identities".*?</table>', text, re.S)
        assert calls.count("<td>create</td>") == 49
        assert calls.index("GET /nowhere") < calls.index("<td>create</td>")
        shown = re.findall(r"8:acs:[0-9a-f_-]+", identities)
        assert shown == [each.id for each in emulator.identities()[:50]]

    def test_reads_no_more_calls_than_it_shows(self) -> None:
        """It is built in the event loop, every two seconds."""
        built: list[int] = []

        def entry(number: int) -> JournalEntry:
            built.append(number)
            return JournalEntry(number, None, None, (), None, None, 404, None, None, "GET", "/")

        journal = Journal()
        for number in range(200):
            journal.record(partial(entry, number))
        service: Any = SimpleNamespace(
            token_lifetime=None, identities=lambda _: [], identity_count=int, limits=list
        )
        page = Page("", service, FaultQueue(), ServiceClock(), journal)
        request = WireRequest("GET", "/", CIMultiDictProxy(CIMultiDict()), b"", False)
        assert page.answer(request).status == 200
        assert built == list(range(199, 149, -1))

    def test_shows_no_secret(self, control: Control, emulator: IdentityEmulator) -> None:
        text = self.page(control).body.decode()
        assert emulator.access_key not in text
        assert emulator.managed_identity_environment["IDENTITY_HEADER"] not in text

    def test_markup_is_escaped(self, control: Control, send: Send) -> None:
        send("POST", "/identities", {"customId": "<script>x"}, version="2025-03-02-preview")
        send("GET", "/identities/%3Cscript%3E")
        text = self.page(control).body.decode()
        assert "<script>" not in text
        assert "&lt;script&gt;x" in text

    def test_only_its_own_scripts_run(self, control: Control) -> None:
        first, second = (self.page(control) for _ in range(2))
        policy = first.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        nonce = policy.partition("script-src 'nonce-")[2].partition("'")[0]
        assert f'<script nonce="{nonce}">' in first.body.decode()
        assert policy != second.headers["Content-Security-Policy"]

    def test_others_get_what_the_service_answers(self, control: Control) -> None:
        assert control("GET", "", prefix="/", Accept="application/json").code == "Denied"
        assert control("POST", "", prefix="/", Accept="text/html").code == "Denied"
