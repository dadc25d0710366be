"""The documented limits per 30 seconds."""

import json
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from acs_identity_emulator import IdentityEmulator
from acs_identity_emulator.authentication.authenticators import Caller
from acs_identity_emulator.contract.errors import ServiceError
from acs_identity_emulator.contract.versions import Operation
from acs_identity_emulator.operations.calls import Call
from acs_identity_emulator.operations.throttling import LIMITS, Throttle

Send = Callable[..., SimpleNamespace]

WITH_TOKEN = json.dumps({"createTokenWithScopes": ["chat"]}).encode()
DOCUMENTED = [
    (Operation.CREATE, b"", 1000),
    (Operation.CREATE, b'{"createTokenWithScopes": []}', 1000),
    (Operation.CREATE, WITH_TOKEN, 1000),
    (Operation.ISSUE, b"{}", 1000),
    (Operation.DELETE, b"", 500),
    (Operation.REVOKE, b"", 500),
    (Operation.EXCHANGE_TEAMS_USER, b"{}", 500),
    (Operation.EXCHANGE_TEAMS_EXTENSION, b"{}", 500),
    (Operation.EXCHANGE_ENTRA, b"{}", 500),
]


def call(operation: Operation, body: bytes = b"") -> Call:
    return Call(operation, "2025-06-30", (), body, Caller("primary-0"))


class FrozenTime:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def is_throttled(throttle: Throttle, operation: Operation, body: bytes = b"") -> bool:
    try:
        throttle.count(call(operation, body))
    except ServiceError as error:
        return error.status == 429
    return False


@pytest.mark.parametrize(("operation", "body", "limit"), DOCUMENTED)
def test_limits(operation: Operation, body: bytes, limit: int) -> None:
    time = FrozenTime()
    throttle = Throttle(time, tells_when=False)
    time.now += 10
    assert not any(is_throttled(throttle, operation, body) for _ in range(limit))
    assert is_throttled(throttle, operation, body)
    time.now += 29.9
    assert is_throttled(throttle, operation, body)
    time.now += 0.1
    assert not is_throttled(throttle, operation, body)


def test_limits_are_apart() -> None:
    throttle = Throttle(FrozenTime(), tells_when=False)
    for _ in range(1001):
        is_throttled(throttle, Operation.CREATE)
    assert is_throttled(throttle, Operation.CREATE)
    assert not is_throttled(throttle, Operation.CREATE, WITH_TOKEN)
    assert not is_throttled(throttle, Operation.ISSUE)


@pytest.mark.parametrize(
    "operation",
    [
        Operation.GET,
        Operation.GET_ASSIGNMENT,
        Operation.PUT_ASSIGNMENT,
        Operation.DELETE_ASSIGNMENT,
        Operation.LIST_ENTRA_ASSIGNMENTS,
        Operation.UPDATE_ENTRA_ASSIGNMENTS,
        Operation.GET_ENTRA_ASSIGNMENT,
        Operation.PUT_ENTRA_ASSIGNMENT,
        Operation.DELETE_ENTRA_ASSIGNMENT,
    ],
)
def test_no_limit_is_documented(operation: Operation) -> None:
    throttle = Throttle(FrozenTime(), tells_when=False)
    assert not any(is_throttled(throttle, operation) for _ in range(1001))


@pytest.mark.parametrize("seconds", [0.5, 3600])
def test_a_clock_that_goes_back_begins_a_window(seconds: float) -> None:
    time = FrozenTime()
    throttle = Throttle(time, tells_when=False)
    while not is_throttled(throttle, Operation.DELETE):
        pass
    time.now -= seconds
    assert not is_throttled(throttle, Operation.DELETE)


@pytest.mark.parametrize(
    ("operation", "body", "name"),
    [
        (Operation.CREATE, b"", "create"),
        (Operation.CREATE, b"{", "create"),
        (Operation.CREATE, b"[" * 100_000, "create"),
        (Operation.CREATE, b'["createTokenWithScopes"]', "create"),
        (Operation.CREATE, b'{"createTokenWithScopes": []}', "create"),
        (Operation.CREATE, WITH_TOKEN, "create-with-token"),
        (Operation.ISSUE, WITH_TOKEN, "issue"),
        (Operation.DELETE, b"", "delete"),
        (Operation.REVOKE, b"", "revoke"),
        (Operation.EXCHANGE_TEAMS_USER, b"{}", "exchange"),
        (Operation.EXCHANGE_TEAMS_EXTENSION, b"{}", "exchange"),
        (Operation.EXCHANGE_ENTRA, b"{}", "exchange"),
    ],
)
def test_usage(operation: Operation, body: bytes, name: str) -> None:
    time = FrozenTime()
    throttle = Throttle(time, tells_when=False)

    def used() -> dict[str, int]:
        return {limit.name: limit.used for limit in throttle.usage()}

    unused = dict.fromkeys(LIMITS, 0)
    assert used() == unused
    for count in (1, 2):
        throttle.count(call(operation, body))
        assert used() == {**unused, name: count}
    time.now += 29.5
    assert used()[name] == 2
    time.now += 0.5
    assert used() == unused
    throttle.count(call(operation, body))
    assert used()[name] == 1
    throttle.clear()
    assert used() == unused


@pytest.mark.parametrize(("waited", "left"), [(0, 30), (0.5, 30), (28.5, 2), (29, 1), (29.9, 1)])
def test_seconds_to_wait(waited: float, left: int) -> None:
    time = FrozenTime()
    throttle = Throttle(time, tells_when=True)
    for _ in range(500):
        throttle.count(call(Operation.DELETE))
    time.now += waited
    with pytest.raises(ServiceError) as caught:
        throttle.count(call(Operation.DELETE))
    assert caught.value.retry_after == left


class TestOverTheWire:
    @pytest.fixture(params=[False, True], ids=["silent", "retry-after"])
    def retry_after(self, request: pytest.FixtureRequest) -> bool:
        return bool(request.param)

    @pytest.fixture
    def throttled(self, retry_after: bool) -> Iterator[IdentityEmulator]:
        time = FrozenTime()
        with IdentityEmulator(throttle=True, retry_after=retry_after, clock=time) as emulator:
            yield emulator

    def test_the_501st(self, throttled: IdentityEmulator, send: Send, retry_after: bool) -> None:
        from email.utils import formatdate

        def revoke() -> SimpleNamespace:
            path = "/identities/x/:revokeAccessTokens"
            return send("POST", path, to=throttled, date=formatdate(1000.0, usegmt=True))

        assert {revoke().status for _ in range(500)} == {400}
        reply = revoke()
        assert (reply.status, reply.error) == (
            429,
            {"code": "TooManyRequests", "message": "Request limit exceeded."},
        )
        assert reply.headers["Retry-After"] == ("30" if retry_after else None)
        assert "api-supported-versions" in reply.headers
        throttled.reset()
        assert revoke().status == 400


def test_off_by_default(send: Send) -> None:
    path = "/identities/x/:revokeAccessTokens"
    assert {send("POST", path).status for _ in range(501)} == {400}
