"""Which requests are repeated after which failures, as in the documented table."""

import socket
import time
from typing import Any

import pytest
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
)
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.pipeline.transport import AsyncHttpTransport, HttpTransport
from azure.core.rest import HttpRequest
from either_client import KEY, ClientFactory, EitherClient
from scripted_service import ScriptedService
from transports.raw_server import RawServer, answer

from azure.communication.identity._pipeline import retry_rules

TOKEN = {"token": "t", "expiresOn": "2124-03-01T12:30:05Z"}
ASSIGNMENT = {"tenantId": "t", "objectId": "o", "principalType": "user", "clientIds": []}
EVERYTHING = {"identity": {"id": "8:acs:x"}, "id": "8:acs:x", **TOKEN, **ASSIGNMENT}
PREVIEW = {"api_version": "2025-03-02-preview"}

# Method, arguments, keyword arguments, status of success.
REPEATABLE: list[tuple[str, tuple[Any, ...], dict[str, Any], int]] = [
    ("create_user", (), {"custom_id": "mine", **PREVIEW}, 201),
    ("get_token", ("8:acs:x", ["chat"]), {}, 200),
    ("revoke_tokens", ("8:acs:x",), {}, 204),
    ("delete_user", ("8:acs:x",), {}, 204),
    ("get_user_detail", ("8:acs:x",), PREVIEW, 200),
    ("get_token_for_teams_user", ("t", "a", "u"), {}, 200),
    ("get_teams_extension_assignment", ("t", "o"), {}, 200),
    ("upsert_teams_extension_assignment", ("t", "o", "user"), {}, 200),
    ("delete_teams_extension_assignment", ("t", "o"), {}, 204),
]
NOT_REPEATABLE: list[tuple[str, tuple[Any, ...], dict[str, Any], int]] = [
    ("create_user", (), {}, 201),
    ("create_user_and_token", (["chat"],), {}, 201),
]
TRANSIENT = [408, 429, 500, 502, 503, 504]
REJECTING = [429, 503]


def calls(cases: list[tuple[str, tuple[Any, ...], dict[str, Any], int]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("method", "arguments", "keywords", "success"), cases, ids=[case[0] for case in cases]
    )


@pytest.mark.parametrize("status", TRANSIENT)
@calls(REPEATABLE)
def test_a_repeatable_operation_is_repeated_after_any_transient_status(
    scripted_client: EitherClient,
    service: ScriptedService,
    status: int,
    method: str,
    arguments: Any,
    keywords: Any,
    success: int,
) -> None:
    service.will_answer(status).will_answer(success, b"" if success == 204 else EVERYTHING)
    getattr(scripted_client, method)(*arguments, **keywords)
    assert len(service.requests) == 2


@pytest.mark.parametrize("status", TRANSIENT)
@calls(NOT_REPEATABLE)
def test_a_creation_is_repeated_only_if_nothing_was_done(
    scripted_client: EitherClient,
    service: ScriptedService,
    status: int,
    method: str,
    arguments: Any,
    keywords: Any,
    success: int,
) -> None:
    service.will_answer(status, retry_after="0")
    service.will_answer(success, {**EVERYTHING, "accessToken": TOKEN})
    call = getattr(scripted_client, method)
    if status in REJECTING:
        call(*arguments, **keywords)
    else:
        with pytest.raises(HttpResponseError) as raised:
            call(*arguments, **keywords)
        assert raised.value.status_code == status
    assert len(service.requests) == 1 + (status in REJECTING)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 501, 505, 511])
def test_other_statuses_end_a_call(
    scripted_client: EitherClient, service: ScriptedService, status: int
) -> None:
    service.will_answer(status, retry_after="1")
    with pytest.raises(HttpResponseError):
        scripted_client.get_token("8:acs:x", ["chat"])
    assert len(service.requests) == 1


