"""What a response tells, whatever library has read it."""

import copy
from json import JSONDecodeError

import pytest
from azure.core.exceptions import HttpResponseError
from transports.kept import MakeKept
from transports.raw_server import RawServer, answer


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


def test_it_is_closed_when_it_has_been_read_and_so_is_a_copy(make_kept: MakeKept) -> None:
    kept = make_kept()
    with RawServer(answer(b"{}")) as server:
        assert kept.send(server).is_closed is True
        streamed = kept.send(server, stream=True)
        assert streamed.is_closed is False
        assert copy.copy(streamed).is_closed is True
        assert (kept.run(streamed.read()) or streamed.content) == b"{}"
