"""timeout= is the deadline of a whole call, whatever the call is waiting for."""

import asyncio
import base64
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
import trustme
from azure.core.configuration import ConnectionConfiguration
from azure.core.credentials import AccessToken, AccessTokenInfo
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline import PipelineContext, PipelineRequest
from azure.core.pipeline.transport import AioHttpTransport, RequestsTransport
from azure.core.rest import HttpRequest
from either_client import ClientFactory
from scripted_service import ScriptedService
from transports.raw_server import PATIENCE, RawServer, answer

from azure.communication.identity._pipeline.deadlines import (
    TIMEOUTS,
    attempt_options,
    ended_by,
)
from azure.communication.identity._pipeline.retries import AsyncOperationRetryPolicy

TOKEN = b'{"token": "t", "expiresOn": "2124-03-01T12:30:05Z"}'
ANSWERED = answer(TOKEN, "Content-Type: application/json")
# How much longer than its timeout a call may take: a second, and what a busy machine adds.
SLACK = 2.0


def hang(connection: Any) -> None:
    threading.Event().wait(PATIENCE)


@contextmanager
def ends_in_time(timeout: float, *errors: type[Exception]) -> Iterator[Any]:
    began = time.monotonic()
    with pytest.raises(errors or ServiceResponseTimeoutError) as raised:
        yield raised
    assert time.monotonic() - began < timeout + SLACK


@pytest.fixture(params=["default", "stock"])
def options(request: pytest.FixtureRequest, flavour: str) -> Callable[[], dict[str, Any]]:
    """Makes the options of a client with the default transport, or with that of azure-core."""

    def make() -> dict[str, Any]:
        if request.param == "default":
            return {}
        stock = RequestsTransport() if flavour == "sync" else AioHttpTransport()
        return {"transport": stock}

    return make


@pytest.mark.parametrize("of_the_call", [True, False])
def test_a_server_that_does_not_answer(
    make_client: ClientFactory, options: Callable[[], dict[str, Any]], of_the_call: bool
) -> None:
    limit = {"timeout": 0.5}
    given = options()
    with RawServer(hang) as server:
        client = make_client(server.url, **given, **({} if of_the_call else limit))
        with ends_in_time(0.5) as raised:
            client.get_token("8:acs:x", ["chat"], **(limit if of_the_call else {}))
    if not given:  # the transport ends the attempt itself, and knows what it waited for
        assert raised.value.message == f"{server.url} sent no complete response in time."


@pytest.mark.parametrize("takes_deadline", [True, False])
def test_only_a_transport_that_keeps_the_deadline_is_cancelled_later(takes_deadline: bool) -> None:
    transport: Any = SimpleNamespace(**({"takes_deadline": True} if takes_deadline else {}))
    context = PipelineContext(transport, timeout=60)
    request = PipelineRequest(HttpRequest("GET", "https://host"), context)
    grace = AsyncOperationRetryPolicy().attempts(request).grace
    assert (0 < grace < 1) if takes_deadline else grace == 0


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {"connection_timeout": 3, "read_timeout": 7}),
        ({"read_timeout": 5}, {"connection_timeout": 3, "read_timeout": 5}),
        ({"connection_timeout": 5}, {"connection_timeout": 5, "read_timeout": 7}),
        ({"connection_timeout": None, "read_timeout": 70}, dict.fromkeys(TIMEOUTS, 60)),
        ({"connection_timeout": (1, 2)}, {"connection_timeout": (1, 2)}),
        ({"connection_timeout": (70, None)}, {"connection_timeout": (60, 60)}),
    ],
)
def test_the_timeouts_of_an_attempt_by_another_transport(
    options: dict[str, Any], expected: dict[str, Any]
) -> None:
    transport = SimpleNamespace(connection_config=ConnectionConfiguration())
    transport.connection_config.timeout = 3
    transport.connection_config.read_timeout = 7
    found = attempt_options(transport, options, time.monotonic() + 60)
    assert found.keys() == expected.keys()
    for name, seconds in expected.items():
        assert found[name] == pytest.approx(seconds, abs=1)


