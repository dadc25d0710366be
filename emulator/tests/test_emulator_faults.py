"""Misbehaviour on demand: each fault as a client sees it, and which request gets it."""

import http.client
import json
import time
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from types import SimpleNamespace

import pytest

from acs_identity_emulator import IdentityEmulator

Send = Callable[..., SimpleNamespace]


@pytest.fixture(autouse=True)
def _empty(emulator: IdentityEmulator) -> Iterator[None]:
    emulator.reset()
    yield
    emulator.reset()


class TestWhatTheClientSees:
    @pytest.mark.parametrize(
        ("fault", "code", "message", "retry_after"),
        [
            ("status:429", "TooManyRequests", "Request limit exceeded.", None),
            ("status:429:7", "TooManyRequests", "Request limit exceeded.", "7"),
            ("status:401", "Denied", "Denied by the resource provider.", None),
            ("status:500", "InternalServerError", "Internal Server Error.", None),
            ("status:503:0", "ServiceUnavailable", "Service Unavailable.", "0"),
            ("status:599", "UnknownError", "Unknown Error.", None),
        ],
    )
    def test_status(
        self,
        emulator: IdentityEmulator,
        send: Send,
        fault: str,
        code: str,
        message: str,
        retry_after: str | None,
    ) -> None:
        emulator.inject("create", fault)
        reply = send("POST", "/identities")
        assert (reply.status, reply.error) == (
            int(fault.split(":")[1]),
            {"code": code, "message": message},
        )
        assert reply.headers["Retry-After"] == retry_after
        assert ("api-supported-versions" in reply.headers) == (code != "Denied")
        assert emulator.identities() == []

    def test_html(self, emulator: IdentityEmulator, send: Send) -> None:
        emulator.inject("create", "html")
        reply = send("POST", "/identities")
        assert (reply.status, reply.json) == (503, None)
        assert reply.headers["Content-Type"].startswith("text/html")
        assert reply.body.startswith(b"<!DOCTYPE html>")
        assert emulator.identities() == []

    def test_delay(self, emulator: IdentityEmulator, send: Send) -> None:
        emulator.inject("create", "delay:0.05")
        started = time.perf_counter()
        assert send("POST", "/identities").status == 201
        assert time.perf_counter() - started >= 0.05

    def test_a_delay_holds_up_nobody_else(self, emulator: IdentityEmulator, send: Send) -> None:
        import threading

        emulator.inject("create", "delay:0.2")
        late = threading.Thread(target=send, args=("POST", "/identities"))
        late.start()
        while emulator_has_faults(emulator):
            time.sleep(0.001)
        assert send("POST", "/identities").status == 201
        assert late.is_alive()
        late.join()

    def test_reset(self, emulator: IdentityEmulator, send: Send) -> None:
        emulator.inject("create", "reset")
        with pytest.raises(ConnectionResetError):
            send("POST", "/identities")
        assert emulator.identities() == []
        assert send("POST", "/identities").status == 201

    def test_reset_in_body(self, emulator: IdentityEmulator, send: Send) -> None:
        emulator.inject("create", "reset-in-body")
        with pytest.raises((ConnectionResetError, http.client.IncompleteRead)) as caught:
            send("POST", "/identities")
        if isinstance(caught.value, http.client.IncompleteRead):
            assert caught.value.partial.startswith(b'{"identity"')
        assert len(emulator.identities()) == 1

    @pytest.mark.parametrize("body", [b"", b"{"])
    def test_truncated(self, emulator: IdentityEmulator, send: Send, body: bytes) -> None:
        whole = send("POST", "/identities", body)
        emulator.inject("create", "truncated")
        reply = send("POST", "/identities", body)
        assert (reply.status, reply.json) == (whole.status, None)
        assert len(reply.body) == len(whole.body) // 2

    def test_no_fields(self, emulator: IdentityEmulator, send: Send, user: str) -> None:
        emulator.inject("issue", "no-fields")
        reply = send("POST", f"/identities/{user}/:issueAccessToken", {"scopes": ["chat"]})
        assert (reply.status, reply.json) == (200, {})

    @pytest.mark.parametrize("minutes", [-6, 6, 90])
    def test_clock(self, emulator: IdentityEmulator, send: Send, minutes: int) -> None:
        emulator.inject("create", f"clock:{minutes}")
        reply = send("POST", "/identities")
        assert (reply.status, reply.code) == (401, "Denied")
        assert "margin of 5 minutes" in reply.error["message"]
        off = parsedate_to_datetime(reply.headers["Date"]).timestamp() - time.time()
        assert abs(off - 60 * minutes) < 10
        assert send("POST", "/identities").status == 201

    def test_clock_within_the_margin(self, emulator: IdentityEmulator, send: Send) -> None:
        emulator.inject("create", "clock:4")
        reply = send("POST", "/identities", {"createTokenWithScopes": ["chat"]})
        assert reply.status == 201
        assert emulator.is_token_valid(reply.json["accessToken"]["token"])


