"""A response that belongs to another request is never used."""

from typing import Any

import pytest
from azure.core.exceptions import ServiceResponseError
from azure.core.pipeline.transport import AioHttpTransport, RequestsTransport
from either_client import ClientFactory
from transports.raw_server import RawServer, answer

HEADER = "x-ms-client-request-id"
ALICE = b'{"token": "alice", "expiresOn": "2124-03-01T12:30:05Z"}'
BOB = ALICE.replace(b"alice", b"bob")


def of(body: bytes, request_id: str | None) -> Any:
    return answer(
        body,
        "Content-Type: application/json",
        *([] if request_id is None else [f"{HEADER}: {request_id}"]),
    )


@pytest.fixture(params=["default", "stock"])
def options(request: pytest.FixtureRequest, flavour: str) -> dict[str, Any]:
    if request.param == "default":
        return {}
    return {"transport": RequestsTransport() if flavour == "sync" else AioHttpTransport()}


@pytest.mark.parametrize("echoed", ["mine", None, " mine "])
def test_an_echoed_id_or_none_is_accepted(
    make_client: ClientFactory, options: dict[str, Any], echoed: str | None
) -> None:
    with RawServer(of(ALICE, echoed)) as server:
        client = make_client(server.url, **options)
        assert client.get_token("8:acs:a", ["chat"], request_id="mine").token == "alice"
        client.close()


@pytest.mark.parametrize("echoed", ["another", "mine2", "mine, mine"])
def test_another_id_is_an_error(
    make_client: ClientFactory, options: dict[str, Any], echoed: str
) -> None:
    with RawServer(of(BOB, echoed)) as server:
        client = make_client(server.url, retry_total=0, **options)
        with pytest.raises(ServiceResponseError, match="answers another request") as raised:
            client.get_token("8:acs:a", ["chat"], request_id="mine")
        client.close()
    assert "bob" not in str(raised.value)


def test_without_an_id_of_its_own_a_call_takes_any(
    make_client: ClientFactory, options: dict[str, Any]
) -> None:
    with RawServer(of(ALICE, "another")) as server:
        client = make_client(server.url, **options)
        assert client.get_token("8:acs:a", ["chat"], request_id=None).token == "alice"
        client.close()


def test_the_request_is_repeated_where_the_operation_may_be(
    make_client: ClientFactory, options: dict[str, Any]
) -> None:
    behaviours = [of(BOB, "another"), of(ALICE, "mine")]
    with RawServer(lambda connection: behaviours.pop(0)(connection)) as server:
        client = make_client(server.url, **options)
        assert client.get_token("8:acs:a", ["chat"], request_id="mine").token == "alice"
        client.close()
    assert len(server.requests) == 2


def test_a_creation_is_not_repeated(make_client: ClientFactory, options: dict[str, Any]) -> None:
    created = b'{"identity": {"id": "8:acs:bob"}}'
    with RawServer(answer(created, f"{HEADER}: another", status="201 Created")) as server:
        client = make_client(server.url, **options)
        with pytest.raises(ServiceResponseError):
            client.create_user(request_id="mine")
        client.close()
    assert len(server.requests) == 1


def test_an_error_of_another_request_is_not_used_either(
    make_client: ClientFactory, options: dict[str, Any]
) -> None:
    with RawServer(answer(b"{}", f"{HEADER}: another", status="404 Not Found")) as server:
        client = make_client(server.url, retry_total=0, **options)
        with pytest.raises(ServiceResponseError):
            client.get_token("8:acs:a", ["chat"], request_id="mine")
        client.close()


def test_the_connection_is_closed(make_client: ClientFactory) -> None:
    behaviours = [of(BOB, "another"), of(ALICE, "mine")]
    with RawServer(lambda connection: behaviours.pop(0)(connection)) as server:
        client = make_client(server.url)
        assert client.get_token("8:acs:a", ["chat"], request_id="mine").token == "alice"
        assert server.connections == 2
        client.close()


def test_a_second_answer_on_a_connection_is_not_used(make_client: ClientFactory) -> None:
    alice, bob = of(ALICE, "for-alice"), of(BOB, "for-bob")

    def both(connection: Any) -> None:
        alice(connection)
        bob(connection)

    with RawServer(both) as server:
        client = make_client(server.url, retry_backoff_factor=0)
        for _ in range(5):
            token = client.get_token("8:acs:a", ["chat"], request_id="for-alice")
            assert token.token == "alice"
        client.close()
