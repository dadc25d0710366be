"""The engine: SQLite or PostgreSQL, by URL."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry

from ..telemetry.logs import Repeated
from ..tokens.admission import Admission, FullError
from ..tokens.errors import BusyError, UnavailableError

_LOG = logging.getLogger(__name__)
_FAILURES = (SQLAlchemyError, OSError, asyncio.TimeoutError)
_MIGRATION_LOCK = 0x61637320746F6B65  # any number, the same for all


class DatabaseDownError(UnavailableError):
    code = "DatabaseUnavailable"


class DatabaseBusyError(BusyError):
    """More callers wait for a connection than can have one in time."""


class Database:
    """Connections to the database, and the translation of its failures.

    A connection is held for one query or one transaction, never while the resource, another
    process or a limit is awaited. Callers queue before the pool, not in it: the pool cannot tell
    which of them finish what was begun.

    :param url: ``sqlite+aiosqlite:///FILE`` or ``postgresql+asyncpg://USER:PASSWORD@HOST/NAME``.
    :param timeout: Seconds for a connection, and for each use of one.
    :param connections: How many to keep.
    :param patience: Seconds to wait while all of them are in use.
    :raises ValueError: If the URL names another database or driver. It is not shown.
    """

    def __init__(
        self, url: str, *, timeout: float = 5.0, connections: int = 10, patience: float = 15.0
    ) -> None:
        self._timeout = timeout
        self._admission = Admission(connections, patience)
        self._failures = Repeated(_LOG)
        pool = {
            "poolclass": AsyncAdaptedQueuePool,  # SQLAlchemy before 2.0.38 keeps none of SQLite's
            "pool_size": connections,
            "max_overflow": 0,
            "pool_timeout": patience,
        }
        if driver_of(url) == "sqlite+aiosqlite":
            self._engine = create_async_engine(
                url, hide_parameters=True, connect_args={"timeout": timeout}, **pool
            )
            event.listen(self._engine.sync_engine, "connect", _set_up_sqlite)
        else:
            self._engine = create_async_engine(
                url,
                hide_parameters=True,
                connect_args={"timeout": timeout, "command_timeout": timeout},
                **pool,
            )
        # PostgreSQL: one round trip for a statement, in place of three with BEGIN and COMMIT around
        # it. SQLite: a connection is not switched to it and back for each statement.
        self._autocommits = driver_of(url) == "postgresql+asyncpg"
        self._autocommitting = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    @property
    def engine(self) -> AsyncEngine:
        return self._engine

    @asynccontextmanager
    async def transaction(self, *, urgent: bool = False) -> AsyncIterator[AsyncConnection]:
        """A transaction that is committed when the block ends.

        :param urgent: Whether it finishes what was begun, and so goes first.
        :raises DatabaseDownError: If the database cannot be used.
        :raises DatabaseBusyError: If too many callers wait for it.
        """
        async with self._translating(urgent=urgent), self._engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def statement(self, *, urgent: bool = False) -> AsyncIterator[AsyncConnection]:
        """A connection for one statement, which is committed at once.

        The parameter and the errors are those of `transaction`.
        """
        begin = self._autocommitting.connect if self._autocommits else self._engine.begin
        async with self._translating(urgent=urgent), begin() as connection:
            yield connection

    @asynccontextmanager
    async def _translating(self, *, urgent: bool) -> AsyncIterator[None]:
        try:
            async with self._admission.place(urgent=urgent):
                yield
        except FullError as error:
            raise DatabaseBusyError("the database is busy", error.retry_after) from None
        except _FAILURES as error:
            self._failures.note("The database cannot be used", error)
            raise DatabaseDownError("the database cannot be used at the moment") from error

    async def migrate(self) -> None:
        """Migrates the tables to this version. One process does it, others wait.

        :raises DatabaseDownError: If the database cannot be used. It is not logged.
        """
        try:
            async with self._engine.begin() as connection:
                if connection.dialect.name == "postgresql":
                    await connection.execute(
                        text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK}
                    )
                else:
                    await connection.exec_driver_sql("BEGIN IMMEDIATE")
                await connection.run_sync(_upgrade)
        except _FAILURES as error:
            raise DatabaseDownError("the database cannot be used") from error

    async def is_current(self) -> bool:
        """Whether the tables are those of this version.

        :raises DatabaseDownError: If the database cannot be used.
        """
        async with self.statement(urgent=True) as connection:
            return await connection.run_sync(_is_current)

    async def close(self) -> None:
        await self._engine.dispose()


def driver_of(url: str) -> str:
    """The dialect and driver that a URL names.

    :raises ValueError: If the URL is invalid or names another than the two. It is not shown.
    """
    driver, parameters = "", frozenset[str]()
    try:
        parsed = make_url(url)
        driver, parameters = parsed.drivername, frozenset(parsed.query)
    except (ArgumentError, ValueError):  # a ValueError quotes a part of the password as the port
        pass
    if driver not in ("sqlite+aiosqlite", "postgresql+asyncpg"):
        raise ValueError(
            "expected sqlite+aiosqlite:///FILE or postgresql+asyncpg://USER:PASSWORD@HOST/NAME; "
            "in a password, characters such as / and @ are written as %2F and %40"
        )
    if driver == "postgresql+asyncpg" and any(
        name.startswith("ssl") and name != "ssl" for name in parameters
    ):
        raise ValueError(
            "asyncpg takes ssl in place of sslmode, such as ?ssl=verify-full, and the file of "
            "authorities from PGSSLROOTCERT"
        )
    return driver


def migration_config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection) -> None:
    command.upgrade(migration_config(connection), "head")


def _is_current(connection: Connection) -> bool:
    head = ScriptDirectory.from_config(migration_config()).get_current_head()
    return MigrationContext.configure(connection).get_current_revision() == head


def _set_up_sqlite(connection: Any, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")  # readers do not wait for a writer
    cursor.execute("PRAGMA synchronous = FULL")  # acknowledged writes survive a power failure
    cursor.close()
