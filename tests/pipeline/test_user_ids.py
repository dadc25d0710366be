"""User ids stay out of logs and exceptions when a client is told to redact them."""

import asyncio
import inspect
import json
import logging
import pickle
import re
import socket
import sys
import traceback
from contextlib import nullcontext
from typing import Any
from urllib.parse import quote

import pytest
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceNotFoundError,
    ResponseNotReadError,
    ServiceRequestError,
    TooManyRedirectsError,
)
from azure.core.pipeline.policies import HTTPPolicy, NetworkTraceLoggingPolicy, SansIOHTTPPolicy
from azure.core.pipeline.transport import (
    AioHttpTransport,
    AsyncHttpTransport,
    HttpTransport,
    RequestsTransport,
)
from azure.core.rest import AsyncHttpResponse, HttpRequest, HttpResponse
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


def transport_of(owner: str, flavour: str) -> dict[str, Any]:
    """The option of a client for its transport."""
    if owner == "own":
        return {}
    return {"transport": RequestsTransport() if flavour == "sync" else AioHttpTransport()}


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
    assert holds_no_id(all_of_response(error.response)), all_of_response(error.response)


HTML_UTF_16 = {"content_type": "text/html; charset=utf-16"}
UNEXPECTED: dict[str, tuple[int, Any, str, dict[str, str]]] = {
    "302 with HTML": (302, f"<a href='/identities/{USER}'>".encode(), "'Found'", {}),
    "307 with JSON": (307, ERROR, "(IdentityNotFound)", {}),
    "200 without a token": (200, {"id": USER}, "has no token", {}),
    "200 with HTML": (200, f"<p>{USER}</p>".encode(), "is not JSON", {}),
    "202": (202, ERROR, "(IdentityNotFound)", {}),
    "206 with HTML": (206, f"<p>{USER}</p>".encode(), "'Partial Content'", {}),
    "400 in UTF-16": (400, f"<p>{USER}</p>".encode("utf-16"), "<p>user-", HTML_UTF_16),
    "400 with many brackets": (400, f"{USER}{'[' * 201}".encode(), "'Bad Request'", {}),
    "400 with an id beside it": (400, b"", "'User user-", {"reason": f"User {USER} is unknown"}),
}


@pytest.mark.parametrize(
    ("status", "body", "shown", "headers"), UNEXPECTED.values(), ids=UNEXPECTED
)
@pytest.mark.parametrize("transports", ["own", "azure-core's"])
def test_any_other_unexpected_response_shows_no_id(
    make_client: ClientFactory,
    service: ScriptedService,
    flavour: str,
    everything: pytest.LogCaptureFixture,
    status: int,
    body: Any,
    shown: str,
    headers: dict[str, str],
    transports: str,
) -> None:
    service.will_answer(status, body, location=f"https://host/identities/{USER}", **headers)
    client = make_client(
        service.endpoint,
        redact_user_ids=True,
        logging_enable=True,
        **transport_of(transports, flavour),
    )
    with pytest.raises(HttpResponseError) as raised:
        client.get_token(USER, ["chat"])
    error = raised.value
    assert shown in str(error)
    assert error.status_code == status
    assert isinstance(error.response, AsyncHttpResponse if flavour == "async" else HttpResponse)
    assert holds_no_id(all_of(error)), all_of(error)
    assert holds_no_id(all_of_response(error.response)), all_of_response(error.response)
    assert holds_no_id(everything.text), everything.text


def all_of_response(response: Any) -> str:
    """What a response of an exception shows of itself, however it is read."""

    async def read() -> tuple[bytes, bytes]:
        return await response.read(), b"".join([block async for block in response.iter_bytes()])

    if isinstance(response, AsyncHttpResponse):
        content, blocks = asyncio.run(read())
    else:
        assert isinstance(response, HttpResponse)
        content, blocks = response.read(), b"".join(response.iter_bytes())
    assert content == blocks == response.content
    assert content.decode() == response.text()
    with nullcontext() if response.status_code < 400 else pytest.raises(HttpResponseError) as again:
        response.raise_for_status()
    request = response.request
    shown = [response.text(), response.text(encoding="utf-8"), response.reason, response.url]
    shown += [repr(response), str(dict(response.headers)), repr(request), request.url]
    shown += [str(request.content), str(dict(request.headers)), repr(vars(response))]
    shown += [all_of(again.value)] if again else []
    return "\n".join(shown)


