"""Error responses and invalid successes: which exception, with which content, at which cost."""

import pickle
from datetime import datetime, timezone
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

import pytest
from azure.core.exceptions import DecodeError, HttpResponseError, ResourceNotFoundError
from either_client import ClientFactory, EitherClient
from fresh_process import run
from scripted_service import ScriptedService

ID = "8:acs:x"
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjF9.c2lnbmF0dXJl"
ERROR = {
    "error": {
        "code": "ValidationError",
        "message": "Wrong.",
        "target": "scopes",
        "details": [{"code": "A", "message": "a"}],
        "innererror": {"code": "B", "message": "b"},
    }
}


def failed(client: EitherClient) -> HttpResponseError:
    with pytest.raises(HttpResponseError) as raised:
        client.get_token(ID, ["chat"])
    return raised.value


@pytest.fixture
def client(make_client: ClientFactory, service: ScriptedService) -> EitherClient:
    return make_client(service.endpoint, retry_total=0)


def test_an_error_has_what_the_service_sent(client: EitherClient, service: ScriptedService) -> None:
    service.will_answer(400, ERROR)
    found = failed(client).error
    assert found is not None
    assert (found.code, found.message, found.target) == ("ValidationError", "Wrong.", "scopes")
    assert [(detail.code, detail.message) for detail in found.details] == [("A", "a")]
    assert found.innererror == {"code": "B", "message": "b"}


def test_the_model_of_an_error_is_that_of_1_5_0(
    client: EitherClient, service: ScriptedService
) -> None:
    service.will_answer(400, ERROR)
    model = pickle.loads(pickle.dumps(failed(client).model))
    assert (model.error.code, model.error.message) == ("ValidationError", "Wrong.")
    assert model.error.target == "scopes"
    assert [detail.code for detail in model.error.details] == ["A"]
    assert model.error.inner_error.code == "B"
    assert model.serialize() == {"error": {"code": "ValidationError", "message": "Wrong."}}
    with pytest.raises(AttributeError, match="another"):
        model.another  # noqa: B018


def test_the_model_of_an_error_with_other_types(
    client: EitherClient, service: ScriptedService
) -> None:
    service.will_answer(400, {"error": {"code": "A", "message": "a", "details": 7}})
    error = failed(client)
    assert error.error is None
    assert error.model is None
    service.will_answer(400, {"error": {"code": "A", "message": "a", "details": {"b": 1}}})
    failed(client)
    model = failed(client).model
    assert model is not None
    assert model.error is None


def nested(opening: bytes, depth: int, closing: bytes) -> bytes:
    return opening * depth + b"1" + closing * depth


DEEP = 100_000
BODIES: dict[str, tuple[bytes, str]] = {
    "nested lists": (nested(b"[", DEEP, b"]"), "application/json"),
    "nested objects": (nested(b'{"a":', DEEP, b"}"), "application/json"),
    "nested error": (
        b'{"error":{"code":"A","message":"a","innererror":' + nested(b"[", DEEP, b"]") + b"}}",
        "application/json",
    ),
    # azure-core would print it with indentation, in 36 MB.
    "nested inner error": (
        b'{"error":{"code":"A","message":"a","innererror":' + nested(b'{"a":', 3_000, b"}") + b"}}",
        "application/json",
    ),
    "not JSON": (b"<html>", "application/json"),
    "unclosed": (b'{"error": ', "application/json"),
    "not UTF-8": (b'{"token": "\xff"}', "application/json; charset=utf-8"),
    "a charset of bytes": (b"{}", "application/json; charset=hex"),
    "an unknown charset": (b"{}", "application/json; charset=klingon"),
    "long": (b'{"token": "' + b"x" * 10_000_000, "application/json"),
    "a long number": (b'{"a": ' + b"9" * 10_000 + b"}", "application/json"),
    "empty": (b"", "application/json"),
    "strange members": (
        b'{"error": {"code": 7, "message": [], "details": 7, "target": {}}}',
        "application/json",
    ),
}