def test_a_timeout_of_the_call_takes_precedence(
    make_client: ClientFactory, service: ScriptedService
) -> None:
    service.will_answer(200, TOKEN)
    client = make_client(service.endpoint, timeout=0)
    with ends_in_time(0):
        client.get_token("8:acs:x", ["chat"])
    assert not service.requests
    assert client.get_token("8:acs:x", ["chat"], timeout=None).token == "t"
    assert client.get_token("8:acs:x", ["chat"], timeout=60).token == "t"


def test_it_must_be_a_number(make_client: ClientFactory, service: ScriptedService) -> None:
    client = make_client(service.endpoint)
    with pytest.raises(TypeError, match="timeout must be a number of seconds, not str"):
        client.get_token("8:acs:x", ["chat"], timeout="5")
    with pytest.raises(ValueError, match="timeout must be a number of seconds, not nan"):
        client.get_token("8:acs:x", ["chat"], timeout=float("nan"))
    assert service.requests == []


@pytest.mark.parametrize("seconds", [1e10, float("inf"), 10**400], ids=["1e10", "inf", "10**400"])
def test_longer_than_a_socket_takes_is_no_limit(
    make_client: ClientFactory, service: ScriptedService, seconds: float
) -> None:
    service.will_answer(200, TOKEN)
    client = make_client(service.endpoint)
    for names in (["timeout"], ["read_timeout", "connection_timeout"], ["timeout", "read_timeout"]):
        options = dict.fromkeys(names, seconds)
        assert client.get_token("8:acs:x", ["chat"], **options).token == "t"


def test_a_pause_that_would_outlast_it_ends_the_call_with_the_last_response(
    make_client: ClientFactory, service: ScriptedService
) -> None:
    service.will_answer(500)
    client = make_client(service.endpoint, retry_backoff_factor=2)
    with ends_in_time(0, HttpResponseError):
        client.get_token("8:acs:x", ["chat"], timeout=3)
    assert len(service.requests) == 2


def test_all_attempts_together_have_one_deadline(
    make_client: ClientFactory, options: Callable[[], dict[str, Any]]
) -> None:
    def slowly_close(connection: Any) -> None:
        threading.Event().wait(0.4)
        connection.close()

    with RawServer(slowly_close) as server:
        client = make_client(
            server.url, retry_read=100, retry_connect=100, retry_backoff_factor=0, **options()
        )
        with ends_in_time(1, Exception):
            client.get_token("8:acs:x", ["chat"], timeout=1)
    assert 1 < len(server.requests) < 5


def test_redirects_do_not_start_it_anew(
    make_client: ClientFactory, options: Callable[[], dict[str, Any]]
) -> None:
    redirect = answer(b"", "Location: /elsewhere", status="307 Moved")

    def slowly_redirect(connection: Any) -> None:
        threading.Event().wait(0.3)
        redirect(connection)

    with RawServer(slowly_redirect) as server:
        client = make_client(server.url, permit_redirects=True, **options())
        with ends_in_time(1):
            client.get_token("8:acs:x", ["chat"], timeout=1)


@pytest.mark.parametrize("unlimited", [0, pytest.param(None, marks=pytest.mark.heavy)])
@pytest.mark.parametrize("name", ["read_timeout", "connection_timeout"])
@pytest.mark.parametrize("of_the_call", [True, False])
@pytest.mark.parametrize("timeout", [None, pytest.param(60, marks=pytest.mark.heavy)])
def test_zero_and_none_are_no_limit(
    make_client: ClientFactory,
    flavour: str,
    name: str,
    unlimited: float | None,
    of_the_call: bool,
    timeout: float | None,
) -> None:
    def slowly_answer(connection: Any) -> None:
        threading.Event().wait(0.1)
        ANSWERED(connection)

    limits = {name: unlimited, "timeout": timeout}
    stock: Any = RequestsTransport if flavour == "sync" else AioHttpTransport
    kinds: list[dict[str, Any]] = [{}, {"transport": stock()}]
    if flavour == "sync":
        kinds.append({"session": requests.Session()})
    with RawServer(slowly_answer) as server:
        for kind in kinds:
            client = make_client(server.url, **kind, **({} if of_the_call else limits))
            got = client.get_token("8:acs:x", ["chat"], **(limits if of_the_call else {}))
            assert got.token == "t"
            client.close()


