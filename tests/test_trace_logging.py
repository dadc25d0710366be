"""The trace of requests and responses shows no secret, and costs nothing when it is off."""

import logging
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
from azure.core.pipeline import PipelineContext, PipelineRequest, PipelineResponse
from azure.core.rest import HttpRequest
from azure.core.utils import case_insensitive_dict

from azure.communication.identity._pipeline.logging_policy import RedactedTraceLoggingPolicy, redact

SECRET = "S3CRET"
JWT = f"eyJhbGciOi{SECRET}.eyJza3lw{SECRET}.{SECRET}-_x"
URL = "https://resource.communication.azure.com/identities?api-version=2025-06-30"

REDACTED = {
    '{"token": "S3CRET"}': '{"token": "REDACTED"}',
    '{"token":"S3CRET","expiresOn":"x"}': '{"token":"REDACTED","expiresOn":"x"}',
    '{"token" :\n "S3CRET"}': '{"token" :\n "REDACTED"}',
    '{"a":{"token":"S3CRET"},"b":[{"token":"S3CRET"}]}': (
        '{"a":{"token":"REDACTED"},"b":[{"token":"REDACTED"}]}'
    ),
    r'{"token": "a\"S3CRET", "b": 1}': '{"token": "REDACTED", "b": 1}',
    r'{"token": "a\\", "b": 1}': '{"token": "REDACTED", "b": 1}',
    '{"token": ""}': '{"token": "REDACTED"}',
    '{"token": null}': '{"token": null}',
    '{"tokens": "a", "my_token": "b"}': '{"tokens": "a", "my_token": "b"}',
    # Cut short.
    '{"token": "S3CRE': '{"token": "REDACTED',
    f'{{"token": "{JWT[:40]}': '{"token": "REDACTED',
    # A JWT is one wherever it stands.
    f"a {JWT} b": "a REDACTED b",
    f"Bearer {JWT}": "Bearer REDACTED",
    f"?token={JWT}&b=c": "?token=REDACTED&b=c",
    f'{{"aadToken":"{JWT}"}}': '{"aadToken":"REDACTED"}',
    f"eyJ{SECRET}.{SECRET}": "REDACTED",
    # An encrypted one has five parts, of which the second may be empty.
    f"eyJ{SECRET}.{SECRET}.{SECRET}.{SECRET}.{SECRET} b": "REDACTED b",
    f"eyJ{SECRET}..{SECRET}.{SECRET}.{SECRET}": "REDACTED",
    "obeyJohn.and.Mary": "obeyJohn.and.Mary",
    '{"identity": {"id": "8:acs:1_2"}}': '{"identity": {"id": "8:acs:1_2"}}',
    "": "",
}


@pytest.mark.parametrize(("text", "expected"), REDACTED.items(), ids=range(len(REDACTED)))
def test_what_is_secret_in_a_text_is_redacted(text: str, expected: str) -> None:
    assert redact(text) == expected


class Response:
    """The attributes of a response that the policy reads."""

    def __init__(
        self, body: Any = b"", headers: Mapping[str, str] | None = None, status_code: int = 200
    ) -> None:
        self.status_code = status_code
        self.headers = case_insensitive_dict(headers)
        self._body = body

    def text(self) -> str:
        text: str = self._body if isinstance(self._body, str) else self._body.decode("utf-8")
        return text


Trace = Callable[..., str]


@pytest.fixture
def trace(caplog: pytest.LogCaptureFixture) -> Trace:
    """Sends a request and a response through the policy, and gives what was logged."""

    def _trace(
        request: Any = None,
        response: Any = None,
        policy: RedactedTraceLoggingPolicy | None = None,
        level: int = logging.DEBUG,
        **options: Any,
    ) -> str:
        policy = policy or RedactedTraceLoggingPolicy(logging_enable=True)
        context = PipelineContext(None, **options)
        sent = PipelineRequest(request or HttpRequest("GET", URL), context)
        with caplog.at_level(level, "azure"):
            policy.on_request(sent)
            policy.on_response(
                sent, PipelineResponse(sent.http_request, response or Response(), context)
            )
        return caplog.text

    return _trace


def test_a_trace_shows_the_request_and_the_response(trace: Trace) -> None:
    request = HttpRequest("POST", URL, headers={"x-ms-date": "today"}, content='{"scopes": []}')
    logged = trace(request, Response(b'{"a": 1}', {"MS-CV": "vector"}, 201))
    for shown in (
        f"Request URL: '{URL}'",
        "Request method: 'POST'",
        "'x-ms-date': 'today'",
        '{"scopes": []}',
        "Response status: '201'",
        "'MS-CV': 'vector'",
        '{"a": 1}',
    ):
        assert shown in logged
    assert "Failed" not in logged


SECRET_HEADERS = [
    "Authorization",
    "authorization",
    "Proxy-Authorization",
    "Cookie",
    "Set-Cookie",
    "X-Ms-Authorization-Auxiliary",
]


