"""Tracers, recorders and debuggers see the requests of both clients, as they see official ones.

Each runs in a separate process, since they patch libraries permanently.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fresh_process import run
from transports.raw_server import RawServer, answer

pytestmark = pytest.mark.heavy

_TOKEN = b'{"token": "a-token", "expiresOn": "2099-11-24T09:05:00+00:00"}'
_KEY = "c2VjcmV0"

# Makes a client, and calls get_token as often as asked.
_CLIENT = """
import asyncio, json
from azure.communication.identity import CommunicationIdentityClient
from azure.communication.identity.aio import CommunicationIdentityClient as AsyncClient

class Caller:
    def __init__(self):
        self.loop = asyncio.new_event_loop()
        kind = AsyncClient if {is_async} else CommunicationIdentityClient
        self.client = kind({url!r}, {key!r}, retry_total=0)

    def run(self, result):
        return self.loop.run_until_complete(result) if {is_async} else result

    def __call__(self):
        return self.run(self.client.get_token("8:acs:1", ["chat"])).token

    def close(self):
        self.run(self.client.close())
        self.loop.close()

caller = Caller()
"""


@pytest.fixture
def server() -> Iterator[RawServer]:
    with RawServer(answer(_TOKEN, "Content-Type: application/json")) as server:
        yield server


def program(flavour: str, server: RawServer, before: str, after: str, **values: Any) -> Any:
    """What a program prints last: JSON."""
    client = _CLIENT.format(is_async=flavour == "async", url=server.url, key=_KEY)
    code = before.format(**values) + client + after.format(**values) + "\ncaller.close()\n"
    return json.loads(run(code).splitlines()[-1])


_SENTRY = """
import sentry_sdk
events = []
class Keep(sentry_sdk.transport.Transport):
    def capture_envelope(self, envelope):
        events.extend(item.payload.json for item in envelope.items)
sentry_sdk.init(dsn="http://a@127.0.0.1:1/1", traces_sample_rate=1.0, transport=Keep)
"""


@pytest.mark.parametrize("is_warm", [False, True], ids=["cold", "warm"])
def test_sentry(flavour: str, server: RawServer, is_warm: bool) -> None:
    call = """
if {is_warm}:
    caller()
with sentry_sdk.start_transaction(name="test"):
    caller()
    sentry_sdk.capture_message("now")
found = dict(spans=[], crumbs=[])
for event in events:
    found["spans"] += [span["op"] for span in event.get("spans", ())]
    crumbs = event.get("breadcrumbs", dict(values=[]))["values"]
    found["crumbs"] += [crumb["data"]["url"] for crumb in crumbs if crumb["type"] == "http"]
print(json.dumps(found))
"""
    found = program(flavour, server, _SENTRY, call, is_warm=is_warm)
    assert found["spans"].count("http.client") == 1
    assert any(url.startswith(server.url) for url in found["crumbs"])


@pytest.mark.parametrize("is_warm", [False, True], ids=["cold", "warm"])
def test_opentelemetry(flavour: str, server: RawServer, is_warm: bool) -> None:
    """The instrumentors of the libraries below."""
    before = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.instrumentation.urllib3 import URLLib3Instrumentor
from opentelemetry.instrumentation.aiohttp_client import AioHttpClientInstrumentor
exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
URLLib3Instrumentor().instrument()
AioHttpClientInstrumentor().instrument()
"""
    call = """
if {is_warm}:
    caller()
    exporter.clear()
caller()
spans = [(span.name, span.kind.name) for span in exporter.get_finished_spans()]
print(json.dumps(spans))
"""
    spans = program(flavour, server, before, call, is_warm=is_warm)
    assert ["POST", "CLIENT"] in spans
    # The server sees where the request belongs.
    assert b"\r\ntraceparent: 00-" in server.requests[-1].lower()


class TestVcrpy:
    def test_recorded_and_replayed(self, flavour: str, server: RawServer, tmp_path: Path) -> None:
        call = """
import vcr
tokens = []
for mode in ("once", "none"):
    with vcr.use_cassette({cassette!r}, record_mode=mode) as cassette:
        tokens.append(caller())
print(json.dumps([tokens, cassette.play_count]))
"""
        cassette = str(tmp_path / "cassette.yaml")
        found = program(flavour, server, "", call, cassette=cassette)
        assert found == [["a-token", "a-token"], 1]
        assert len(server.requests) == 1

    @pytest.mark.parametrize("is_warm", [False, True], ids=["cold", "warm"])
    def test_nothing_goes_out(
        self, flavour: str, server: RawServer, tmp_path: Path, is_warm: bool
    ) -> None:
        """A request that is not on a cassette is rejected by the cassette, not sent."""
        call = """
import vcr
if {is_warm}:
    caller()
with vcr.use_cassette({cassette!r}, record_mode="none"):
    try:
        outcome = caller()
    except Exception as error:
        outcome = type(error).__name__
print(json.dumps(outcome))
"""
        cassette = str(tmp_path / "cassette.yaml")
        found = program(flavour, server, "", call, cassette=cassette, is_warm=is_warm)
        assert found == "CannotOverwriteExistingCassetteException"
        assert len(server.requests) == is_warm


_MOCKED = """
token = {{"token": "mocked", "expiresOn": "2099-11-24T09:05:00+00:00"}}
url = "{url}/identities/8:acs:1/:issueAccessToken?api-version=2025-06-30"
"""


# pook makes an aiohttp.ClientResponse without the argument that aiohttp 3.14 requires, and so does
# aioresponses: neither works with it, with any client.
@pytest.mark.parametrize("flavour", ["sync"])
@pytest.mark.parametrize("is_warm", [False, True], ids=["cold", "warm"])
def test_pook(flavour: str, server: RawServer, is_warm: bool) -> None:
    call = """
import pook
if {is_warm}:
    caller()
with pook.use():
    pook.post(url).reply(200).json(token)
    print(json.dumps(caller()))
"""
    assert program(flavour, server, "", _MOCKED + call, url=server.url, is_warm=is_warm) == "mocked"
    assert len(server.requests) == is_warm


def test_mocket(flavour: str, server: RawServer) -> None:
    call = """
from mocket import Mocketizer
from mocket.mocks.mockhttp import Entry
Entry.single_register(Entry.POST, url, body=json.dumps(token))
with Mocketizer(strict_mode=True):
    print(json.dumps(caller()))
"""
    assert program(flavour, server, "", _MOCKED + call, url=server.url) == "mocked"
    assert server.requests == []


@pytest.mark.parametrize("flavour", ["sync"])
def test_debuglevel(flavour: str, server: RawServer) -> None:
    before = """
import http.client, io, contextlib
http.client.HTTPConnection.debuglevel = 1
"""
    call = """
printed = io.StringIO()
with contextlib.redirect_stdout(printed):
    caller()
print(json.dumps(printed.getvalue()))
"""
    printed = program(flavour, server, before, call)
    assert "send: b'POST /identities/8:acs:1/:issueAccessToken" in printed
    assert "reply: 'HTTP/1.1 200 OK" in printed
    assert "header: Content-Type: application/json" in printed