def emulator_has_faults(emulator: IdentityEmulator) -> bool:
    from urllib.request import urlopen

    with urlopen(f"{emulator.endpoint}.emulator/faults") as response:
        return bool(json.load(response)["faults"])


class TestWhichRequest:
    def test_of_the_operation_and_so_often(
        self, emulator: IdentityEmulator, send: Send, user: str
    ) -> None:
        emulator.inject("revoke", "status:500", times=2)
        assert send("POST", "/identities").status == 201
        path = f"/identities/{user}/:revokeAccessTokens"
        assert [send("POST", path).status for _ in range(3)] == [500, 500, 204]

    def test_any(self, emulator: IdentityEmulator, send: Send, user: str) -> None:
        emulator.inject("any", "status:500", times=2)
        assert send("GET", "/nowhere").status == 404
        assert send("DELETE", f"/identities/{user}").status == 500
        assert send("POST", "/identities").status == 500
        assert send("POST", "/identities").status == 201

    def test_in_order(self, emulator: IdentityEmulator, send: Send) -> None:
        for status in (500, 501, 502):
            emulator.inject("create", f"status:{status}")
        assert [send("POST", "/identities").status for _ in range(4)] == [500, 501, 502, 201]

    def test_a_fault_of_the_body_waits_for_one(
        self, emulator: IdentityEmulator, send: Send, user: str
    ) -> None:
        emulator.inject("any", "truncated")
        assert send("DELETE", f"/identities/{user}").status == 204
        assert send("POST", "/identities").json is None

    def test_reset_forgets_them(self, emulator: IdentityEmulator, send: Send) -> None:
        emulator.inject("create", "status:500")
        emulator.reset()
        assert send("POST", "/identities").status == 201


INVALID = [
    ("sing", "html", 1, "operation must be any, create, get"),
    ("create", "flood", 1, "fault must be one of those listed, not 'flood'"),
    ("create", "status", 1, "fault must be"),
    ("create", "status:200", 1, "fault must be"),
    ("create", "status:600", 1, "fault must be"),
    ("create", "status:x", 1, "fault must be"),
    ("create", "status:429:-1", 1, "fault must be"),
    ("create", "status:429:1:1", 1, "fault must be"),
    ("create", "delay:-1", 1, "fault must be"),
    ("create", "delay:nan", 1, "fault must be"),
    ("create", "clock:inf", 1, "fault must be"),
    ("create", "clock:nan", 1, "fault must be"),
    ("create", "clock:1e300", 1, "fault must be"),
    ("create", "clock:-1e9", 1, "fault must be"),
    ("create", "html:1", 1, "fault must be"),
    ("create", "html", 0, "times must be a positive integer, not 0"),
    ("delete", "truncated", 1, "delete answers without a body"),
]


@pytest.mark.parametrize(("operation", "fault", "times", "message"), INVALID)
def test_inject_refuses(
    emulator: IdentityEmulator, operation: str, fault: str, times: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        emulator.inject(operation, fault, times)
    assert not emulator_has_faults(emulator)


class TestOverTheWire:
    def control(self, send_bytes: Send, method: str, body: object = None) -> SimpleNamespace:
        content = b"" if body is None else json.dumps(body).encode()
        head = f"{method} /.emulator/faults HTTP/1.1\r\nHost: localhost\r\n"
        return send_bytes(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)

    def test_inject_list_clear(self, send: Send, send_bytes: Send) -> None:
        body = {"operation": "create", "fault": "status:500", "times": 3}
        assert self.control(send_bytes, "POST", body).status == 204
        assert send("POST", "/identities").status == 500
        listed = self.control(send_bytes, "GET").json
        assert listed == {"faults": [{**body, "times": 2, "used": 1}]}
        assert self.control(send_bytes, "DELETE").status == 204
        assert self.control(send_bytes, "GET").json == {"faults": []}
        assert send("POST", "/identities").status == 201

    def test_once_by_default(self, send: Send, send_bytes: Send) -> None:
        self.control(send_bytes, "POST", {"operation": "create", "fault": "html"})
        assert [send("POST", "/identities").status for _ in range(2)] == [503, 201]

    @pytest.mark.parametrize(
        "body",
        [
            None,
            [],
            {"operation": "create"},
            {"operation": "create", "fault": "flood"},
            {"operation": "create", "fault": "html", "times": 0},
            {"operation": "create", "fault": "html", "times": "1"},
        ],
    )
    def test_refused(self, send_bytes: Send, body: object) -> None:
        reply = self.control(send_bytes, "POST", body)
        assert (reply.status, reply.code) == (400, "ValidationError")

    def test_reset(self, emulator: IdentityEmulator, send: Send, send_bytes: Send) -> None:
        send("POST", "/identities")
        reply = send_bytes(
            b"POST /.emulator/reset HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
        )
        assert reply.status == 204
        assert emulator.identities() == []
