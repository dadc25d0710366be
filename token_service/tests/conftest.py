"""The service on the embedded defaults and on PostgreSQL with Redis: the same cases."""

import asyncio
import os
import shutil
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


@pytest.fixture(scope="session")
def _emulator() -> Iterator[IdentityEmulator]:
    with IdentityEmulator() as emulator:
        yield emulator


@pytest.fixture
def emulator(_emulator: IdentityEmulator) -> IdentityEmulator:
    _emulator.reset()
    return _emulator


@pytest.fixture(scope="session")
def _migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite database, to be copied: migrations take longer than most tests."""
    file = tmp_path_factory.mktemp("migrated") / "people.db"
    asyncio.run(migrate(f"sqlite+aiosqlite:///{file}"))
    return file


@pytest.fixture(params=["embedded", pytest.param("servers", marks=pytest.mark.heavy)])
def storage(request: pytest.FixtureRequest, _migrated_file: Path, tmp_path: Path) -> Storage:
    if request.param == "servers":
        postgresql_url = request.getfixturevalue("postgresql_url")
        return Storage("servers", postgresql_url, request.getfixturevalue("redis_url"))
    file = shutil.copy(_migrated_file, tmp_path / "people.db")
    return Storage("embedded", f"sqlite+aiosqlite:///{file}", "memory://")


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


@pytest.fixture(scope="session")
def _migrated_database(postgresql_server: Any) -> str:
    """The name of an empty database, to be copied."""
    asyncio.run(migrate(f"postgresql+asyncpg://postgres@{_address(postgresql_server)}/postgres"))
    return "postgres"


def _address(server: Any) -> str:
    return f"{server.host}:{server.port}"


@pytest.fixture
def postgresql_url(postgresql_server: Any, _migrated_database: str) -> Iterator[str]:
    """A database without people."""
    import psycopg
    from psycopg import sql

    name = f"test_{uuid.uuid4().hex}"
    address = _address(postgresql_server)
    copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
    # Nobody may be connected to a database that is copied.
    with psycopg.connect(f"postgresql://postgres@{address}/template1", autocommit=True) as admin:
        admin.execute(copy.format(sql.Identifier(name), sql.Identifier(_migrated_database)))
        yield f"postgresql+asyncpg://postgres@{address}/{name}"
        admin.execute(drop.format(sql.Identifier(name)))


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