def test_each_attempt_has_the_timeouts_of_the_call_again(
    make_client: ClientFactory, flavour: str
) -> None:
    seen: list[dict[str, Any]] = []
    behaviours = [answer(status="500 Oops"), ANSWERED]
    stock: Any = RequestsTransport if flavour == "sync" else AioHttpTransport

    class Watching(stock):  # type: ignore[misc]
        def send(self, request: Any, **kwargs: Any) -> Any:
            seen.append(kwargs)
            return super().send(request, **kwargs)

    with RawServer(lambda connection: behaviours.pop(0)(connection)) as server:
        client = make_client(server.url, transport=Watching(connection_timeout=30))
        client.get_token("8:acs:x", ["chat"], timeout=20, read_timeout=5)
        client.close()
    assert [kwargs["read_timeout"] for kwargs in seen] == [5, 5]
    first, second = (kwargs["connection_timeout"] for kwargs in seen)
    assert 10 < second < first <= 20
    assert all("deadline" not in kwargs for kwargs in seen)


class Slow:
    """A slow Entra credential."""

    def __init__(self, *seconds: float) -> None:
        self.waits = list(seconds)
        self.claims: list[Any] = []

    def wait(self) -> float:
        return self.waits.pop(0) if self.waits else 0

    def get_token(self, *scopes: str, claims: str | None = None, **kwargs: Any) -> Any:
        self.claims.append(claims)
        threading.Event().wait(self.wait())
        return AccessToken(f"token-{len(self.claims)}", int(time.time()) + 3600)

    def close(self) -> None: ...


class AsyncSlow(Slow):
    async def get_token(self, *scopes: str, claims: str | None = None, **kwargs: Any) -> Any:
        self.claims.append(claims)
        await asyncio.sleep(self.wait())
        return AccessToken(f"token-{len(self.claims)}", int(time.time()) + 3600)

    async def close(self) -> None: ...  # type: ignore[override]


class SlowInfo:
    """The same, with the newer method alone."""

    def __init__(self, slow: Any) -> None:
        self._slow = slow

    def get_token_info(self, *scopes: str, options: Any = None) -> Any:
        return AccessTokenInfo(*self._slow.get_token(*scopes))


class AsyncSlowInfo(SlowInfo):
    async def get_token_info(self, *scopes: str, options: Any = None) -> Any:
        return AccessTokenInfo(*await self._slow.get_token(*scopes))


class SlowBoth(Slow, SlowInfo):
    """With both methods, as those of azure-identity."""

    def __init__(self, *seconds: float) -> None:
        super().__init__(*seconds)
        self._slow = self


class AsyncSlowBoth(AsyncSlow, AsyncSlowInfo):
    def __init__(self, *seconds: float) -> None:
        super().__init__(*seconds)
        self._slow = self


CHALLENGE = base64.urlsafe_b64encode(b'{"access_token": {}}').decode().rstrip("=")


