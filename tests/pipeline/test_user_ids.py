"""User ids stay out of logs and exceptions when a client is told to redact them."""

import logging
import re
import socket
import traceback
from contextlib import nullcontext
from typing import Any
from urllib.parse import quote

import pytest
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
)
from azure.core.pipeline.policies import HTTPPolicy, NetworkTraceLoggingPolicy
from azure.core.pipeline.transport import (
    AioHttpTransport,
    AsyncHttpTransport,
    HttpTransport,
    RequestsTransport,
)
from azure.core.rest import HttpRequest
from either_client import ClientFactory, EitherClient
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted_service import ScriptedService

from azure.communication.identity._pipeline.user_ids import hashed, without_user_ids

GUID, OTHER = "2a1b3c4d-0000-1111-2222-333344445555", "99999999-8888-7777-6666-555555555555"
USER = f"8:acs:{GUID}_{OTHER}"
HASH = r"user-[0-9a-f]{24}"

TEXTS = {
    "a path": "https://host/identities/{}/:issueAccessToken?api-version=2025-06-30",
    "the end of a path": "DELETE /identities/{}?api-version=2025-06-30 HTTP/1.1",
    "JSON": '{{"identity": {{"id": "{}"}}}}',
    "a sentence": "The user {} does not exist.",
    "the end of a sentence": "There is no user {}.",
    "quotes": "CommunicationUserIdentifier(raw_id='{}')",
    "a list": "[{}, {}]",
    "after a colon": "No identity id:{}.",
    "after a word": "user_{}, User{}",
    "between line breaks of JSON": r"No user\n{}\n{}",
    "between escaped quotes of JSON": r"User \u0027{}\u0027, \u0022{}\u0022",
    "in a quoted query": "?next=%2Fidentities%2F{}%2F%3AissueAccessToken%3Fa&b",
    "in a query that is quoted twice": "?next=%252Fidentities%252F{}%252F%253Aissue",
    "quoted brackets": "%28{}%29, %2528{}%2529",
}
IDS = [
    USER,
    f"8:gcch-acs:{GUID}_{OTHER}",
    f"8:acs:{GUID}_{OTHER}_{GUID}",
    f"8:orgid:{GUID}",
    "8:teamsvisitor:visitor-1",
    f"28:dod:{GUID}",
    "4:+14255550123",
    "4:+14255550123_7",
    "4:14255550123",
    "4:anonymous",
    f"8:ACS:{GUID.upper()}_{OTHER.upper()}",
]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
@pytest.mark.parametrize("user_id", IDS)
@pytest.mark.parametrize("quotings", [0, 1, 2])
def test_an_id_is_replaced_by_its_hash_and_nothing_else_is(
    text: str, user_id: str, quotings: int
) -> None:
    shown = user_id
    for _ in range(quotings):
        shown = quote(shown, safe="")
    redacted = without_user_ids(text.format(shown, shown))
    assert redacted == text.format(hashed(user_id), hashed(user_id))
    assert re.fullmatch(HASH, hashed(user_id))
    assert without_user_ids(redacted) == redacted


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/identities/%20anything%2F1/:revokeAccessTokens", "%20anything%2F1"),
        (f"/access/teamsExtension/tenants/{GUID}/assignments/{OTHER}?api-version=1", OTHER),
        ('{"customId": "ada@example.com"}', "ada@example.com"),
        ('{"customId":"a \\"quoted\\" id"}', 'a \\"quoted\\" id'),
        (f'{{"token": "t", "appId": "{GUID}", "userId": "{OTHER}"}}', OTHER),
        (f'{{"objectId": "{OTHER}", "tenantId": "{GUID}"}}', OTHER),
        (f'{{"{OTHER}": null}}', OTHER),
        ("?next=%2Fidentities%2Fada%2540example.com%2F%3Aissue", "ada%2540example.com"),
        (f"?next=%252Fassignments%252F{OTHER}%253Fapi-version", OTHER),
        (f"/access/entra/assignments?a=b&skipToken={OTHER}&c=d", OTHER),
        (f'"nextLink": "/assignments?$skiptoken={OTHER}"', OTHER),
        (f"?continuation_token%3D{OTHER}", OTHER),
        (r"no user 4:\u002B14255550123", r"4:\u002B14255550123"),
        ("no user 4:&#x2B;14255550123", "4:&#x2B;14255550123"),
        ("no user 4%3a%2b14255550123", "4%3a%2b14255550123"),
        # Of the form of a hash, and not one.
        ('{"customId": "user-0123456789abcdef"}', "user-0123456789abcdef"),
        ('{"customId": "user-0123456789abcdef01234567"}', "user-0123456789abcdef01234567"),
    ],
)
def test_ids_of_any_form_are_replaced_where_ids_stand(text: str, expected: str) -> None:
    assert without_user_ids(text) == text.replace(expected, hashed(expected))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Provided identity doesn't belong to the resource.",
        "https://host/identities?api-version=2025-06-30",
        f"tenant {GUID}, application {OTHER}",
        "Tue, 24 Nov 2026 14:05:00 GMT",
        "at 4:05:00, in 8:30 minutes, from 18:acs:x, port 127.0.0.1:8080",
        "http://10.0.0.4:54321 and http://node4:54321 and fe80::8:abc:def0",
        '{"code": "ValidationError", "target": "id"}',
    ],
)
def test_a_text_without_ids_stays_as_it_is(text: str) -> None:
    assert without_user_ids(text) == text


