"""Logs and traces are written, without secrets."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from processes import environment_of, program
from running_service import Browser, Services
from test_token_service_storage_failures import execute
from yarl import URL

from acs_token_service.telemetry.logs import describe

NAME = "ada-lovelace"


@pytest.mark.heavy
async def test_logs_are_json_and_hold_no_secret_and_no_id(
    services: Services, tmp_path: Path
) -> None:
    settings = services.settings(log_level="debug")
    log = tmp_path / "log"
    secrets = [NAME, services.emulator.access_key]
    with log.open("w") as errors:
        async with (
            program(environment=environment_of(settings), errors=errors) as running,
            ClientSession() as session,
        ):
            browser = Browser(running.url, session)
            ada = await browser.sign_in(NAME)
            reply = await ada.ask()
            secrets += [ada.bearer, reply.body["token"], reply.body["identity"]]
            services.emulator.inject("any", "status:401", times=2)
            await ada.ask("chat")
            await ada.ask("a-scope-of-mine")
            await browser.send("GET", f"/token?token={ada.bearer}")
            await ada.sign_out()
            await execute(services.storage.database_url, "ALTER TABLE person RENAME TO hidden")
            await ada.ask()
            await ada.delete()
            assert await running.stop() == 0
    text = log.read_text()
    records = [json.loads(line) for line in text.splitlines()]
    requests = [record for record in records if record["message"] == "request"]
    assert {record["route"] for record in requests} >= {"/token", "/signout", "/me"}
    assert {"time", "level", "method", "status", "milliseconds"} <= set(requests[0])
    assert any("database cannot be used" in record["message"] for record in records)
    for secret in secrets:
        assert secret not in text
        assert secret.split("_")[-1] not in text  # the part of an identity that is its own


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


@pytest.mark.heavy
async def test_a_trace_goes_through_to_the_call_of_the_resource(services: Services) -> None:
    from google.protobuf.json_format import MessageToDict
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

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
    text, spans = "", {}
    for body in collector.bodies:
        message = MessageToDict(
            ExportTraceServiceRequest.FromString(body), use_integers_for_enums=True
        )
        text += json.dumps(message)
        for resource in message["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                spans.update({span["spanId"]: span for span in scope["spans"]})
    named = {span["name"]: span for span in spans.values()}
    call = named["CommunicationIdentityClient.get_token"]
    parents = [call]
    while parents[-1].get("parentSpanId") in spans:
        parents.append(spans[parents[-1]["parentSpanId"]])
    assert parents[-1]["name"] == "GET /token"
    assert base64.b64decode(call["traceId"]).hex() == trace_id
    for secret in (NAME, ada.bearer, reply.body["token"], reply.body["identity"], "scopes="):
        assert secret not in text
