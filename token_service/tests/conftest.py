"""The service on the embedded defaults and on PostgreSQL with Redis: the same cases."""

import os
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from running_service import Services, Storage, migrate

from acs_identity_emulator import IdentityEmulator
from acs_token_service.settings import PREFIX


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)


@pytest.fixture
async def emulator() -> AsyncIterator[IdentityEmulator]:
    async with IdentityEmulator() as emulator:
        yield emulator


@pytest.fixture(params=["embedded", pytest.param("servers", marks=pytest.mark.heavy)])
async def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "embedded":
        storage = Storage("embedded", f"sqlite+aiosqlite:///{tmp_path}/people.db", "memory://")
    else:
        postgresql_url = request.getfixturevalue("postgresql_url")
        storage = Storage("servers", postgresql_url, request.getfixturevalue("redis_url"))
    await migrate(storage.database_url)
    return storage


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Any]:
    from servers import postgresql

    with postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Any]:
    from servers import redis

    with redis() as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql_server: Any) -> str:
    """An empty database."""
    import psycopg
    from psycopg import sql

    name = f"test_{uuid.uuid4().hex}"
    address = f"{postgresql_server.host}:{postgresql_server.port}"
    with psycopg.connect(
        f"postgresql://postgres@{address}/postgres", autocommit=True
    ) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return f"postgresql+asyncpg://postgres@{address}/{name}"


@pytest.fixture
def redis_url(redis_server: Any) -> str:
    """An empty Redis."""
    import redis

    url = f"redis://{redis_server.host}:{redis_server.port}/0"
    with redis.Redis.from_url(url) as client:
        client.flushall()
    return url


@pytest.fixture
async def services(emulator: IdentityEmulator, storage: Storage) -> AsyncIterator[Services]:
    async with AsyncExitStack() as stack:
        yield Services(emulator, storage, stack)