def test_a_pickled_error_holds_no_id(redacting: EitherClient, service: ScriptedService) -> None:
    service.will_answer(404, ERROR)
    with pytest.raises(ResourceNotFoundError) as raised:
        redacting.delete_user(USER)
    pickled = pickle.dumps(raised.value)
    assert holds_no_id(pickled.decode("latin-1"))
    error = pickle.loads(pickled)
    assert str(error) == str(raised.value)
    assert error.response.json() == raised.value.response.json()  # type: ignore[union-attr]


def test_a_page_shows_no_id(
    redacting: EitherClient, service: ScriptedService, everything: pytest.LogCaptureFixture
) -> None:
    preview = {"api_version": "2025-03-02-preview"}
    link = f"/access/entra/assignments?skipToken={OTHER}&api-version=2025-03-02-preview"
    service.will_answer(200, {"value": [], "nextLink": link}).will_answer(404, ERROR)
    with pytest.raises(ResourceNotFoundError) as raised:
        redacting.items(redacting.wrapped.list_entra_assignments(**preview))
    assert f"skipToken={OTHER}" in service.requests[1].target
    assert f"skipToken={hashed(OTHER)}" in everything.text
    assert holds_no_id(all_of(raised.value) + all_of_response(raised.value.response))
    assert holds_no_id(everything.text), everything.text


@pytest.mark.parametrize("transports", ["own", "azure-core's"])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [200, 302, 404])
def test_a_response_itself_is_what_the_service_sent(
    make_client: ClientFactory,
    service: ScriptedService,
    flavour: str,
    loop: asyncio.AbstractEventLoop,
    everything: pytest.LogCaptureFixture,
    transports: str,
    stream: bool,
    status: int,
) -> None:
    service.will_answer(status, ERROR)
    seen: list[Any] = []
    client = make_client(
        service.endpoint,
        redact_user_ids=True,
        logging_enable=True,
        raw_response_hook=lambda response: seen.append(response.http_response),
        **transport_of(transports, flavour),
    )
    request = HttpRequest("GET", f"/identities/{USER}", headers={"x-note": USER})
    response = client.send_request(request, stream=stream)
    assert isinstance(response, HttpResponse if flavour == "sync" else AsyncHttpResponse)
    assert seen == [response]
    with EitherClient(response, loop) as opened:
        assert json.loads(opened.read()) == ERROR
    assert response.json() == ERROR
    assert USER in response.text(encoding="utf-8")
    assert response.url.endswith(USER)
    with nullcontext() if status < 400 else pytest.raises(HttpResponseError) as raised:
        response.raise_for_status()
    if raised:
        assert holds_no_id(all_of(raised.value) + all_of_response(raised.value.response))
        assert hashed(USER) in str(raised.value)
    assert holds_no_id(everything.text), everything.text


def test_an_error_of_a_hook_shows_no_id(
    make_client: ClientFactory, service: ScriptedService
) -> None:
    service.will_answer(404, ERROR)
    client = make_client(
        service.endpoint,
        redact_user_ids=True,
        raw_response_hook=lambda response: response.http_response.raise_for_status(),
    )
    with pytest.raises(HttpResponseError, match=r"^\(IdentityNotFound\)") as raised:
        client.delete_user(USER)
    assert holds_no_id(all_of(raised.value) + all_of_response(raised.value.response))
    assert raised.value.error is not None
    assert raised.value.error.target == hashed(USER)


def test_an_error_may_be_made_of_a_response_that_has_not_been_read(
    make_client: ClientFactory, service: ScriptedService, loop: asyncio.AbstractEventLoop
) -> None:
    service.will_answer(404, ERROR)
    client = make_client(service.endpoint, redact_user_ids=True)
    response = client.send_request(HttpRequest("GET", f"/identities/{USER}"), stream=True)
    with EitherClient(response, loop), pytest.raises(HttpResponseError) as raised:
        response.raise_for_status()
    error: Any = raised.value
    assert holds_no_id(all_of(error))
    assert error.response.url == f"{service.endpoint}/identities/{hashed(USER)}"
    with pytest.raises(ResponseNotReadError) as unread:
        error.response.text()
    assert holds_no_id(all_of(unread.value))


