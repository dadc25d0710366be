"""Results of valid and invalid responses."""

from typing import Any

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from either_client import EitherClient
from scripted_service import ScriptedService

from azure.communication.identity import CommunicationUserIdentifier

ID = "8:acs:x"
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjF9.c2lnbmF0dXJl"
CALLS: dict[str, tuple[Any, ...]] = {
    "create_user": (),
    "create_user_and_token": (["chat"],),
    "get_token": (ID, ["chat"]),
    "revoke_tokens": (ID,),
    "delete_user": (ID,),
    "get_token_for_teams_user": ("token", "app", "user"),
}
WITH_RESULT = ("create_user", "create_user_and_token", "get_token", "get_token_for_teams_user")


def call(client: EitherClient, method: str, **options: Any) -> Any:
    return getattr(client, method)(*CALLS[method], **options)


@pytest.mark.parametrize(
    ("expires_on", "expected"),
    [
        ("2024-03-01T12:30:05.1234567+00:00", 1709296205),
        ("2024-03-01T12:30:05.9999999+00:00", 1709296205),
        ("2024-03-01T12:30:05.123456+00:00", 1709296205),
        ("2024-03-01T12:30:05.1234+00:00", 1709296205),
        ("2024-03-01T12:30:05+00:00", 1709296205),
        ("2024-03-01T12:30:05Z", 1709296205),
        ("2024-03-01T14:00:05.5+01:30", 1709296205),
        ("1969-12-31T23:59:59+00:00", -1),
    ],
)
def test_the_expiry_is_whole_unix_seconds(
    scripted_client: EitherClient, service: ScriptedService, expires_on: str, expected: int
) -> None:
    service.will_answer(200, {"token": TOKEN, "expiresOn": expires_on})
    token = call(scripted_client, "get_token")
    assert (token.token, token.expires_on) == (TOKEN, expected)
    assert type(token.expires_on) is int


def test_fields_that_are_not_known_are_passed_over(
    scripted_client: EitherClient, service: ScriptedService
) -> None:
    service.will_answer(
        201,
        {
            "x": 1,
            "identity": {"y": [2], "id": ID},
            "accessToken": {"z": {}, "expiresOn": "2024-03-01T12:30:05Z", "token": TOKEN},
        },
    )
    user, token = call(scripted_client, "create_user_and_token")
    assert user == CommunicationUserIdentifier(ID)
    assert token == (TOKEN, 1709296205)


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize(
    ("status", "error_type"),
    [
        (400, HttpResponseError),
        (401, ClientAuthenticationError),
        (403, HttpResponseError),
        (404, ResourceNotFoundError),
        (409, ResourceExistsError),
        (418, HttpResponseError),
        (202, HttpResponseError),
    ],
)
def test_an_error_has_the_words_of_the_service(
    scripted_client: EitherClient,
    service: ScriptedService,
    method: str,
    status: int,
    error_type: type[HttpResponseError],
) -> None:
    service.will_answer(
        status, {"error": {"code": "Code", "message": "A message.", "target": "there"}}
    )
    with pytest.raises(HttpResponseError) as raised:
        call(scripted_client, method)
    error = raised.value
    assert type(error) is error_type
    assert error.status_code == status
    assert error.error is not None
    assert (error.error.code, error.error.message) == ("Code", "A message.")
    assert error.error.target == "there"
    if error_type is HttpResponseError:
        assert error.model is not None
        assert error.model.error.code == "Code"


@pytest.mark.parametrize("method", CALLS)
def test_a_success_with_another_status_is_an_error_that_does_not_show_the_token(
    scripted_client: EitherClient, service: ScriptedService, method: str
) -> None:
    service.will_answer(202, {"token": TOKEN, "accessToken": {"token": TOKEN}})
    with pytest.raises(HttpResponseError) as raised:
        call(scripted_client, method)
    assert raised.value.status_code == 202
    assert TOKEN not in f"{raised.value} {raised.value!r}"


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"<html><h1>Service unavailable</h1></html>", "text/html"),
        (b"<html><h1>Service unavailable</h1></html>", "application/json"),
        (b"", "text/plain"),
        (b'{"error": ', "application/json"),
        (b"[1]", "application/json"),
        (b'"no"', "application/json"),
        (b"\xff\xfe\x00", "application/json; charset=utf-8"),
    ],
)
def test_an_error_that_is_not_json_has_the_status(
    scripted_client: EitherClient,
    service: ScriptedService,
    method: str,
    body: bytes,
    content_type: str,
) -> None:
    service.will_answer(503, body, content_type=content_type)
    with pytest.raises(HttpResponseError) as raised:
        call(scripted_client, method, retry_total=0)
    assert raised.value.status_code == 503
    assert type(raised.value) is HttpResponseError


@pytest.mark.parametrize("method", WITH_RESULT)
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"identity": None, "token": None},
        {"identity": {}, "expiresOn": "2024-03-01T12:30:05Z"},
        {"identity": {"id": 7}, "token": 7, "expiresOn": 7},
        {"identity": [ID], "token": [TOKEN], "expiresOn": ["2024"]},
        [],
        None,
        7,
        b"",
        b"<html>Welcome</html>",
        b'{"token": "eyJ',
        b"\xff",
    ],
)
def test_a_success_without_what_was_promised_is_an_error(
    scripted_client: EitherClient, service: ScriptedService, method: str, body: Any
) -> None:
    status = 201 if method.startswith("create") else 200
    service.will_answer(status, body)
    with pytest.raises(DecodeError, match=f"status {status}, but its body") as raised:
        call(scripted_client, method)
    assert raised.value.status_code == status


@pytest.mark.parametrize(
    "expires_on",
    ["", "soon", "2024-03-01", "2024-13-01T12:30:05Z", "2024-03-01T12:30:05"],
)
def test_an_expiry_that_is_no_time_is_an_error_that_does_not_show_the_token(
    scripted_client: EitherClient, service: ScriptedService, expires_on: str
) -> None:
    service.will_answer(
        201,
        {"identity": {"id": ID}, "accessToken": {"token": TOKEN, "expiresOn": expires_on}},
    )
    with pytest.raises(DecodeError, match=r"accessToken\.expiresOn in its body is not") as raised:
        call(scripted_client, "create_user_and_token")
    assert TOKEN not in str(raised.value)
    assert TOKEN not in repr(raised.value)


@pytest.mark.parametrize("expires_on", ["1709296205", 1709296205, 1709296205000, 1.7e12])
def test_an_expiry_that_is_a_number_is_an_error_that_says_so(
    scripted_client: EitherClient, service: ScriptedService, expires_on: Any
) -> None:
    token = {"token": TOKEN, "expiresOn": expires_on}
    service.will_answer(201, {"identity": {"id": ID}, "accessToken": token})
    expected = r"accessToken\.expiresOn in its body is a number, perhaps of milliseconds"
    with pytest.raises(DecodeError, match=expected):
        call(scripted_client, "create_user_and_token")


def test_a_status_may_be_mapped_to_another_error(
    scripted_client: EitherClient, service: ScriptedService
) -> None:
    class GoneError(HttpResponseError):
        pass

    service.will_answer(410)
    with pytest.raises(GoneError):
        scripted_client.create_user(error_map={410: GoneError})


def test_json_is_read_as_utf_8_whatever_the_header_says(
    scripted_client: EitherClient, service: ScriptedService
) -> None:
    body = '{"identity": {"id": "8:acs:\u00fc\u6f22"}}'.encode()
    service.will_answer(201, body, content_type="text/plain; charset=latin-1")
    assert scripted_client.create_user().raw_id == "8:acs:\u00fc\u6f22"