@given(st.text())
@settings(max_examples=100, deadline=None)
def test_any_text_may_be_redacted_and_redacted_again(text: str) -> None:
    once = without_user_ids(text)
    assert without_user_ids(once) == once


def test_hashes_differ_by_id() -> None:
    assert len({hashed(user_id) for user_id in IDS}) == len(IDS)


def test_hashes_are_the_same_however_an_id_is_escaped() -> None:
    shown = ["4:+14255550123", "4%253A%252B14255550123", r"4:\u002b14255550123"]
    assert {hashed(user_id) for user_id in shown} == {hashed(shown[0])}


@pytest.fixture
def redacting(make_client: ClientFactory, service: ScriptedService) -> EitherClient:
    return make_client(
        service.endpoint, redact_user_ids=True, logging_enable=True, retry_backoff_factor=0
    )


@pytest.fixture
def everything(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    for name in ("urllib3", "aiohttp", "azure"):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


def holds_no_id(text: str) -> bool:
    return not any(part in text for part in (GUID, OTHER, "4255550123", "ada@example.com"))


def all_of(error: BaseException) -> str:
    """The traceback of an error, its causes, and what else an error report shows of it."""
    shown = [*traceback.format_exception(error), repr(error), str(error)]
    shown += [str(getattr(error, name, "")) for name in ("message", "exc_msg", "error", "response")]
    return "\n".join(shown)


CALLS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "get_token": ("get_token", (USER, ["chat"])),
    "revoke_tokens": ("revoke_tokens", (USER,)),
    "delete_user": ("delete_user", (USER,)),
    "exchange": (
        "get_token_for_teams_user",
        ("token", "00000000-0000-0000-0000-000000000000", GUID),
    ),
    "assignment": (
        "get_teams_extension_assignment",
        ("00000000-0000-0000-0000-000000000000", OTHER),
    ),
}
each_call = pytest.mark.parametrize(("method", "arguments"), CALLS.values(), ids=CALLS)
ERROR = {
    "error": {
        "code": "IdentityNotFound",
        "message": f"There is no identity {USER}, at '/identities/{quote(USER, safe='')}'.",
        "target": USER,
        "details": [{"code": "Detail", "message": USER}],
    }
}


@each_call
@pytest.mark.parametrize("body", [ERROR, f"<p>/identities/{USER}</p>".encode(), b""])
def test_an_error_response_shows_no_id(
    redacting: EitherClient,
    service: ScriptedService,
    everything: pytest.LogCaptureFixture,
    method: str,
    arguments: tuple[Any, ...],
    body: Any,
) -> None:
    service.will_answer(404, body, location=f"https://host/identities/{USER}")
    with pytest.raises(ResourceNotFoundError) as raised:
        getattr(redacting, method)(*arguments)
    error = raised.value
    assert holds_no_id(all_of(error)), all_of(error)
    assert holds_no_id(everything.text)
    assert re.search(HASH, everything.text)
    assert USER in service.requests[0].target or method not in ("get_token", "delete_user")
    assert error.status_code == 404
    if body is ERROR:
        assert error.error is not None
        assert error.error.code == "IdentityNotFound"
        assert hashed(USER) in str(error)
    response: Any = error.response
    assert holds_no_id(f"{response.text()} {response.content} {response.request.url} {response!r}")
    assert holds_no_id(str(dict(response.headers)))
    with pytest.raises(HttpResponseError) as again:
        response.raise_for_status()
    assert holds_no_id(all_of(again.value))


class Raising(NetworkTraceLoggingPolicy):
    """Raises what the response counts as."""

    def on_response(self, request: Any, response: Any) -> None:
        response.http_response.raise_for_status()


@pytest.mark.parametrize(("status", "is_error"), [(399, False), (400, True)])
def test_a_response_is_an_error_from_400_on(
    make_client: ClientFactory, service: ScriptedService, status: int, is_error: bool
) -> None:
    service.will_answer(status, ERROR)
    client = make_client(service.endpoint, redact_user_ids=True)
    response = client.send_request(HttpRequest("GET", service.endpoint))
    assert holds_no_id(response.text()) is is_error
    strict = make_client(service.endpoint, redact_user_ids=True, logging_policy=Raising())
    with pytest.raises(HttpResponseError) if is_error else nullcontext():
        strict.send_request(HttpRequest("GET", service.endpoint))