@pytest.mark.parametrize("name", SECRET_HEADERS)
def test_secret_headers_are_redacted(trace: Trace, name: str) -> None:
    headers = {name: f"HMAC-SHA256 Signature={SECRET}"}
    logged = trace(HttpRequest("GET", URL, headers=headers), Response(headers=headers))
    assert logged.count(f"'{name}': 'REDACTED'") == 2
    assert SECRET not in logged


def test_tokens_are_redacted_wherever_they_are(trace: Trace) -> None:
    request = HttpRequest(
        "POST",
        f"{URL}&token={JWT}",
        headers={"x-note": JWT},
        content=f'{{"token": "{SECRET}", "appId": "app"}}',
    )
    response = Response(f'{{"token":"{SECRET}"}}'.encode(), {"x-note": JWT})
    logged = trace(request, response)
    assert SECRET not in logged
    assert logged.count("REDACTED") == 5
    assert '"appId": "app"' in logged


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (f'{{"token": "{SECRET}é"}}'.encode(), '{"token": "REDACTED"}'),
        (f'{{"token": "{SECRET}é"}}', '{"token": "REDACTED"}'),
        (b'{"token": "' + SECRET.encode() + b'\xff"}', '{"token": "REDACTED"}'),
        (f'{{"token": "{SECRET}'.encode(), '{"token": "REDACTED'),
        (b"", "This request has no body"),
    ],
    ids=["bytes", "str", "not UTF-8", "cut short", "none"],
)
def test_bodies_of_requests_are_redacted(trace: Trace, content: Any, shown: str) -> None:
    logged = trace(HttpRequest("POST", URL, content=content))
    assert shown in logged
    assert SECRET not in logged


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b'{"token":"' + SECRET.encode() + b'"}', '{"token":"REDACTED"}'),
        (b'{"token":"' + SECRET.encode() + b'\xff"}', '{"token":"REDACTED"}'),
        (b'{"token":"' + SECRET.encode(), '{"token":"REDACTED'),
        (b"<html>unavailable</html>", "<html>unavailable</html>"),
    ],
    ids=["JSON", "not UTF-8", "cut short", "HTML"],
)
def test_bodies_of_responses_are_redacted(trace: Trace, body: bytes, shown: str) -> None:
    logged = trace(response=Response(body))
    assert shown in logged
    assert SECRET not in logged
    assert "Failed" not in logged


def chunks() -> Iterator[bytes]:
    yield SECRET.encode()


def test_a_stream_is_left_alone(trace: Trace) -> None:
    stream = chunks()
    assert "File upload" in trace(HttpRequest("POST", URL, content=stream))
    assert list(stream) == [SECRET.encode()]


def test_binary_bodies_are_not_logged(trace: Trace) -> None:
    binary = Response(SECRET.encode(), {"Content-Type": "application/octet-stream"})
    assert "Body contains binary data." in trace(response=binary)
    attached = Response(SECRET.encode(), {"Content-Disposition": 'attachment; filename="a.bin"'})
    logged = trace(response=attached)
    assert 'File attachments: "a.bin"' in logged
    assert SECRET not in logged


def test_the_request_and_the_response_themselves_are_not_changed(trace: Trace) -> None:
    body = f'{{"token": "{SECRET}"}}'
    request = HttpRequest("POST", URL, headers={"Authorization": SECRET}, content=body)
    response = Response(body.encode(), {"Set-Cookie": SECRET})
    trace(request, response)
    assert request.content == body
    assert request.headers["Authorization"] == SECRET
    assert response.text() == body
    assert response.headers["Set-Cookie"] == SECRET


class Untouchable:
    """Fails if anything reads an attribute."""

    def __getattr__(self, name: str) -> NoReturn:
        raise AssertionError(f"{name} was looked at")


OFF: list[tuple[bool, int, dict[str, bool]]] = [
    (False, logging.DEBUG, {}),
    (True, logging.INFO, {}),
    (True, logging.DEBUG, {"logging_enable": False}),
    (False, logging.INFO, {"logging_enable": True}),
]


@pytest.mark.parametrize(("enabled", "level", "options"), OFF)
def test_nothing_is_looked_at_when_nothing_is_logged(
    trace: Trace, enabled: bool, level: int, options: dict[str, bool]
) -> None:
    policy = RedactedTraceLoggingPolicy(logging_enable=enabled)
    assert trace(Untouchable(), Untouchable(), policy, level, **options) == ""


def test_a_single_call_can_be_traced(trace: Trace) -> None:
    logged = trace(policy=RedactedTraceLoggingPolicy(), logging_enable=True)
    assert "Request URL" in logged
    assert "Response status" in logged


def test_the_option_is_taken_off_so_that_it_does_not_reach_the_transport() -> None:
    context = PipelineContext(None, logging_enable=True, other=1)
    request = PipelineRequest(SimpleNamespace(), context)
    RedactedTraceLoggingPolicy().on_request(request)
    assert context.options == {"other": 1}
