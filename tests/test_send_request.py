"""``send_request``: any request, with the authentication, retries and logging of the client."""

import re
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ServiceRequestError
from azure.core.rest import HttpRequest
from either_client import ClientFactory, EitherClient
from scripted_service import ScriptedService


def test_a_request_is_signed(client: EitherClient) -> None:
    request = HttpRequest("POST", "/identities?api-version=2025-06-30", json={})
    response = client.send_request(request)
    assert response.status_code == 201
    assert response.json()["identity"]["id"].startswith("8:acs:")
    assert request.url == "/identities?api-version=2025-06-30"
    assert "Authorization" not in request.headers


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("/identities?a=b", "/identities?a=b"),
        ("identities/8:acs:x?a=b&c", "/identities/8:acs:x?a=b&c"),
        ("{endpoint}/identities", "/identities"),
        ("{endpoint}", "/"),
        ("", "/"),
        ("/a{{b}}", "/a%7Bb%7D"),
        ("/8%3Aacs?q=%2B+ ", "/8%3Aacs?q=%2B+%20"),
        ("/a#fragment", "/a"),
    ],
)
def test_a_url_is_below_the_endpoint_and_nothing_is_added(
    scripted_client: EitherClient, service: ScriptedService, url: str, target: str
) -> None:
    service.will_answer(200)
    scripted_client.send_request(HttpRequest("GET", url.format(endpoint=service.endpoint)))
    assert service.requests[0].target == target
    assert service.requests[0].headers["Authorization"].startswith("HMAC-SHA256 ")


def test_a_relative_url_is_below_the_path_of_the_endpoint(
    make_client: ClientFactory, service: ScriptedService
) -> None:
    service.will_answer(200)
    client = make_client(f"{service.endpoint}/base/")
    client.send_request(HttpRequest("GET", "/a"))
    client.send_request(HttpRequest("GET", f"{service.endpoint}/a"))
    assert [request.target for request in service.requests] == ["/base/a", "/a"]


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/identities",
        "http://evil.example/identities",
        "//evil.example/identities",
        "https://{host}/identities",
        "http://{host}@evil.example/",
        "http://{host}:1/",
        "mailto:{host}",
        "/a/../../identities",
        "./identities",
        "/identities/%2e%2E/a",
        "/a/%2e",
    ],
)
def test_the_credentials_go_to_no_other_host(
    scripted_client: EitherClient, service: ScriptedService, url: str
) -> None:
    request = HttpRequest("GET", url.format(host=service.endpoint.removeprefix("http://")))
    with pytest.raises(ValueError, match="The URL must"):
        scripted_client.send_request(request)
    assert service.requests == []


def test_no_status_raises_an_error_and_a_failure_is_retried(
    scripted_client: EitherClient, service: ScriptedService
) -> None:
    service.will_answer(503).will_answer(404, {"error": {"code": "A", "message": "a"}})
    response = scripted_client.send_request(HttpRequest("GET", "/a"), headers={"x-a": "1"})
    assert response.status_code == 404
    assert len(service.requests) == 2
    assert service.requests[1].headers["x-a"] == "1"
    with pytest.raises(HttpResponseError) as raised:
        response.raise_for_status()
    assert raised.value.error is not None
    assert raised.value.error.code == "A"


def test_the_body_of_a_response_may_be_read_in_blocks(
    scripted_client: EitherClient, service: ScriptedService, flavour: str
) -> None:
    service.will_answer(200, b"block")
    response = scripted_client.send_request(HttpRequest("GET", "/a"), stream=True)
    assert not response.is_stream_consumed
    assert b"".join(scripted_client.items(response.iter_bytes())) == b"block"


@pytest.mark.parametrize("option", ["api_version", "params", "error_map", "retries"])
def test_an_option_that_it_does_not_take_is_an_error(
    scripted_client: EitherClient, service: ScriptedService, option: str
) -> None:
    with pytest.raises(TypeError, match=option):
        scripted_client.send_request(HttpRequest("GET", "/a"), **{option: {}})
    assert service.requests == []


def test_a_url_that_cannot_be_encoded_is_an_error(
    scripted_client: EitherClient, service: ScriptedService
) -> None:
    with pytest.raises(ValueError, match="URL of the request cannot be encoded"):
        scripted_client.send_request(HttpRequest("GET", "/\ud800"))
    with pytest.raises(TypeError, match="URL of the request must be a str"):
        scripted_client.send_request(HttpRequest("GET", 5))  # type: ignore[arg-type]
    assert service.requests == []


@pytest.mark.parametrize("request_", ["/identities", None, {"method": "GET"}])
def test_a_request_of_another_type_is_an_error(
    scripted_client: EitherClient, request_: Any
) -> None:
    words = f"request must be an azure.core.rest.HttpRequest, not {type(request_).__name__}."
    with pytest.raises(TypeError, match=f"^{re.escape(words)}$"):
        scripted_client.send_request(request_)


def test_a_service_that_cannot_be_reached(make_client: ClientFactory) -> None:
    client = make_client("http://127.0.0.1:9", retry_total=0)
    with pytest.raises(ServiceRequestError):
        client.send_request(HttpRequest("GET", "/a"))