class Faulty:
    """A transport that raises errors, and then answers as the service does."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.attempts = 0
        self.pauses: list[float] = []

    def fail(self) -> None:
        self.attempts += 1
        if self.errors:
            raise self.errors.pop(0)


class SyncFaulty(Faulty, HttpTransport[Any, Any]):
    def __init__(self, inner: Any, *errors: Exception) -> None:
        super().__init__(*errors)
        self._inner = inner

    def send(self, request: Any, **kwargs: Any) -> Any:
        self.fail()
        return self._inner.send(request, **kwargs)

    def sleep(self, duration: float) -> None:
        self.pauses.append(duration)

    def open(self) -> None: ...

    def close(self) -> None:
        self._inner.close()

    def __exit__(self, *args: object) -> None:
        self.close()


class AsyncFaulty(Faulty, AsyncHttpTransport[Any, Any]):
    def __init__(self, inner: Any, *errors: Exception) -> None:
        super().__init__(*errors)
        self._inner = inner

    async def send(self, request: Any, **kwargs: Any) -> Any:
        self.fail()
        return await self._inner.send(request, **kwargs)

    async def sleep(self, duration: float) -> None:
        self.pauses.append(duration)

    async def open(self) -> None: ...

    async def close(self) -> None:
        await self._inner.close()

    async def __aexit__(self, *args: object) -> None:
        await self.close()


def transport_with(flavour: str, *errors: Exception) -> Any:
    if flavour == "sync":
        from azure.core.pipeline.transport import RequestsTransport

        return SyncFaulty(RequestsTransport(), *errors)
    from azure.core.pipeline.transport import AioHttpTransport

    return AsyncFaulty(AioHttpTransport(use_env_settings=False), *errors)


def sent_nothing() -> Exception:
    return ServiceRequestError("no connection", error=ConnectionRefusedError())


def no_connection_in_time() -> Exception:
    return ServiceRequestTimeoutError("no connection in time")


def no_answer() -> Exception:
    return ServiceResponseError("reset", error=ConnectionResetError())


def cut_short() -> Exception:
    return IncompleteReadError("cut short")


@pytest.mark.parametrize("make_error", [sent_nothing, no_connection_in_time, no_answer, cut_short])
@calls(REPEATABLE)
def test_a_repeatable_operation_is_repeated_after_any_transient_error(
    make_client: ClientFactory,
    flavour: str,
    service: ScriptedService,
    make_error: Any,
    method: str,
    arguments: Any,
    keywords: Any,
    success: int,
) -> None:
    service.will_answer(success, b"" if success == 204 else EVERYTHING)
    transport = transport_with(flavour, make_error())
    client = make_client(service.endpoint, transport=transport)
    getattr(client, method)(*arguments, **keywords)
    assert transport.attempts == 2


@pytest.mark.parametrize(
    ("make_error", "attempts"),
    [(sent_nothing, 2), (no_connection_in_time, 2), (no_answer, 1), (cut_short, 1)],
)
@calls(NOT_REPEATABLE)
def test_a_creation_is_repeated_after_no_connection_alone(
    make_client: ClientFactory,
    flavour: str,
    service: ScriptedService,
    make_error: Any,
    attempts: int,
    method: str,
    arguments: Any,
    keywords: Any,
    success: int,
) -> None:
    service.will_answer(success, {**EVERYTHING, "accessToken": TOKEN})
    error = make_error()
    transport = transport_with(flavour, error)
    client = make_client(service.endpoint, transport=transport)
    if attempts == 1:
        with pytest.raises(type(error)):
            getattr(client, method)(*arguments, **keywords)
    else:
        getattr(client, method)(*arguments, **keywords)
    assert transport.attempts == attempts


def test_a_body_that_is_cut_short_is_backed_off(
    make_client: ClientFactory, flavour: str, service: ScriptedService
) -> None:
    service.will_answer(200, TOKEN)
    transport = transport_with(flavour, cut_short(), cut_short(), cut_short())
    make_client(service.endpoint, transport=transport).get_token("8:acs:x", ["chat"])
    assert transport.pauses == [1.6, 3.2]


def test_an_entra_token_is_refused_over_http_at_once(
    make_client: ClientFactory, flavour: str, service: ScriptedService
) -> None:
    class Credential:
        def get_token(self, *scopes: str, **kwargs: Any) -> Any:
            raise AssertionError("the token must not leave for an http endpoint")

    transport = transport_with(flavour)
    client = make_client(service.endpoint, Credential(), transport=transport)
    with pytest.raises(ServiceRequestError, match="non-TLS"):
        client.get_token("8:acs:x", ["chat"])
    assert not transport.pauses


def test_what_cannot_succeed_is_not_repeated(
    make_client: ClientFactory, flavour: str, service: ScriptedService
) -> None:
    missing = FileNotFoundError("no-such-bundle.pem")
    transport = transport_with(flavour, ServiceRequestError(missing, error=missing))
    client = make_client(service.endpoint, transport=transport)
    with pytest.raises(ServiceRequestError, match=r"no-such-bundle\.pem"):
        client.get_token("8:acs:x", ["chat"])
    assert transport.attempts == 1


def test_a_certificate_that_is_not_trusted_ends_the_call_at_once(
    make_client: ClientFactory, tmp_path: Any
) -> None:
    import ssl

    import trustme

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    with RawServer(answer(b"{}"), context) as server:
        client = make_client(server.url)
        with pytest.raises(ServiceRequestError):
            client.get_token("8:acs:x", ["chat"])
        client.close()
    assert server.connections == 1


def test_a_refused_connection_is_tried_again(make_client: ClientFactory) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    failed: list[int] = []

    class Count(SansIOHTTPPolicy[Any, Any]):
        def on_request(self, request: Any) -> None:
            failed.append(1)

    client = make_client(
        f"http://127.0.0.1:{port}", per_retry_policies=Count(), retry_backoff_factor=0
    )
    with pytest.raises(ServiceRequestError):
        client.create_user()
    assert len(failed) == 1 + 3


class TestOptions:
    """Options of azure-core's retry policy, for the client and for the call."""

    @pytest.mark.parametrize(
        ("options", "attempts"),
        [
            ({"retry_total": 0}, 1),
            ({"retry_total": 1}, 2),
            ({"retry_status": 1}, 2),
            ({"retry_connect": 0, "retry_read": 0}, 4),
            ({"retry_on_methods": ["GET"]}, 1),
            ({"retry_on_methods": ["POST"]}, 4),
        ],
    )
    @pytest.mark.parametrize("of_the_call", [True, False])
    def test_counts_and_methods(
        self,
        make_client: ClientFactory,
        service: ScriptedService,
        options: dict[str, Any],
        attempts: int,
        of_the_call: bool,
    ) -> None:
        service.will_answer(500)
        client = make_client(
            service.endpoint, retry_backoff_factor=0, **({} if of_the_call else options)
        )
        with pytest.raises(HttpResponseError):
            client.get_token("8:acs:x", ["chat"], **(options if of_the_call else {}))
        assert len(service.requests) == attempts

    @pytest.mark.parametrize("of_the_call", [True, False])
    def test_methods_include_creations_if_the_caller_says_so(
        self, make_client: ClientFactory, service: ScriptedService, of_the_call: bool
    ) -> None:
        options = {"retry_on_methods": ["POST"]}
        service.will_answer(500).will_answer(201, EVERYTHING)
        client = make_client(
            service.endpoint, retry_backoff_factor=0, **({} if of_the_call else options)
        )
        client.create_user(**(options if of_the_call else {}))
        assert len(service.requests) == 2

    @pytest.mark.parametrize("of_the_call", [True, False])
    def test_statuses_may_be_added(
        self, make_client: ClientFactory, service: ScriptedService, of_the_call: bool
    ) -> None:
        options = {"retry_on_status_codes": [206, 418]}
        service.will_answer(206).will_answer(418).will_answer(500).will_answer(200, TOKEN)
        client = make_client(
            service.endpoint, retry_backoff_factor=0, **({} if of_the_call else options)
        )
        client.get_token("8:acs:x", ["chat"], **(options if of_the_call else {}))
        assert len(service.requests) == 4

    @pytest.mark.parametrize(
        ("options", "pauses"),
        [
            ({}, [1.6, 3.2]),
            ({"retry_mode": "fixed", "retry_backoff_factor": 2.5}, [2.5, 2.5]),
            ({"retry_mode": "Exponential", "retry_backoff_factor": 1}, [2, 4]),
            ({"retry_backoff_max": 2}, [1.6, 2]),
        ],
    )
    @pytest.mark.parametrize("of_the_call", [True, False])
    def test_pauses(
        self,
        make_client: ClientFactory,
        flavour: str,
        service: ScriptedService,
        options: dict[str, Any],
        pauses: list[float],
        of_the_call: bool,
    ) -> None:
        service.will_answer(500)
        transport = transport_with(flavour)
        client = make_client(
            service.endpoint, transport=transport, **({} if of_the_call else options)
        )
        with pytest.raises(HttpResponseError):
            client.get_token("8:acs:x", ["chat"], **(options if of_the_call else {}))
        assert transport.pauses == pauses  # azure-core repeats at once after the first failure
        assert len(service.requests) == 4

    def test_an_invalid_mode_is_an_error(
        self, make_client: ClientFactory, service: ScriptedService
    ) -> None:
        with pytest.raises(ValueError, match="linear"):
            make_client(service.endpoint, retry_mode="linear")
        with pytest.raises(TypeError, match="or a RetryMode, not NoneType"):
            make_client(service.endpoint, retry_mode=None)

    def test_a_call_that_sets_nothing_has_the_defaults(
        self, make_client: ClientFactory, flavour: str, service: ScriptedService
    ) -> None:
        service.will_answer(500)
        transport = transport_with(flavour)
        client = make_client(service.endpoint, transport=transport)
        for options in ({"retry_mode": "fixed"}, {}):
            with pytest.raises(HttpResponseError):
                client.get_token("8:acs:x", ["chat"], **options)
        assert transport.pauses == [0.8, 0.8, 1.6, 3.2]


