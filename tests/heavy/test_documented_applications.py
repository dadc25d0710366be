"""Runs the applications of the site unchanged."""

import asyncio
import importlib.util
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from fastapi.testclient import TestClient as FastApiClient

from acs_identity_emulator import IdentityEmulator

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
SIGNED_IN = {"X-Signed-In-Person": "ann"}


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[IdentityEmulator]:
    with IdentityEmulator() as emulator:
        monkeypatch.setenv("COMMUNICATION_SERVICES_CONNECTION_STRING", emulator.connection_string)
        yield emulator


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # pydantic looks there for annotations
    spec.loader.exec_module(module)
    return module


def check(emulator: IdentityEmulator, answers: list[dict[str, Any]]) -> None:
    """Two answers for one person: one user, two valid tokens."""
    first, second = answers
    assert first["user"] == second["user"]
    assert [each.id for each in emulator.identities()] == [first["user"]]
    assert all(emulator.is_token_valid(answer["token"]) for answer in answers)


def test_aiohttp(emulator: IdentityEmulator) -> None:
    async def use() -> None:
        async with TestClient(TestServer(load("aiohttp_app").create_app())) as client:
            assert (await client.get("/token")).status == 401
            answers = [await (await client.get("/token", headers=SIGNED_IN)).json() for _ in "12"]
            check(emulator, answers)
            emulator.inject("issue", "status:429", times=10)
            response = await client.get("/token", headers=SIGNED_IN)
            assert (response.status, response.headers["Retry-After"]) == (503, "30")

    asyncio.run(use())


def test_fastapi(emulator: IdentityEmulator) -> None:
    with FastApiClient(load("fastapi_app").app) as client:
        assert client.get("/token").status_code == 401
        check(emulator, [client.get("/token", headers=SIGNED_IN).json() for _ in "12"])
        emulator.inject("issue", "status:429", times=10)
        response = client.get("/token", headers=SIGNED_IN)
        assert (response.status_code, response.headers["Retry-After"]) == (503, "30")


def test_wsgi(emulator: IdentityEmulator) -> None:
    module = load("wsgi_app")
    statuses = []

    def call(**environ: str) -> bytes:
        def start(status: str, headers: list[tuple[str, str]]) -> None:
            statuses.append(status)

        return b"".join(module.app({**environ, "wsgi.input": io.BytesIO()}, start))

    assert call() == b""
    check(emulator, [json.loads(call(HTTP_X_SIGNED_IN_PERSON="ann")) for _ in "12"])
    module.client.close()
    assert statuses == ["401 Unauthorized", "200 OK", "200 OK"]
