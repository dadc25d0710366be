"""The meaning of a transport's options, and the values that are rejected."""

import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import trustme
from azure.core.exceptions import ServiceRequestError, ServiceResponseTimeoutError
from azure.core.rest import HttpRequest
from either_client import ClientFactory
from fresh_process import run
from transports.exchange import ASYNC, SYNC, error_of, exchange
from transports.raw_server import RawServer, answer, send_and_close, send_and_hang
from transports.tunnel_proxy import TunnelProxy

from azure.communication.identity._transports._settings import timeouts

_TOKEN = b'{"token": "a", "expiresOn": "2099-11-24T09:05:00+00:00"}'
_SLOW = send_and_close(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", b"{}")


def _request(url: str) -> HttpRequest:
    return HttpRequest("POST", f"{url}/a", content=b"{}")


def _new(flavour: str, **options: Any) -> Any:
    return (SYNC if flavour == "sync" else ASYNC)["ours"](**options)


class TestTimeouts:
    def test_defaults(self, flavour: str) -> None:
        config = _new(flavour).connection_config
        assert (config.timeout, config.read_timeout) == (10, 60)

    def test_a_call_gives_its_deadline_instead(self, flavour: str) -> None:
        assert _new(flavour).takes_deadline is True

    @pytest.mark.parametrize(
        "options",
        [
            {"read_timeout": None},
            {"read_timeout": 0},
            {"read_timeout": float("inf")},
            {"connection_timeout": None},
            {"connection_timeout": 0},
            {"connection_timeout": (1, None)},
            {"connection_timeout": (None, 0)},
            {"connection_timeout": [0, 5]},
        ],
        ids=str,
    )
    def test_no_limit(self, flavour: str, options: dict[str, Any]) -> None:
        with RawServer(_SLOW) as server:
            assert exchange(flavour, "ours", _request(server.url), **options).content == b"{}"
            of_transport = exchange(flavour, "ours", _request(server.url), settings=options)
            assert of_transport.content == b"{}"

    @pytest.mark.parametrize(
        "options", [{"read_timeout": 0.2}, {"connection_timeout": (5, 0.2)}], ids=str
    )
    def test_a_limit(self, flavour: str, options: dict[str, Any]) -> None:
        began = time.monotonic()
        with RawServer(send_and_hang(b"")) as server:
            error = error_of(flavour, "ours", _request(server.url), **options)
        assert type(error) is ServiceResponseTimeoutError
        assert time.monotonic() - began < 2

    def test_a_limit_of_years_is_one(self, flavour: str) -> None:
        _, read = timeouts(9e8, 9e8)
        assert read == 9e8

    def test_a_bool_is_an_error_even_after_the_number_that_it_equals(self, flavour: str) -> None:
        _new(flavour, connection_timeout=1)
        with pytest.raises(TypeError, match="must be a number"):
            _new(flavour, connection_timeout=True)

    @pytest.mark.parametrize(
        ("options", "kind", "text"),
        [
            ({"read_timeout": -1}, ValueError, "read_timeout must not be negative: -1"),
            ({"read_timeout": float("nan")}, ValueError, "read_timeout must not be negative"),
            ({"connection_timeout": -1e-9}, ValueError, "connection_timeout must not be negative"),
            ({"connection_timeout": "5"}, TypeError, "connection_timeout must be a number"),
            ({"connection_timeout": True}, TypeError, "connection_timeout must be a number"),
            ({"connection_timeout": (1, 2, 3)}, ValueError, "or a pair"),
        ],
        ids=str,
    )
    def test_no_timeout(
        self, flavour: str, options: dict[str, Any], kind: type[Exception], text: str
    ) -> None:
        with pytest.raises(kind, match=text):
            _new(flavour, **options)
        with RawServer(answer()) as server:
            error = error_of(flavour, "ours", _request(server.url), **options)
            assert server.requests == []
        assert type(error) is kind
        assert text in str(error)


class TestVerification:
    def test_an_unset_variable_does_not_disable_it(self, flavour: str) -> None:
        with pytest.raises(ValueError, match="connection_verify is empty"):
            _new(flavour, connection_verify="")
        error = error_of(flavour, "ours", _request("https://127.0.0.1:1"), connection_verify="")
        assert type(error) is ValueError

    def test_another_type(self, flavour: str) -> None:
        with pytest.raises(TypeError, match="connection_verify must be a bool or the path"):
            _new(flavour, connection_verify=1)

    @pytest.mark.parametrize("option", ["connection_verify", "connection_cert"])
    @pytest.mark.parametrize("content", [None, "", "no certificate"])
    def test_a_file_that_cannot_be_used(
        self, flavour: str, option: str, content: str | None, tmp_path: Path
    ) -> None:
        file = tmp_path / "file.pem"
        if content is not None:
            file.write_text(content)
        options: dict[str, Any] = {option: str(file)}
        error = error_of(flavour, "ours", _request("https://127.0.0.1:1"), **options)
        assert type(error) is ServiceRequestError
        assert str(file) in str(error)
        assert option in str(error)
        assert ("does not exist" in str(error)) is (content is None)
        expected = "does not exist" if content is None else "could not be loaded: "
        assert expected in str(error)
        assert not str(error).endswith(("malformed.", "None."))  # OpenSSL gives a reason

    @pytest.mark.parametrize("missing", ["certificate", "key"])
    def test_the_files_of_a_client_certificate_are_shown_but_not_its_password(
        self, flavour: str, missing: str, tmp_path: Path
    ) -> None:
        files = [tmp_path / name for name in ("certificate", "key")]
        for file in files:
            if file.name != missing:
                file.touch()
        request = _request("https://127.0.0.1:1")
        error = error_of(flavour, "ours", request, connection_cert=(*files, "hunter2"))
        assert f"{str(tmp_path / missing)!r} does not exist" in str(error)
        assert all(str(file) in str(error) for file in files)
        assert "hunter2" not in str(error)

    def test_a_directory_and_a_path(
        self, flavour: str, authority: trustme.CA, server_context: Any, tmp_path: Path
    ) -> None:
        bundle = tmp_path / "ca.pem"
        authority.cert_pem.write_to_path(str(bundle))
        hashed = subprocess.run(
            ["openssl", "x509", "-hash", "-noout", "-in", str(bundle)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        directory = tmp_path / "authorities"
        directory.mkdir()
        (directory / f"{hashed}.0").write_text(bundle.read_text())
        with RawServer(answer(b"{}"), server_context) as server:
            for verify in (bundle, directory):
                found = exchange(flavour, "ours", _request(server.url), connection_verify=verify)
                assert found.content == b"{}"

    def test_no_bundle_is_read_for_http(self, flavour: str, tmp_path: Path) -> None:
        missing = str(tmp_path / "ca.pem")
        with RawServer(answer(b"{}")) as server:
            found = exchange(flavour, "ours", _request(server.url), connection_verify=missing)
        assert found.content == b"{}"


class TestProxies:
    def test_none_for_one_call(self, flavour: str, make_client: ClientFactory) -> None:
        """A call without a proxy, between calls that have one."""
        with RawServer(answer(_TOKEN)) as server, RawServer(answer(_TOKEN)) as proxy:
            client = make_client(server.url, proxies={"http": proxy.url}, retry_total=0)
            for proxies in (None, {}, None, {"http": proxy.url}, {}):
                options = {} if proxies is None else {"proxies": proxies}
                client.get_token("8:acs:1", ["chat"], **options)
            assert (len(server.requests), len(proxy.requests)) == (2, 3)

    def test_none_for_one_call_in_an_environment_with_one(
        self, flavour: str, make_client: ClientFactory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with RawServer(answer(_TOKEN)) as server, RawServer(answer(_TOKEN)) as proxy:
            monkeypatch.setenv("HTTP_PROXY", proxy.url)
            client = make_client(server.url, retry_total=0)
            direct: dict[str, Any] = {"proxies": {}}
            for options in (direct, {}, direct, {}):
                client.get_token("8:acs:1", ["chat"], **options)
            assert (len(server.requests), len(proxy.requests)) == (2, 2)

    def test_one_that_is_reached_by_tls(
        self, flavour: str, server_context: Any, bundle: str
    ) -> None:
        with RawServer(answer(b"{}"), server_context) as proxy:
            settings = {"connection_verify": bundle, "proxies": {"http": proxy.url}}
            request = _request("http://somewhere.invalid")
            assert exchange(flavour, "ours", request, settings=settings).content == b"{}"
        assert proxy.requests[0].startswith(b"POST http://somewhere.invalid/a HTTP/1.1")

    def test_one_that_is_reached_by_tls_before_tls(
        self, flavour: str, server_context: Any, bundle: str
    ) -> None:
        if flavour == "async" and sys.version_info < (3, 11):
            pytest.skip("asyncio has TLS in TLS since Python 3.11")
        with (
            RawServer(answer(b"{}"), server_context) as server,
            TunnelProxy(server_context) as proxy,
        ):
            settings = {"connection_verify": bundle, "proxies": {"https": proxy.url}}
            request = _request(server.url)
            assert exchange(flavour, "ours", request, settings=settings).content == b"{}"
        assert proxy.targets == [f"localhost:{server.port}"]

    def test_one_that_is_not_trusted_gets_no_request(
        self, flavour: str, server_context: Any
    ) -> None:
        with RawServer(answer(b"{}"), server_context) as proxy:
            request = _request("http://somewhere.invalid")
            error = error_of(flavour, "ours", request, proxies={"http": proxy.url})
        assert type(error) is ServiceRequestError
        assert "certificate" in str(error)
        assert proxy.requests == []

    def test_one_in_capitals(self, flavour: str) -> None:
        with RawServer(answer(b"{}")) as proxy:
            settings = {"proxies": {"http": proxy.url.upper()}}
            request = _request("http://somewhere.invalid")
            assert exchange(flavour, "ours", request, settings=settings).content == b"{}"

    def test_one_of_another_scheme(self, flavour: str) -> None:
        proxies = {"http": "ftp://user:hunter2@127.0.0.1:1"}
        error = error_of(flavour, "ours", _request("http://127.0.0.1:1"), proxies=proxies)
        assert type(error) is ServiceRequestError
        assert "a proxy has the scheme http, https, socks4 or socks5" in str(error)
        assert "hunter2" not in str(error)

    def test_one_that_the_client_cannot_use(
        self, flavour: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "socks", None)  # as if PySocks were not installed
        proxies = {"http": "socks5://user:hunter2@127.0.0.1:1"}
        error = error_of(flavour, "ours", _request("http://127.0.0.1:1"), proxies=proxies)
        assert type(error) is ServiceRequestError
        expected = "pip install PySocks" if flavour == "sync" else "no SOCKS proxies"
        assert expected in str(error)
        assert "hunter2" not in str(error)


def test_redirects_are_not_followed(flavour: str) -> None:
    moved = answer(b"", "Location: /b", status="307 Temporary Redirect")
    with RawServer(moved) as server:
        assert exchange(flavour, "ours", _request(server.url)).status == 307
        assert len(server.requests) == 1


def test_the_other_library_is_not_imported() -> None:
    for own, other in (("_urllib3", "aiohttp"), ("_aiohttp", "urllib3")):
        code = f"import sys, azure.communication.identity._transports.{own}"
        assert run(f"{code}; print({other!r} in sys.modules)") == "False"


@pytest.mark.skipif(sys.platform != "linux", reason="how many descriptors are open, is in /proc")
def test_nothing_stays_open(flavour: str) -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    with RawServer(answer(b"{}")) as server, socket.socket():
        exchange(flavour, "ours", _request(server.url))
        before = descriptors()
        for _ in range(5):
            exchange(flavour, "ours", _request(server.url))
        deadline = time.monotonic() + 5
        while descriptors() > before and time.monotonic() < deadline:
            time.sleep(0.01)
        assert descriptors() <= before
