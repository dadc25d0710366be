"""Logs and traces are written, without secrets."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from processes import environment_of, program
from running_service import CACHE_KEY, Browser, Services, Visitor
from test_token_service_storage_failures import execute
from yarl import URL

from acs_token_service.telemetry.logs import describe

NAME = "ada-lovelace"


class Session:
    """All that people do and that fails in it, and the secrets that were used."""

    def __init__(self, services: Services, browser: Browser) -> None:
        self._services = services
        self._browser = browser
        self.secrets = {NAME, services.emulator.access_key, CACHE_KEY}

    async def visit(self) -> None:
        emulator, ada = self._services.emulator, await self._sign_in()
        await self._token_of(ada)
        await ada.ask("a-scope-of-mine")
        await self._browser.send("GET", "/token", headers={"Authorization": f"Basic {ada.bearer}"})
        await Visitor(self._browser, f"{ada.bearer}x").ask()
        await self._browser.send("GET", f"/token?token={ada.bearer}")
        await self._browser.send("GET", f"/{ada.bearer}")
        for fault in ("status:401", "status:403", "status:500", "reset", "truncated", "no-fields"):
            emulator.inject("any", fault, times=2)
        emulator.inject("any", "status:429:1")
        while emulator.unused_faults():
            await self._token_of(ada, "chat")
        await self._fail_storage(ada)
        await ada.sign_out()
        await ada.ask()
        again = await self._sign_in()
        await ada.delete()
        await again.ask()

    async def _fail_storage(self, ada: Visitor) -> None:
        url = self._services.storage.database_url
        await execute(url, "ALTER TABLE person RENAME TO hidden")
        for request in (ada.ask, ada.sign_out, ada.delete):
            assert (await request()).status == 503
        await execute(url, "ALTER TABLE hidden RENAME TO person")

    async def _sign_in(self) -> Visitor:
        visitor = await self._browser.sign_in(NAME)
        self.secrets.add(visitor.bearer)
        return visitor

    async def _token_of(self, visitor: Visitor, scopes: str | None = None) -> None:
        reply = await visitor.ask(scopes)
        if reply.status == 200:
            self.secrets |= {reply.body["token"], reply.body["identity"]}

    def check(self, **places: str) -> None:
        """No secret is in any of the texts, nor a part of one that tells."""
        parts = {part for secret in self.secrets for part in (secret, *secret.split("."))}
        # Of an identity the part that is its own, of a token without its constant header.
        parts |= {secret.split("_")[-1] for secret in self.secrets}
        for place, text in places.items():
            assert text
            found = [part for part in parts if len(part) > 40 or part in self.secrets]
            assert not [part for part in found if part in text and not is_header(part)], place


def is_header(part: str) -> bool:
    """Whether it is the header of a token, which is the same for all."""
    return part.startswith("eyJ") and b'"alg"' in base64.urlsafe_b64decode(part + "==")


@pytest.mark.heavy
async def test_a_session_leaves_no_secret_in_logs_metrics_traces_and_urls(
    services: Services, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    settings = services.settings(log_level="debug", tracing=True, person_issue_rate="1000/minute")
    async with collecting() as (collector, endpoint):
        environment = {
            **environment_of(settings),
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        }
        with log.open("w") as errors:
            async with (
                program(environment=environment, errors=errors) as running,
                ClientSession() as client,
            ):
                browser = Browser(running.url, client)
                session = Session(services, browser)
                await session.visit()
                metrics = str((await browser.send("GET", "/metrics")).body)
                assert await running.stop() == 0
    text = log.read_text()
    traces, _ = exported(collector)
    paths = "\n".join(entry.path for entry in services.emulator.requests)
    session.check(logs=text, metrics=metrics, traces=traces)
    session.secrets -= {identity for identity in session.secrets if identity.startswith("8:acs:")}
    session.check(urls=paths)  # which name an identity, as the REST API has it

    records = [json.loads(line) for line in text.splitlines()]
    requests = [record for record in records if record["message"] == "request"]
    assert {record["route"] for record in requests} >= {"/token", "/signout", "/me"}
    assert {"time", "level", "method", "status", "milliseconds"} <= set(requests[0])
    assert any("database cannot be used" in record["message"] for record in records)


@pytest.mark.heavy
async def test_what_is_not_http_is_not_logged(services: Services, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("w") as errors:
        environment = environment_of(services.settings())
        async with program(environment=environment, errors=errors) as running:
            url = URL(running.url)
            for request in (b"GET /token HTTP/1.1\r\n\r\n", b"\x16\x03\x01\r\n\r\n"):
                reader, writer = await asyncio.open_connection(url.host, url.port)
                writer.write(request)
                assert b" 400 " in await reader.readline()
                writer.close()
                await writer.wait_closed()
            assert await running.stop() == 0
    assert log.read_text() == ""


def test_an_exception_is_described_without_its_message() -> None:
    try:
        try:
            raise ValueError("secret of the cause")
        except ValueError as cause:
            raise KeyError("secret") from cause
    except KeyError as error:
        text = describe(error)
    assert "secret" not in text.replace("raise", "").split("\n")[0]
    assert "builtins.KeyError" in text
    assert "caused by builtins.ValueError" in text


class Collector:
    """Receives what OpenTelemetry exports."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def receive(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.read())
        return web.Response()


@asynccontextmanager
async def collecting() -> AsyncIterator[tuple[Collector, str]]:
    collector = Collector()
    app = web.Application(client_max_size=2**24)
    app.add_routes([web.post("/v1/traces", collector.receive)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield collector, f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def exported(collector: Collector) -> tuple[str, dict[str, Any]]:
    """All that was exported, as text, and the spans by their ids."""
    from google.protobuf.json_format import MessageToDict
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    text, spans = "", {}
    for body in collector.bodies:
        message = MessageToDict(
            ExportTraceServiceRequest.FromString(body), use_integers_for_enums=True
        )
        text += json.dumps(message)
        for resource in message["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                spans.update({span["spanId"]: span for span in scope["spans"]})
    return text, spans


@pytest.mark.heavy
async def test_a_trace_goes_through_to_the_call_of_the_resource(services: Services) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    async with collecting() as (collector, endpoint):
        environment = {
            **environment_of(services.settings(tracing=True)),
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }
        async with program(environment=environment) as running, ClientSession() as session:
            browser = Browser(running.url, session)
            ada = await browser.sign_in(NAME)
            traced = {"traceparent": f"00-{trace_id}-b7ad6b7169203331-01", **ada.headers}
            reply = await browser.send("GET", "/token?scopes=chat", headers=traced)
            assert reply.status == 200
            await asyncio.sleep(0.3)
            await running.stop()
    text, spans = exported(collector)
    named = {span["name"]: span for span in spans.values()}
    call = named["CommunicationIdentityClient.get_token"]
    parents = [call]
    while parents[-1].get("parentSpanId") in spans:
        parents.append(spans[parents[-1]["parentSpanId"]])
    assert parents[-1]["name"] == "GET /token"
    assert base64.b64decode(call["traceId"]).hex() == trace_id
    for secret in (NAME, ada.bearer, reply.body["token"], reply.body["identity"], "scopes="):
        assert secret not in text
