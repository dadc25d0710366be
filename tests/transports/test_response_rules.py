"""What a response tells, whatever library has read it."""

import copy
import gzip
import threading
from json import JSONDecodeError
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ServiceResponseError
from transports.kept import Kept, MakeKept
from transports.raw_server import RawServer, answer, send

from azure.communication.identity._transports import _limits
from azure.communication.identity._transports._urllib3_response import Urllib3Response


@pytest.mark.parametrize(("status", "is_error"), [(200, False), (399, False), (400, True)])
def test_it_is_an_error_from_400_on(make_kept: MakeKept, status: int, is_error: bool) -> None:
    with RawServer(answer(status=f"{status} Some Reason")) as server:
        response = make_kept().send(server)
    if is_error:
        with pytest.raises(HttpResponseError, match="Some Reason"):
            response.raise_for_status()
    else:
        response.raise_for_status()


@pytest.mark.parametrize(
    ("header", "shown"),
    [("X: y", ": 200 OK>"), ("Content-Type: text/plain", ": 200 OK, Content-Type: text/plain>")],
)
def test_its_repr_shows_what_it_is(make_kept: MakeKept, header: str, shown: str) -> None:
    with RawServer(answer(b"{}", header)) as server:
        assert repr(make_kept().send(server)).endswith(shown)


@pytest.mark.parametrize(
    ("body", "position"),
    [
        (b'{"a": token}', 6),
        (b"[" * 100_000, 0),
        (b"1" * 5_000, 0),  # Python converts at most 4300 digits
        (b"", 0),
    ],
    ids=["malformed", "nested too deep", "too many digits", "empty"],
)
def test_what_is_not_json_is_not_shown(make_kept: MakeKept, body: bytes, position: int) -> None:
    with RawServer(answer(body)) as server:
        response = make_kept().send(server)
    with pytest.raises(JSONDecodeError, match="The body is not valid JSON") as raised:
        response.json()
    assert (raised.value.doc, raised.value.pos) == ("", position)
    assert raised.value.__context__ is None


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize("in_chunks", [False, True])
@pytest.mark.parametrize("excess", [0, 1])
def test_a_body_is_limited_unless_it_is_streamed(
    make_kept: MakeKept,
    monkeypatch: pytest.MonkeyPatch,
    is_streamed: bool,
    in_chunks: bool,
    excess: int,
) -> None:
    monkeypatch.setattr(_limits, "MAX_BODY_BYTES", 100)
    body = b"1" * (100 + excess)

    def behave(peer: Any) -> None:
        if not in_chunks:
            answer(body)(peer)
            return
        chunks = [body[:100], body[100:], b""] if excess else [body, b""]
        peer.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for chunk in chunks:
            threading.Event().wait(0.02)
            peer.sendall(b"%x\r\n%b\r\n" % (len(chunk), chunk))

    kept = make_kept()
    with RawServer(behave) as server:
        if excess and not is_streamed:
            with pytest.raises(ServiceResponseError, match="the body is longer than"):
                kept.send(server)
        else:
            response = kept.send(server, stream=is_streamed)
            if is_streamed:
                kept.run(response.read())
            assert response.content == body


def test_it_is_closed_when_it_has_been_read_and_so_is_a_copy(make_kept: MakeKept) -> None:
    kept = make_kept()
    with RawServer(answer(b"{}")) as server:
        response = kept.send(server)
        assert response.is_closed is True
        assert response.is_stream_consumed is True
        streamed = kept.send(server, stream=True)
        assert streamed.is_closed is False
        assert copy.copy(streamed).is_closed is True
        assert (kept.run(streamed.read()) or streamed.content) == b"{}"


def joined(kept: Kept, blocks: Any) -> bytes:
    async def collected() -> bytes:
        return b"".join([block async for block in blocks])

    return kept.run(collected()) if kept.is_async else b"".join(blocks)


@pytest.mark.parametrize(
    ("options", "is_decompressed"),
    [({}, True), ({"decompress": True}, True), ({"decompress": False}, False)],
)
def test_a_download_is_decompressed_unless_the_caller_wants_it_as_it_was_sent(
    make_kept: MakeKept, options: dict[str, bool], is_decompressed: bool
) -> None:
    sent = gzip.compress(b"{}")
    kept = make_kept()
    with RawServer(answer(sent, "Content-Encoding: gzip")) as server:
        response = kept.send(server, stream=True)
        expected = b"{}" if is_decompressed else sent
        assert joined(kept, response.stream_download(None, **options)) == expected


def chunked(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


@pytest.mark.parametrize("in_chunks", [False, True])
@pytest.mark.parametrize("excess", [0, 1])
def test_a_compressed_body_is_limited_as_it_is_decompressed(
    make_kept: MakeKept, monkeypatch: pytest.MonkeyPatch, in_chunks: bool, excess: int
) -> None:
    monkeypatch.setattr(_limits, "MAX_BODY_BYTES", 100)
    body = b"1" * (100 + excess)
    sent = gzip.compress(body)
    length = "Transfer-Encoding: chunked" if in_chunks else f"Content-Length: {len(sent)}"
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n{length}\r\n\r\n".encode()
    kept = make_kept()
    with RawServer(send(head + (chunked(sent) if in_chunks else sent))) as server:
        if excess:
            with pytest.raises(ServiceResponseError, match="the body is longer than"):
                kept.send(server)
        else:
            assert kept.send(server).content == body


def test_a_recorder_may_have_responses_that_stream_alone() -> None:
    def stream(size: int, decode_content: bool) -> Any:
        return iter([b"{", b"}"])

    raw = SimpleNamespace(status=200, reason=None, headers={}, stream=stream)
    request: Any = None
    attempt: Any = None
    response = Urllib3Response(request, raw, attempt, "http://host", 4096)
    response.read_whole()
    assert (response.content, response.reason) == (b"{}", "")
