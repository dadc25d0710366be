"""Which headers and which body are sent."""

from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.pipeline.transport import HttpRequest as OlderRequest
from azure.core.rest import HttpRequest

from azure.communication.identity._transports._outgoing import body_of, headers_of


def older(**parts: Any) -> OlderRequest:
    request = OlderRequest("POST", "https://host")
    vars(request).update(parts)
    return request


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        (HttpRequest("POST", "https://host"), None),
        (HttpRequest("POST", "https://host", json={"ä": 1}), b'{"\\u00e4": 1}'),
        (HttpRequest("POST", "https://host", content="ä"), "ä".encode()),
        (HttpRequest("POST", "https://host", content=b"{}"), b"{}"),
        (HttpRequest("POST", "https://host", content=""), None),
        (HttpRequest("POST", "https://host", content=b""), None),
        (older(), None),
        (older(data="{}"), b"{}"),
        (older(data=b"{}"), b"{}"),
        (older(data=b"{}", files={"a": b"b"}), b"{}"),
    ],
)
def test_a_body_is_bytes(request_: Any, body: bytes | None) -> None:
    assert body_of(request_) == body


def test_blocks_are_left_to_the_library() -> None:
    blocks = iter([b"{}"])
    assert body_of(HttpRequest("POST", "https://host", content=blocks)) is blocks


@pytest.mark.parametrize(
    "request_",
    [
        HttpRequest("POST", "https://host", files={"a": b"b"}),
        older(files={"a": b"b"}),
        older(data={"a": "b"}),
    ],
)
def test_forms_and_files_are_an_error(request_: Any) -> None:
    with pytest.raises(TypeError, match="Forms and files are not sent"):
        body_of(request_)


@pytest.mark.parametrize("is_plain", [True, False])
def test_headers(is_plain: bool) -> None:
    given = {"Content-Length": "1", "X-Mine": "a"}
    request: Any = HttpRequest("POST", "https://host", headers=given)
    if is_plain:  # as a policy of a user may set them
        request = SimpleNamespace(headers=given)
    assert headers_of(request, "ä".encode()) == {
        "content-length": "2",
        "x-mine": "a",
        "accept-encoding": "gzip, deflate",
    }
    assert headers_of(request, iter([b""]))["content-length"] == "1"


@pytest.mark.parametrize("character", ["\r", "\n", "\0"])
@pytest.mark.parametrize("is_name", [True, False])
def test_no_header_holds_another(character: str, is_name: bool) -> None:
    name, value = (f"a{character}b", "c") if is_name else ("a", f"b{character}c")
    request = HttpRequest("GET", "https://host", headers={"first": "1", name: value})
    with pytest.raises(ValueError, match="null character in the request header") as raised:
        headers_of(request, None)
    assert str(raised.value).endswith(f"{name!r}.")