class TestRetryAfter:
    @pytest.fixture
    def waiting(
        self, make_client: ClientFactory, flavour: str, service: ScriptedService
    ) -> tuple[EitherClient, Any]:
        transport = transport_with(flavour)
        return make_client(service.endpoint, transport=transport), transport

    def test_a_429_without_it_is_backed_off(
        self, waiting: tuple[EitherClient, Any], service: ScriptedService
    ) -> None:
        client, transport = waiting
        service.will_answer(429).will_answer(429).will_answer(200, TOKEN)
        client.get_token("8:acs:x", ["chat"])
        assert transport.pauses == [0.8, 1.6]

    @pytest.mark.parametrize("status", [429, 503])
    @pytest.mark.parametrize("wanted", ["7", "0.5", "120"])
    def test_it_is_kept(
        self, waiting: tuple[EitherClient, Any], service: ScriptedService, status: int, wanted: str
    ) -> None:
        client, transport = waiting
        service.will_answer(status, retry_after=wanted).will_answer(201, EVERYTHING)
        client.create_user()
        assert transport.pauses == [float(wanted)]

    @pytest.mark.parametrize(
        "value",
        ["soon", "1, 1", "-5", "nan", "Tue, 99 Nov 2026 09:05:00 GMT", "Tue, 24 Nov 0 0:0:0", ""],
    )
    def test_a_malformed_one_is_ignored(
        self, waiting: tuple[EitherClient, Any], service: ScriptedService, value: str
    ) -> None:
        client, transport = waiting
        service.will_answer(429, retry_after=value).will_answer(200, TOKEN)
        client.get_token("8:acs:x", ["chat"])
        assert transport.pauses == [0.8]

    @pytest.mark.parametrize("status", [429, 503])
    @pytest.mark.parametrize(
        "value", ["121", "inf", "1000000000", "1e999", "Fri, 31 Dec 9999 23:59:59 GMT"]
    )
    def test_a_long_one_ends_the_call(
        self, waiting: tuple[EitherClient, Any], service: ScriptedService, status: int, value: str
    ) -> None:
        client, transport = waiting
        service.will_answer(status, retry_after=value)
        with pytest.raises(HttpResponseError) as raised:
            client.get_token("8:acs:x", ["chat"])
        assert raised.value.status_code == status
        assert len(service.requests) == 1
        assert not transport.pauses

    @pytest.mark.parametrize(("timeout", "attempts"), [(5, 1), (500, 2)])
    def test_what_is_left_of_the_timeout_decides(
        self,
        waiting: tuple[EitherClient, Any],
        service: ScriptedService,
        timeout: float,
        attempts: int,
    ) -> None:
        client, _ = waiting
        service.will_answer(429, retry_after="200").will_answer(429, retry_after="1000")
        began = time.monotonic()
        with pytest.raises(HttpResponseError) as raised:
            client.get_token("8:acs:x", ["chat"], timeout=timeout)
        assert raised.value.status_code == 429
        assert len(service.requests) == attempts
        assert time.monotonic() - began < 5