class TestEntraCredentials:
    @pytest.fixture
    def tls(self, tmp_path: Path) -> tuple[ssl.SSLContext, str]:
        authority = trustme.CA()
        bundle = tmp_path / "ca.pem"
        authority.cert_pem.write_to_path(str(bundle))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("localhost").configure_cert(context)
        return context, str(bundle)

    @pytest.mark.parametrize("methods", ["get_token", "get_token_info", "both"])
    def test_a_slow_token(
        self, make_client: ClientFactory, flavour: str, tls: Any, methods: str
    ) -> None:
        slow: Any = Slow(PATIENCE) if flavour == "sync" else AsyncSlow(PATIENCE)
        credential = slow
        if methods == "get_token_info":
            credential = (SlowInfo if flavour == "sync" else AsyncSlowInfo)(slow)
        elif methods == "both":
            slow = credential = (SlowBoth if flavour == "sync" else AsyncSlowBoth)(PATIENCE)
        with RawServer(ANSWERED, tls[0]) as server:
            client = make_client(server.url, credential, connection_verify=tls[1])
            with ends_in_time(0.5):
                client.get_token("8:acs:x", ["chat"], timeout=0.5)
            assert not server.requests
            assert client.get_token("8:acs:x", ["chat"], timeout=60).token == "t"
            client.close()

    @pytest.mark.parametrize("wait", [0, PATIENCE])
    def test_a_challenge(
        self, make_client: ClientFactory, flavour: str, tls: Any, wait: float
    ) -> None:
        challenge = answer(
            b"",
            f'WWW-Authenticate: Bearer error="insufficient_claims", claims="{CHALLENGE}"',
            status="401 No",
        )
        behaviours = [challenge, ANSWERED]
        credential = (Slow if flavour == "sync" else AsyncSlow)(0, wait)
        with RawServer(lambda peer: behaviours.pop(0)(peer), tls[0]) as server:
            client = make_client(server.url, credential, connection_verify=tls[1])
            if wait:
                with ends_in_time(0.5):
                    client.get_token("8:acs:x", ["chat"], timeout=0.5)
            else:
                assert client.get_token("8:acs:x", ["chat"], timeout=60, retry_total=0).token
                assert len(server.requests) == 2
            client.close()
        assert credential.claims == [None, '{"access_token": {}}']

    @pytest.mark.parametrize("kind", [ClientAuthenticationError, TimeoutError, FutureTimeout])
    def test_its_own_error_is_not_a_timeout(
        self, make_client: ClientFactory, flavour: str, tls: Any, kind: type[Exception]
    ) -> None:
        class Refusing(Slow if flavour == "sync" else AsyncSlow):  # type: ignore[misc]
            def wait(self) -> float:
                raise kind("signed out")

        with RawServer(ANSWERED, tls[0]) as server:
            client = make_client(server.url, Refusing(), connection_verify=tls[1])
            with pytest.raises(kind, match="signed out"):
                client.get_token("8:acs:x", ["chat"], timeout=60)
            client.close()


def cancellations() -> int:
    """How many times the current task has been cancelled. Python 3.10 does not count."""
    task: Any = asyncio.current_task()
    return task.cancelling() if sys.version_info >= (3, 11) else 0


class TestCancellation:
    """The deadline of an async call cancels its task, which nobody else may notice."""

    async def test_a_cancelled_call_is_cancelled(self) -> None:
        from azure.communication.identity.aio import CommunicationIdentityClient

        counts: list[int] = []

        async def call() -> None:
            try:
                await client.get_token("8:acs:x", ["chat"], timeout=60)
            finally:
                counts.append(cancellations())

        with RawServer(hang) as server:
            async with CommunicationIdentityClient(server.url, "a2V5") as client:
                task = asyncio.ensure_future(call())
                await asyncio.sleep(0.1)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
        assert counts == [int(sys.version_info >= (3, 11))]

    def test_outside_of_asyncio_there_is_no_limit(self) -> None:
        async def late() -> str:
            return "late"

        with pytest.raises(StopIteration) as ended:
            ended_by(time.monotonic(), late()).send(None)
        assert ended.value.value == "late"

    async def test_a_call_that_times_out_leaves_its_task_uncancelled(self) -> None:
        with pytest.raises(ServiceResponseTimeoutError):
            await ended_by(time.monotonic(), asyncio.sleep(PATIENCE))
        assert cancellations() == 0

    async def test_a_call_of_a_task_that_cleans_up_after_a_cancellation_times_out(self) -> None:
        async def clean_up() -> int:
            try:
                await asyncio.sleep(PATIENCE)
            except asyncio.CancelledError:
                with pytest.raises(ServiceResponseTimeoutError):
                    await ended_by(time.monotonic(), asyncio.sleep(PATIENCE))
            return cancellations()

        task = asyncio.ensure_future(clean_up())
        await asyncio.sleep(0)
        task.cancel()
        assert await task == int(sys.version_info >= (3, 11))

    @pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 does not count them")
    async def test_a_call_that_is_cancelled_at_its_deadline_is_cancelled(self) -> None:
        task = asyncio.ensure_future(ended_by(time.monotonic(), asyncio.sleep(PATIENCE)))
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_later(0, task.cancel)  # in the same step as the deadline
        with pytest.raises(asyncio.CancelledError):
            await task
