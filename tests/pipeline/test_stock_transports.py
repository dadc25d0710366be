"""The exceptions of azure-core's transports are those of the default ones."""

import socket
from typing import Any

import aiohttp
import pytest
import requests
from azure.core.exceptions import (
    AzureError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline.transport import AioHttpTransport, RequestsTransport
from either_client import ClientFactory
from transports.raw_server import RawServer, answer, send_and_close


class Raising(RequestsTransport):  # type: ignore[misc]
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def send(self, request: Any, **kwargs: Any) -> Any:
        self.open()
        raise self.error


class AsyncRaising(AioHttpTransport):  # type: ignore[misc]
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    async def send(self, request: Any, **kwargs: Any) -> Any:
        raise self.error


def stock(flavour: str) -> Any:
    return RequestsTransport() if flavour == "sync" else AioHttpTransport(use_env_settings=False)


def azure_error_of(error: Exception) -> Exception:
    return ServiceRequestError("as azure-core wraps it", error=error)


def error_of(client: Any) -> AzureError:
    with pytest.raises(AzureError) as raised:
        client.get_token("8:acs:x", ["chat"], retry_total=0)
    return raised.value


def test_nothing_listens(make_client: ClientFactory, flavour: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        peer = f"http://127.0.0.1:{listener.getsockname()[1]}"
    error = error_of(make_client(peer, transport=stock(flavour)))
    assert type(error) is ServiceRequestError
    assert error.message.startswith(f"Could not connect to {peer}: ")


def test_the_connection_is_closed_without_a_response(
    make_client: ClientFactory, flavour: str
) -> None:
    with RawServer(send_and_close(b"")) as server:
        error = error_of(make_client(server.url, transport=stock(flavour)))
        assert type(error) is ServiceResponseError
        assert error.message.startswith(f"{server.url} sent no complete response: ")


@pytest.mark.parametrize(
    ("flavour", "raised", "kind"),
    [
        ("sync", requests.ConnectTimeout(), ServiceRequestTimeoutError),
        ("sync", requests.ReadTimeout(), ServiceResponseTimeoutError),
        ("sync", requests.exceptions.ProxyError(), ServiceRequestError),
        (
            "sync",
            azure_error_of(requests.ReadTimeout()),
            ServiceResponseTimeoutError,
        ),
        ("sync", ValueError("malformed"), ServiceResponseError),
        ("async", aiohttp.ConnectionTimeoutError(), ServiceRequestTimeoutError),
        ("async", aiohttp.ServerTimeoutError(), ServiceResponseTimeoutError),
        ("async", aiohttp.InvalidURL("x"), ServiceRequestError),
        ("async", aiohttp.ClientPayloadError(), ServiceResponseError),
    ],
    ids=lambda value: repr(value) if isinstance(value, Exception) else None,
)
def test_what_the_library_raised_says_whether_the_request_was_sent(
    make_client: ClientFactory, flavour: str, raised: Exception, kind: type[Exception]
) -> None:
    transport: Any = (Raising if flavour == "sync" else AsyncRaising)(raised)
    assert type(error_of(make_client("https://host", transport=transport))) is kind


def test_a_closed_transport_is_a_mistake_of_the_caller(
    make_client: ClientFactory, flavour: str
) -> None:
    with RawServer(answer(b'{"token": "t", "expiresOn": "2124-03-01T12:30:05Z"}')) as server:
        client = make_client(server.url, transport=stock(flavour))
        client.get_token("8:acs:x", ["chat"])
        client.close()
        with pytest.raises(ValueError, match="already been closed"):
            client.get_token("8:acs:x", ["chat"])
    assert len(server.requests) == 1