class Watching(SansIOHTTPPolicy[Any, Any]):
    """Keeps what is shown of the exceptions that it sees."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def on_exception(self, request: Any) -> None:
        error = sys.exc_info()[1]
        assert error is not None
        self.seen.append(all_of(error))


def test_a_policy_of_the_caller_sees_no_id_in_an_exception_of_the_transport(
    make_client: ClientFactory, flavour: str
) -> None:
    transport = FailingTransport() if flavour == "sync" else AsyncFailingTransport()
    watching = Watching()
    client = make_client(
        "https://host",
        redact_user_ids=True,
        retry_total=0,
        transport=transport,
        per_retry_policies=watching,
    )
    with pytest.raises(ServiceRequestError):
        client.delete_user(USER)
    [seen] = watching.seen
    assert holds_no_id(seen), seen
    assert hashed(USER) in seen


def test_the_history_of_redirects_shows_no_id(
    make_client: ClientFactory, service: ScriptedService
) -> None:
    service.will_answer(302, ERROR, location=f"/identities/{USER}?again")
    client = make_client(
        service.endpoint, redact_user_ids=True, permit_redirects=True, redirect_max=1
    )
    with pytest.raises(TooManyRedirectsError) as raised:
        client.send_request(HttpRequest("GET", f"/identities/{USER}"))
    assert len(raised.value.history) == 2
    for each in raised.value.history:
        assert each.http_request.url.startswith(f"{service.endpoint}/identities/{hashed(USER)}")
        assert holds_no_id(all_of_response(each.http_response))


class Raising(NetworkTraceLoggingPolicy):
    """Raises what the response counts as."""

    def on_response(self, request: Any, response: Any) -> None:
        response.http_response.raise_for_status()


@pytest.mark.parametrize(("status", "is_error"), [(399, False), (400, True)])
def test_a_logging_policy_may_raise(
    make_client: ClientFactory, service: ScriptedService, status: int, is_error: bool
) -> None:
    service.will_answer(status, ERROR)
    strict = make_client(service.endpoint, redact_user_ids=True, logging_policy=Raising())
    with nullcontext() if not is_error else pytest.raises(HttpResponseError) as raised:
        strict.send_request(HttpRequest("GET", f"/identities/{USER}"))
    assert bool(raised) is is_error
    if raised:
        assert holds_no_id(all_of(raised.value) + all_of_response(raised.value.response))


class Reading(NetworkTraceLoggingPolicy):
    """Logs all that a response shows of itself."""

    def on_response(self, request: Any, response: Any) -> Any:
        read = response.http_response.read()
        if inspect.isawaitable(read):
            return self._when_read(response.http_response, read)
        self._log(response.http_response, read)
        return None

    async def _when_read(self, response: Any, read: Any) -> None:
        self._log(response, await read)

    def _log(self, response: Any, content: bytes) -> None:
        shown = [content, response.json(), response.request, response.request.url]
        shown += [response.text(encoding="utf-8"), response, dict(response.headers)]
        try:
            response.raise_for_status()
        except HttpResponseError as error:
            shown.append(all_of(error))
        logging.getLogger("azure").info(" ".join(map(repr, shown)))


def test_a_logging_policy_of_the_caller_sees_no_id(
    make_client: ClientFactory, service: ScriptedService, everything: pytest.LogCaptureFixture
) -> None:
    service.will_answer(404, {**ERROR, "customId": "ada@example.com"})
    client = make_client(service.endpoint, redact_user_ids=True, logging_policy=Reading())
    client.send_request(HttpRequest("GET", f"/identities/{USER}"))
    assert holds_no_id(everything.text), everything.text
    assert everything.text.count(hashed("ada@example.com")) == 3


def test_urllib3_logs_what_it_did_without_ids(
    redacting: EitherClient, everything: pytest.LogCaptureFixture
) -> None:
    logger = logging.getLogger("urllib3.connectionpool")
    logger.debug("GET /identities/%s", USER)
    logger.debug("of another %s", "program")
    assert everything.messages == [f"GET /identities/{hashed(USER)}", "of another program"]
    assert everything.records[1].args == ("program",)


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


@pytest.mark.parametrize("transports", ["own", "azure-core's"])
def test_an_error_of_the_transport_shows_no_id(
    make_client: ClientFactory,
    flavour: str,
    closed_endpoint: str,
    everything: pytest.LogCaptureFixture,
    transports: str,
) -> None:
    client = make_client(
        closed_endpoint,
        redact_user_ids=True,
        logging_enable=True,
        retry_total=1,
        retry_backoff_factor=0,
        **transport_of(transports, flavour),
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
    vars(error)["__notes__"] = [f"while {url} was requested"]  # as add_note does, since Python 3.11
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
