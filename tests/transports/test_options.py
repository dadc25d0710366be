"""Options have the same effect on every transport."""

import base64
import logging
import re
import ssl
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import getproxies_environment

import pytest
import requests
import trustme
from azure.core.exceptions import (
    AzureError,
    ServiceRequestError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.pipeline.transport import (
    AioHttpTransport,
    AsyncioRequestsTransport,
    RequestsTransport,
)
from either_client import KEY, ClientFactory
from transports.clients import Make
from transports.exchange import STOCK_IS_PRECISE
from transports.raw_server import RawServer, answer, send_and_hang
from transports.tunnel_proxy import TunnelProxy

from azure.communication.identity._transports import _environment

TOKEN = b'{"token": "a", "expiresOn": "2026-11-24T09:05:00+00:00"}'
JSON = "Content-Type: application/json"


def get_token(client: Any, **options: Any) -> str:
    token: str = client.get_token("8:acs:1", ["chat"], **options).token
    return token


def header(request: bytes, name: str) -> str:
    for line in request.split(b"\r\n")[1:]:
        found, _, value = line.partition(b":")
        if found.decode().lower() == name:
            return value.decode().strip()
    raise KeyError(name)


@pytest.fixture
def server() -> Iterator[RawServer]:
    with RawServer(answer(TOKEN, JSON)) as server:
        yield server


def test_hooks_headers_and_policies(make: Make, server: RawServer) -> None:
    seen: list[Any] = []

    class Policy(SansIOHTTPPolicy[Any, Any]):
        def __init__(self, name: str) -> None:
            self.name = name

        def on_request(self, request: Any) -> None:
            request.http_request.headers["X-Policy"] = self.name
            seen.append(f"{self.name} request")

        def on_response(self, request: Any, response: Any) -> None:
            seen.append(f"{self.name} {response.http_response.status_code}")

    client = make(
        server.url,
        per_call_policies=[Policy("call")],
        per_retry_policies=Policy("retry"),
        headers={"X-Client": "c"},
        user_agent="agent/1",
    )
    token = get_token(
        client,
        raw_request_hook=lambda request: seen.append(request.http_request.method),
        raw_response_hook=lambda response: seen.append(response.http_response.json()["token"]),
        headers={"X-Call": "d"},
        request_id="my-id",
    )
    assert token == "a"
    assert seen == ["call request", "POST", "retry request", "retry 200", "a", "call 200"]
    (sent,) = server.requests
    assert header(sent, "x-policy") == "retry"
    assert header(sent, "x-client") == "c"
    assert header(sent, "x-call") == "d"
    assert header(sent, "x-ms-client-request-id") == "my-id"
    assert header(sent, "user-agent").startswith("agent/1 azsdk-python-communication-identity/")


def test_logging(make: Make, server: RawServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="azure")
    get_token(make(server.url), logging_enable=True)
    assert "Request method: 'POST'" in caplog.text
    assert "Response status: 200" in caplog.text
    assert '"expiresOn": "2026-11-24T09:05:00+00:00"' in caplog.text
    assert "HMAC-SHA256" not in caplog.text


READ_TIMEOUT = ServiceResponseTimeoutError if STOCK_IS_PRECISE else ServiceResponseError


def test_a_read_timeout_of_the_client(make: Make) -> None:
    with RawServer(send_and_hang(b"")) as server:
        client = make(server.url, read_timeout=0.2)
        with pytest.raises(READ_TIMEOUT):
            get_token(client)


def test_a_read_timeout_of_the_call(make: Make) -> None:
    with RawServer(send_and_hang(b"")) as server:
        client = make(server.url)
        with pytest.raises(READ_TIMEOUT):
            get_token(client, read_timeout=0.2)


class TestTls:
    @pytest.fixture
    def server(self, server_context: ssl.SSLContext) -> Iterator[RawServer]:
        with RawServer(answer(TOKEN, JSON), server_context) as server:
            yield server

    def test_a_ca_bundle_of_the_client(self, make: Make, server: RawServer, bundle: str) -> None:
        assert get_token(make(server.url, connection_verify=bundle)) == "a"

    def test_a_ca_bundle_of_the_call(self, make: Make, server: RawServer, bundle: str) -> None:
        client = make(server.url)
        with pytest.raises(ServiceRequestError):
            get_token(client)
        assert get_token(client, connection_verify=bundle) == "a"

    def test_no_verification(self, make: Make, server: RawServer) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # urllib3 says that it is unsafe
            assert get_token(make(server.url, connection_verify=False)) == "a"

    def test_no_wish_is_verification(self, make: Make, server: RawServer) -> None:
        with pytest.raises(ServiceRequestError):
            get_token(make(server.url, connection_verify=None))

    @pytest.fixture
    def mutual(self, authority: trustme.CA) -> Iterator[RawServer]:
        """A server that asks for a certificate."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.verify_mode = ssl.CERT_REQUIRED
        authority.issue_cert("localhost").configure_cert(context)
        authority.configure_trust(context)
        with RawServer(answer(TOKEN, JSON), context) as server:
            yield server

    @pytest.fixture
    def pair(self, authority: trustme.CA, tmp_path: Path) -> tuple[str, str]:
        """The files of a certificate and of its key."""
        certificate, key = str(tmp_path / "certificate"), str(tmp_path / "key")
        issued = authority.issue_cert("client.invalid")
        issued.cert_chain_pems[0].write_to_path(certificate)
        issued.private_key_pem.write_to_path(key)
        return certificate, key

    def test_a_certificate_of_the_client(
        self, make: Make, mutual: RawServer, pair: tuple[str, str], bundle: str
    ) -> None:
        client = make(mutual.url, connection_verify=bundle, connection_cert=pair)
        assert get_token(client) == "a"
        with pytest.raises(AzureError):
            get_token(make(mutual.url, connection_verify=bundle))

    def test_a_certificate_in_other_forms(
        self, make_client: ClientFactory, mutual: RawServer, pair: tuple[str, str], bundle: str
    ) -> None:
        # Of azure-core's transports, each takes another one of these.
        with open(pair[0], "a", encoding="ascii") as file:
            file.write(Path(pair[1]).read_text(encoding="ascii"))
        for cert in (pair[0], list(pair), (*pair, "no password is needed")):
            client = make_client(mutual.url, connection_verify=bundle, connection_cert=cert)
            assert get_token(client) == "a"

    @pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
    def test_a_ca_bundle_of_the_environment(
        self,
        make_client: ClientFactory,
        server: RawServer,
        bundle: str,
        monkeypatch: pytest.MonkeyPatch,
        name: str,
    ) -> None:
        monkeypatch.setenv(name, bundle)
        client = make_client(server.url, KEY, retry_total=0)
        # It is read once per client.
        monkeypatch.delenv(name)
        assert get_token(client) == "a"
        with pytest.raises(ServiceRequestError):
            get_token(make_client(server.url, KEY, retry_total=0))
        monkeypatch.setenv(name, bundle)
        # As in requests: whether to verify does not say by whom.
        assert get_token(make_client(server.url, KEY, connection_verify=True)) == "a"
        assert get_token(make_client(server.url, KEY), connection_verify=True) == "a"
        with pytest.raises(ServiceRequestError):
            get_token(make_client(server.url, KEY, retry_total=0, use_env_settings=False))


class TestProxies:
    """The server takes the part of the proxy, and sees whole URLs."""

    URL = "http://somewhere.invalid"

    def assert_proxied(self, server: RawServer, path: str = "/identities/8:acs:1") -> None:
        (sent,) = server.requests
        assert sent.startswith(f"POST {self.URL}{path}/:issueAccessToken?".encode())
        assert header(sent, "host") == "somewhere.invalid"
        assert header(sent, "authorization").startswith("HMAC-SHA256 ")

    def test_of_the_client(self, make: Make, server: RawServer) -> None:
        assert get_token(make(self.URL, proxies={"http": server.url})) == "a"
        self.assert_proxied(server)

    def test_of_the_call(self, make: Make, server: RawServer) -> None:
        assert get_token(make(self.URL), proxies={"http": server.url}) == "a"
        self.assert_proxied(server)

    def test_with_a_password(self, make: Make, server: RawServer) -> None:
        proxy = server.url.replace("http://", "http://user:p%40ss@")
        assert get_token(make(self.URL, proxies={"http": proxy})) == "a"
        expected = base64.b64encode(b"user:p@ss").decode()
        assert header(server.requests[0], "proxy-authorization") == f"Basic {expected}"

    @pytest.mark.parametrize("name", ["http_proxy", "all_proxy"])
    def test_of_the_environment(
        self,
        make_client: ClientFactory,
        server: RawServer,
        monkeypatch: pytest.MonkeyPatch,
        name: str,
    ) -> None:
        monkeypatch.setenv(name, server.url)
        client = make_client(self.URL, KEY, retry_total=0)
        assert get_token(client) == "a"
        self.assert_proxied(server)
        # It is read once per client.
        monkeypatch.delenv(name)
        assert get_token(client) == "a"
        monkeypatch.setenv(name, server.url)
        with pytest.raises(ServiceRequestError):
            get_token(make_client(self.URL, KEY, retry_total=0, proxies={}))
        for environment in ({"use_env_settings": False}, {}):
            monkeypatch.setenv("no_proxy", ".invalid" if not environment else "")
            with pytest.raises(ServiceRequestError):
                get_token(make_client(self.URL, KEY, retry_total=0, **environment))

    @pytest.mark.parametrize(
        ("name", "no_proxy", "url", "is_proxied"),
        [
            ("HTTP_PROXY", "", "http://somewhere.invalid", True),
            ("HTTP_PROXY", "", "https://somewhere.invalid", False),
            ("HTTPS_PROXY", "", "http://somewhere.invalid", False),
            ("HTTPS_PROXY", "", "https://somewhere.invalid", True),
            ("ALL_PROXY", "", "http://somewhere.invalid", True),
            ("ALL_PROXY", "", "https://somewhere.invalid", True),
            ("ALL_PROXY", "somewhere.invalid", "http://somewhere.invalid", False),
            ("ALL_PROXY", "somewhere.invalid", "https://somewhere.invalid", False),
            ("ALL_PROXY", "somewhere.invalid", "https://a.somewhere.invalid", False),
            ("ALL_PROXY", "elsewhere.invalid", "https://somewhere.invalid", True),
            ("ALL_PROXY", "where.invalid", "https://somewhere.invalid", True),
            ("ALL_PROXY", ".invalid", "https://somewhere.invalid", False),
            ("ALL_PROXY", "*.invalid", "https://somewhere.invalid", False),
            ("ALL_PROXY", "*", "https://somewhere.invalid", False),
            ("ALL_PROXY", "somewhere.invalid:9", "http://somewhere.invalid:9", False),
            ("ALL_PROXY", "somewhere.invalid:8", "http://somewhere.invalid:9", True),
            ("ALL_PROXY", "127.0.0.0/8", "http://127.0.0.1:9", False),
            ("ALL_PROXY", "127.0.0.9/8", "http://127.0.0.1:9", False),
            ("ALL_PROXY", "127.0.0.0/8", "http://somewhere.invalid", True),
            ("ALL_PROXY", "10.0.0.0/8", "http://127.0.0.1:9", True),
            ("ALL_PROXY", "10.0.0.0/8, Somewhere.invalid", "http://somewhere.invalid", False),
        ],
    )
    def test_which_of_the_environment(
        self,
        make_client: ClientFactory,
        monkeypatch: pytest.MonkeyPatch,
        name: str,
        no_proxy: str,
        url: str,
        is_proxied: bool,
    ) -> None:
        monkeypatch.setenv("NO_PROXY", no_proxy)
        with RawServer(answer(status="403 Forbidden")) as proxy:
            monkeypatch.setenv(name, proxy.url)
            with pytest.raises(AzureError):
                get_token(make_client(url, KEY, retry_total=0))
        asked = "CONNECT somewhere.invalid:443 " if url.startswith("https") else f"POST {url}/"
        assert len(proxy.requests) == is_proxied
        assert all(request.startswith(asked.encode()) for request in proxy.requests)

    @pytest.mark.parametrize(
        ("given", "environment", "host", "expected"),
        [
            (None, {}, "outside", "http://of-the-system"),
            (None, {}, "inside", None),
            (
                None,
                {"http_proxy": "http://of-the-environment"},
                "inside",
                "http://of-the-environment",
            ),
            ({"http": "http://given"}, {}, "inside", "http://given"),
        ],
    )
    def test_those_of_the_operating_system_have_its_exceptions(
        self,
        monkeypatch: pytest.MonkeyPatch,
        given: dict[str, str] | None,
        environment: dict[str, str],
        host: str,
        expected: str | None,
    ) -> None:
        """As on Windows and macOS."""

        def getproxies() -> dict[str, str]:
            return getproxies_environment() or {"http": "http://of-the-system"}

        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(_environment, "getproxies", getproxies)
        monkeypatch.setattr(_environment, "proxy_bypass", lambda name: name == "inside")
        assert _environment.ProxyMap(given).proxy_for(f"http://{host}") == expected


class TestNetrc:
    """A password for the host of the service is there, and the signature is sent."""

    @pytest.fixture(autouse=True, params=["default", "machine 127.0.0.1"])
    def _netrc(
        self, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / ".netrc").write_text(f"{request.param} login user password secret\n")
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))

    def test_it_is_never_read(self, make: Make, server: RawServer) -> None:
        assert get_token(make(server.url)) == "a"
        assert header(server.requests[0], "authorization").startswith("HMAC-SHA256 ")

    @pytest.mark.parametrize("flavour", ["sync"])
    @pytest.mark.parametrize(
        "bring",
        [
            lambda: {"transport": RequestsTransport()},
            lambda: {"transport": RequestsTransport(session=requests.Session())},
            lambda: {"session": requests.Session()},
        ],
        ids=["transport", "transport with a session", "session"],
    )
    def test_nor_by_requests_that_the_caller_brings(
        self, make_client: ClientFactory, server: RawServer, bring: Callable[[], dict[str, Any]]
    ) -> None:
        assert get_token(make_client(server.url, **bring())) == "a"
        assert header(server.requests[0], "authorization").startswith("HMAC-SHA256 ")

    def test_nor_when_requests_sends_again(self, flavour: str, make_client: ClientFactory) -> None:
        behaviours = [answer(status="503 Unavailable"), answer(TOKEN, JSON)]
        transport = RequestsTransport() if flavour == "sync" else AsyncioRequestsTransport()
        with RawServer(lambda connection: behaviours.pop(0)(connection)) as failing:
            assert get_token(make_client(failing.url, transport=transport)) == "a"
        for request in failing.requests:
            assert header(request, "authorization").startswith("HMAC-SHA256 ")

    @pytest.mark.parametrize("flavour", ["async"])
    @pytest.mark.parametrize("reads", [True, False])
    def test_but_by_a_transport_of_aiohttp_that_reads_the_environment(
        self, make_client: ClientFactory, server: RawServer, reads: bool
    ) -> None:
        transport = AioHttpTransport(use_env_settings=reads)
        try:
            get_token(make_client(server.url, transport=transport))
            sent = header(server.requests[0], "authorization").partition(" ")[0]
        except ValueError as error:  # of aiohttp 3.13 and later
            sent = str(error)
        expected = "Basic|Cannot combine AUTHORIZATION header with AUTH" if reads else "HMAC-SHA256"
        assert re.match(expected, sent)


def test_redirects_are_followed(make: Make) -> None:
    behaviours = [
        answer(b"", "Location: /identities/8:acs:2/:issueAccessToken", status="307 Moved"),
        answer(TOKEN, JSON),
    ]

    with RawServer(lambda connection: behaviours.pop(0)(connection)) as redirecting:
        assert get_token(make(redirecting.url), permit_redirects=True) == "a"
    assert redirecting.requests[1].startswith(b"POST /identities/8:acs:2/:issueAccessToken")
    first, second = (header(sent, "authorization") for sent in redirecting.requests)
    assert first != second


def test_a_closed_client_is_not_opened_again(make_client: ClientFactory, server: RawServer) -> None:
    client = make_client(server.url)
    get_token(client)
    client.close()
    with pytest.raises(ValueError, match="already been closed"):
        get_token(client)


def test_a_session_that_is_not_owned_stays_open(
    make_client: ClientFactory, server: RawServer, session: Any
) -> None:
    client = make_client(server.url, session=session, session_owner=False)
    get_token(client)
    client.close()
    again = make_client(server.url, session=session, session_owner=False)
    assert get_token(again) == "a"


def test_a_tunnel_to_a_tls_server(make: Make, server_context: ssl.SSLContext, bundle: str) -> None:
    with RawServer(answer(TOKEN, JSON), server_context) as server, TunnelProxy() as proxy:
        client = make(server.url, proxies={"https": proxy.url}, connection_verify=bundle)
        assert get_token(client) == "a"
        assert get_token(client) == "a"
    # Both times through one tunnel, except on AioHttpTransport, which makes a TLS context for each.
    assert set(proxy.targets) == {f"localhost:{server.port}"}
    assert header(server.requests[0], "host") == f"localhost:{server.port}"