@pytest.mark.parametrize(("body", "content_type"), BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("status", [200, 400, 404, 503])
def test_any_body_gives_an_azure_core_error_with_the_status(
    client: EitherClient, service: ScriptedService, body: bytes, content_type: str, status: int
) -> None:
    service.will_answer(status, body, content_type=content_type)
    error = failed(client)
    assert (error.status_code, error.reason) == (status, HTTPStatus(status).phrase)
    assert error.response is not None
    expected = {200: DecodeError, 404: ResourceNotFoundError}.get(status, HttpResponseError)
    assert isinstance(error, expected)
    assert len(str(error)) < 5000
    if status == 200:
        assert "xxx" not in str(error)


INVALID: dict[str, Any] = {
    "its body has no token": {"token": None, "expiresOn": "2099-01-01T00:00:00Z"},
    "token in its body is empty": {"token": "", "expiresOn": "2099-01-01T00:00:00Z"},
    "its body has no expiresOn": {"token": TOKEN, "expiresOn": None},
    "expiresOn in its body is not a time": {"token": TOKEN, "expiresOn": "4102444800000Z"},
}


@pytest.mark.parametrize(("words", "body"), INVALID.items(), ids=INVALID)
def test_a_success_with_an_invalid_token_is_an_error(
    client: EitherClient, service: ScriptedService, words: str, body: Any
) -> None:
    service.will_answer(200, body)
    error = failed(client)
    assert isinstance(error, DecodeError)
    assert words in str(error)


@pytest.mark.parametrize(
    "expires_on",
    ["10000-01-01T00:00:00Z", "9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00"],
)
def test_an_expiry_is_a_time_that_datetime_can_hold(
    client: EitherClient, service: ScriptedService, expires_on: str
) -> None:
    service.will_answer(200, {"token": TOKEN, "expiresOn": expires_on})
    assert "expiresOn in its body is not a time up to year 9999" in str(failed(client))


@pytest.mark.parametrize(
    "date", [formatdate(usegmt=True), "Fri, 01 Mar 2024 12:35:06 GMT"], ids=["now", "in 2024"]
)
def test_a_success_with_a_token_that_had_expired_is_an_error(
    client: EitherClient, service: ScriptedService, date: str
) -> None:
    body = {"token": TOKEN, "expiresOn": "2024-03-01T12:30:05Z"}
    service.will_answer(200, body, date=date)
    error = failed(client)
    assert isinstance(error, DecodeError)
    assert "token in its body has expired" in str(error)
    assert TOKEN not in str(error) + repr(error)


@pytest.mark.parametrize(
    "date",
    [
        "Fri, 01 Mar 2024 12:30:04 GMT",  # a recording
        "Fri, 01 Mar 2024 12:35:05 GMT",  # within the skew of clocks
        "Fri, 32 Mar 2024 12:35:05 GMT",
        "soon",
        None,
    ],
)
def test_the_local_clock_alone_does_not_say_that_a_token_has_expired(
    client: EitherClient, service: ScriptedService, date: str | None
) -> None:
    body = {"token": TOKEN, "expiresOn": "2024-03-01T12:30:05Z"}
    service.will_answer(200, body, **({"date": date} if date else {}))
    expiry = datetime(2024, 3, 1, 12, 30, 5, tzinfo=timezone.utc).timestamp()
    assert client.get_token(ID, ["chat"]).expires_on == expiry


def test_the_date_of_the_response_alone_does_not_say_that_a_token_has_expired(
    client: EitherClient, service: ScriptedService
) -> None:
    body = {"token": TOKEN, "expiresOn": "2099-03-01T12:30:05Z"}
    service.will_answer(200, body, date="Mon, 01 Mar 2100 12:30:04 GMT")
    assert client.get_token(ID, ["chat"]).token == TOKEN


@pytest.mark.parametrize(
    ("status", "body"), [(400, ERROR), (404, ERROR), (503, b"<html>"), (200, b"<html>")]
)
def test_an_error_can_be_pickled_even_if_another_one_is_being_handled(
    client: EitherClient, service: ScriptedService, status: int, body: Any
) -> None:
    service.will_answer(status, body)

    class LocalError(Exception):
        pass

    try:
        raise LocalError
    except LocalError:
        error = failed(client)
    error.response = None  # tested with the transports
    found = pickle.loads(pickle.dumps(error))
    assert type(found) is type(error)
    assert (str(found), found.status_code) == (str(error), status)


FIRST_ERROR = """
import sys
sys.path.insert(0, "tests")
from azure.core.exceptions import HttpResponseError
from azure.communication.identity{aio} import CommunicationIdentityClient
from scripted_service import ScriptedService
import asyncio, time

ERROR = {{"error": {{"code": "ValidationError", "message": "No."}}}}
TOKEN = {{"token": "a", "expiresOn": "2099-11-24T09:05:00+00:00"}}

async def awaited(result):
    return await result

loop = asyncio.new_event_loop()
with ScriptedService() as service:
    client = CommunicationIdentityClient(service.endpoint, "a2V5", retry_total=0)
    def call(method, *arguments):
        result = getattr(client, method)(*arguments)
        return loop.run_until_complete(awaited(result)) if {is_async} else result
    service.will_answer(200, TOKEN).will_answer(400, ERROR)
    call("get_token", "8:acs:x", ["chat"])
    before = set(sys.modules)
    times = []
    for _ in range(9):
        started = time.process_time()
        try:
            call("get_token", "8:acs:x", ["chat"])
        except HttpResponseError as error:
            assert error.error.code == "ValidationError", error
        times.append(time.process_time() - started)
    # Python loads a codec when it is first used.
    found = [name for name in set(sys.modules) - before if not name.startswith("encodings.")]
    print(found, times[0] <= 3 * max(times[1:]))
    call("close")
loop.close()
"""


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_the_first_error_imports_nothing_and_takes_as_long_as_any(is_async: bool) -> None:
    assert run(FIRST_ERROR.format(aio=".aio" if is_async else "", is_async=is_async)).split() == [
        "[]",
        "True",
    ]
