"""The cassettes themselves: complete, alike for both clients, and without a secret."""

import re
from pathlib import Path

import pytest
from vcr.request import Request

from .conftest import CASSETTES
from .scrubbing import HOST, Scrubber, leaks

GUID = "4d1e7a52-93c0-4b8e-a6f1-0c2d5e7f9a3b"
ANOTHER_GUID = "b7c90d16-2e4f-4a35-8d71-5f6e3c8a0b92"


def exchanges(path: Path) -> str:
    """The contents of a cassette, without times, which differ between recordings."""
    return re.sub(r'"expiresOn":"[^"]+"', "", path.read_text(encoding="utf-8"))


def test_both_clients_send_and_get_the_same() -> None:
    sync, asynchronous = (
        {path.name.removesuffix(end): exchanges(path) for path in CASSETTES.glob(f"*{end}")}
        for end in (".sync.yaml", ".async.yaml")
    )
    assert sync == asynchronous != {}


@pytest.mark.parametrize("path", sorted(CASSETTES.iterdir()), ids=lambda path: path.name)
def test_a_cassette_leaks_nothing(path: Path) -> None:
    assert leaks(path.read_text(encoding="utf-8")) == {}


@pytest.mark.parametrize(
    "text",
    [
        "token: eyJhbGciOiJSUzI1NiJ9.e30.c2ln",
        "Authorization: [x]",
        "x: HMAC-SHA256 SignedHeaders=x-ms-date;host&Signature=c2ln",
        "x: Bearer abc",
        "x-ms-date: [x]",
        "x: endpoint=https://r.communication.azure.com/;accesskey=YQ==",
        f"x: {'Zm9vYmFy' * 11}==",
        "uri: https://my-resource.communication.azure.com/identities",
        "uri: http://127.0.0.1:8080/identities",
        f"id: 8:acs:{GUID}_{GUID}",
        f"id: {GUID.upper()}",
    ],
)
def test_the_scan_finds(text: str) -> None:
    assert leaks(f"interactions:\n- {text}\n") != {}


SECRET_REQUEST = Request(
    "POST",
    "http://my-resource.example:8080"
    f"/identities/8:acs:{GUID}_{ANOTHER_GUID}/:issueAccessToken?api-version=1",
    f'{{"token": "opaque and secret", "appId": "{GUID}"}}',
    {"Authorization": "HMAC-SHA256 x", "User-Agent": "me", "Accept": "application/json"},
)
SECRET_RESPONSE = {
    "status": {"code": 200, "message": "OK"},
    "headers": {"MS-CV": ["abc"], "Content-Type": ["application/json"]},
    "body": {"string": f'{{"identity": {{"id": "{GUID}"}}, "token": "opaque"}}'.encode()},
}


def test_a_request_is_scrubbed() -> None:
    scrubber = Scrubber()
    scrubbed = scrubber.request(SECRET_REQUEST)
    first, second = (f"00000000-0000-0000-0000-00000000000{number}" for number in (1, 2))
    path = f"/identities/8:acs:{first}_{second}/:issueAccessToken?api-version=1"
    assert scrubbed.uri == f"https://{HOST}{path}"
    assert scrubbed.body == f'{{"token":"scrubbed","appId":"{first}"}}'.encode()
    assert dict(scrubbed.headers) == {"accept": "application/json"}
    assert scrubber.request(scrubbed).uri == scrubbed.uri


def test_a_response_is_scrubbed() -> None:
    scrubbed = Scrubber().response(SECRET_RESPONSE)
    assert scrubbed["headers"] == {"content-type": ["application/json"]}
    first = "00000000-0000-0000-0000-000000000001"
    assert scrubbed["body"]["string"] == (
        f'{{"identity":{{"id":"{first}"}},"token":"scrubbed"}}'.encode()
    )


def test_what_is_not_json_is_left_out() -> None:
    page = SECRET_RESPONSE | {"body": {"string": b"<html>your address</html>"}}
    assert Scrubber().response(page)["body"]["string"] == b"scrubbed"