def test_each_attempt_is_signed_anew(
    make_client: ClientFactory, service: ScriptedService, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.will_answer(503, retry_after="1").will_answer(200, TOKEN)
    make_client(service.endpoint).get_token("8:acs:x", ["chat"])
    first, second = service.requests
    assert first.headers["x-ms-date"] != second.headers["x-ms-date"]
    assert first.headers["Authorization"] != second.headers["Authorization"]
    assert first.headers["x-ms-client-request-id"] == second.headers["x-ms-client-request-id"]


@pytest.mark.parametrize(
    ("method", "path", "body", "is_repeatable"),
    [
        ("POST", "/identities", None, False),
        ("POST", "/identities", '{"customId": null}', False),
        ("POST", "/identities", '{"customId": ""}', False),
        ("POST", "/identities", '{"customId": "mine"', False),
        ("POST", "/identities", '["customId"]', False),
        ("POST", "/identities", '{"customId": "mine"}', True),
        ("POST", "/gateway/identities", '{"customId": "mine"}', True),
        ("POST", "/identities/8:acs:x/:issueAccessToken", '{"scopes": []}', True),
        ("post", "/gateway/identities/8:acs:x/:revokeAccessTokens", None, True),
        ("POST", "/access/teamsExtension/:exchangeAccessToken", "{}", True),
        ("POST", "/access/entra/:exchangeAccessToken", "{}", True),
        ("PATCH", "/access/entra/assignments", "{}", True),
        ("GET", "/access/entra/assignments", None, True),
        ("PUT", "/access/entra/assignments/o", "{}", True),
        ("GET", "/anything", None, True),
        ("DELETE", "/anything", None, True),
        ("POST", "/anything", None, False),
        ("PATCH", "/anything", None, False),
        ("POST", "/identities/8:acs:x/:somethingNew", None, False),
    ],
)
def test_the_operation_is_that_of_the_request(
    method: str, path: str, body: str | None, is_repeatable: bool
) -> None:
    request = HttpRequest(method, f"https://host{path}?api-version=1", content=body)
    assert retry_rules.operation_of(request).is_repeatable is is_repeatable


@pytest.mark.parametrize(("status", "attempts"), [(503, 2), (500, 1)])
def test_requests_of_the_rest_client_go_by_the_same_table(
    scripted_client: EitherClient, service: ScriptedService, status: int, attempts: int
) -> None:
    service.will_answer(status).will_answer(201, EVERYTHING)
    rest = EitherClient(scripted_client.wrapped._client, scripted_client._loop)
    rest.send_request(HttpRequest("POST", "/identities?api-version=2025-06-30"))
    assert len(service.requests) == attempts


def test_no_retries_is_one_request(make_client: ClientFactory) -> None:
    with RawServer(lambda connection: connection.close()) as server:
        client = make_client(server.url, KEY, retry_total=0)
        with pytest.raises(AzureError):
            client.get_token("8:acs:x", ["chat"])
    assert len(server.requests) == 1