def test_urllib3_logs_what_it_did_without_ids(
    redacting: EitherClient, everything: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("urllib3.connectionpool").debug("GET /identities/%s", USER)
    assert everything.messages == [f"GET /identities/{hashed(USER)}"]


def test_the_model_of_an_error_shows_no_id(
    redacting: EitherClient, service: ScriptedService
) -> None:
    service.will_answer(400, ERROR)
    with pytest.raises(HttpResponseError) as raised:
        redacting.delete_user(USER)
    model: Any = raised.value.model
    assert model.error.message.startswith(f"There is no identity {hashed(USER)}")


def test_a_success_shows_no_id_in_logs_and_still_returns_it(
    redacting: EitherClient, service: ScriptedService, everything: pytest.LogCaptureFixture
) -> None:
    service.will_answer(503).will_answer(201, {"identity": {"id": USER}})
    user = redacting.create_user(
        custom_id="ada@example.com", api_version="2025-03-02-preview", retry_on_methods=["POST"]
    )
    assert user.raw_id == USER
    assert holds_no_id(everything.text)
    assert hashed(USER) in everything.text
    assert hashed("ada@example.com") in everything.text


@pytest.fixture
def closed_endpoint() -> str:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


TRANSPORTS: dict[str, dict[str, Any]] = {
    "own": {"sync": None, "async": None},
    "azure-core's": {"sync": RequestsTransport, "async": AioHttpTransport},
}


@pytest.mark.parametrize("transports", TRANSPORTS.values(), ids=TRANSPORTS)
def test_an_error_of_the_transport_shows_no_id(
    make_client: ClientFactory,
    flavour: str,
    closed_endpoint: str,
    everything: pytest.LogCaptureFixture,
    transports: dict[str, Any],
) -> None:
    more = {"transport": transports[flavour]()} if transports[flavour] else {}
    client = make_client(
        closed_endpoint,
        redact_user_ids=True,
        logging_enable=True,
        retry_total=1,
        retry_backoff_factor=0,
        **more,
    )
    with pytest.raises(AzureError) as raised:
        client.delete_user(USER)
    assert holds_no_id(all_of(raised.value)), all_of(raised.value)
    assert holds_no_id(everything.text), everything.text


class FailingTransport(HttpTransport[Any, Any]):
    """A transport of the caller."""

    def send(self, request: Any, **kwargs: Any) -> Any:
        raise failure(request.url)

    def open(self) -> None: ...

    def close(self) -> None: ...

    def __exit__(self, *args: object) -> None: ...


class AsyncFailingTransport(AsyncHttpTransport[Any, Any]):
    """A transport of the caller."""

    async def send(self, request: Any, **kwargs: Any) -> Any:
        raise failure(request.url)

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def __aexit__(self, *args: object) -> None: ...


def failure(url: str) -> ServiceRequestError:
    """As libraries nest their errors: in arguments, causes and contexts, and in circles."""
    cause = RuntimeError(OSError(5, f"cannot reach {url}"), {"url": 1})
    cause.__context__ = TimeoutError(f"{quote(url)} took too long")
    error = ServiceRequestError(f"no connection to {url}", error=cause)
    error.__cause__ = cause
    cause.__context__.__context__ = error
    return error


def test_an_error_that_quotes_the_url_shows_no_id_in_it_nor_in_its_causes(
    make_client: ClientFactory, flavour: str
) -> None:
    transport = FailingTransport() if flavour == "sync" else AsyncFailingTransport()
    client = make_client("https://host", redact_user_ids=True, retry_total=0, transport=transport)
    with pytest.raises(ServiceRequestError) as raised:
        client.delete_user(USER)
    error = raised.value
    assert holds_no_id(all_of(error)), all_of(error)
    shown = f"no connection to https://host/identities/{hashed(USER)}?api-version="
    assert str(error).startswith(shown)
    assert error.message.startswith(shown)
    assert hashed(USER) in str(error.inner_exception)


def test_by_default_ids_are_shown(
    make_client: ClientFactory, service: ScriptedService, everything: pytest.LogCaptureFixture
) -> None:
    service.will_answer(404, ERROR)
    client = make_client(service.endpoint, logging_enable=True)
    with pytest.raises(ResourceNotFoundError, match=USER):
        client.delete_user(USER)
    azure = "\n".join(each.getMessage() for each in everything.records if "azure" in each.name)
    assert USER in azure


@pytest.mark.parametrize("value", ["yes", 1, None])
def test_the_option_is_a_bool(make_client: ClientFactory, value: object) -> None:
    with pytest.raises(TypeError, match=r"^redact_user_ids must be a bool, not "):
        make_client("https://host", redact_user_ids=value)


def test_the_option_cannot_be_kept_with_policies_of_the_caller(make_client: ClientFactory) -> None:
    with pytest.raises(ValueError, match="do not combine it with pipeline or policies"):
        make_client("https://host", redact_user_ids=True, policies=[NetworkTraceLoggingPolicy()])
    with pytest.raises(TypeError, match="needs logging policies that are a SansIOHTTPPolicy"):
        make_client("https://host", redact_user_ids=True, logging_policy=Forwarding())


class Forwarding(HTTPPolicy[Any, Any]):
    def send(self, request: Any) -> Any:
        return self.next.send(request)
