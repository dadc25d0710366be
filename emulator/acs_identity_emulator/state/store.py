"""Identities, assignments and settings of the resource, kept in SQLite."""

import contextlib
import os
import sqlite3
import threading
import weakref
from types import TracebackType
from typing import Any, NamedTuple

from . import assignments, database
from .database import DamagedStoreError
from .database import DatabaseError as DatabaseError
from .database import StoreError as StoreError

_SCHEMA_VERSION = 3
_SCHEMA = """
CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE identity (
    guid TEXT PRIMARY KEY,
    revocations INTEGER NOT NULL DEFAULT 0,
    deleted INTEGER NOT NULL DEFAULT 0,
    custom_id TEXT,
    last_token_issued_at INTEGER
) WITHOUT ROWID;
CREATE UNIQUE INDEX identity_by_custom_id ON identity (custom_id)
    WHERE custom_id IS NOT NULL AND deleted = 0;
"""
_FULL = "database or disk is full"  # as SQLite says
_COLUMNS = "guid, revocations, deleted, custom_id, last_token_issued_at"


class Identity(NamedTuple):
    """One identity; `guid` is the last part of its id, times are Unix seconds."""

    guid: str
    revocations: int = 0
    deleted: bool = False
    custom_id: str | None = None
    last_token_issued_at: int | None = None


class Store:
    """Identities, assignments and settings. A write is committed when its method returns.

    Threads may share a store: the service uses it in its event loop, while a test inspects it,
    rotates a key or empties it.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        imported: str | os.PathLike[str] | None = None,
        *,
        must_exist: bool = False,
    ) -> None:
        """Opens the database.

        :param path: None keeps everything in memory.
        :param must_exist: whether to fail rather than make a new file.
        :param imported: a file that `export` wrote, whose contents a new database begins with.
        :raises DatabaseError: If a file cannot be opened or written, is damaged or not a database,
            or if the database is in use, or is not new and should be filled.
        """
        self.path = path
        self._source = path if imported is None else imported  # of what the database holds
        self._is_new = path is not None and not os.path.exists(path)
        self._lock = threading.RLock()
        self._is_of_parent = False
        if must_exist and self._is_new:
            raise DatabaseError(f"there is no database {path!s}")
        _check_not_in_use(path)
        self._connection = database.connect(path, _SCHEMA_VERSION)
        self.assignments = assignments.AssignmentTable(self._access)
        try:
            with self._access():
                if imported is not None:
                    database.copy_in(self._connection, imported, _SCHEMA_VERSION)
                self._prepare()
        except StoreError as error:
            self.abandon()
            raise self.unusable(error) from None
        except BaseException:
            self.abandon()
            raise
        _open_stores.add(self)

    def _prepare(self) -> None:
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        version = execute("PRAGMA user_version").fetchone()[0]
        tables = execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if version == 0 and tables == 0:
            for statement in (_SCHEMA + assignments.SCHEMA).split(";"):
                execute(statement)
            execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
        elif version != _SCHEMA_VERSION:
            raise DatabaseError(
                f"{self._source!s} is not a database of this version of the emulator: "
                "name another file"
            )
        execute("COMMIT")

    def close(self) -> None:
        if self._is_of_parent:
            return
        with self._lock:
            database.close(self._connection)
            _open_stores.discard(self)

    def abandon(self) -> None:
        """Closes the database after a failed start, and removes its file if it was new."""
        self.close()
        if self.path is not None and self._is_new:
            with contextlib.suppress(OSError):
                os.unlink(self.path)

    def disown(self) -> None:
        """Leaves the database to the parent process, in a child that was forked from it."""
        self._is_of_parent = True
        database.disown(self._connection)

    def damaged(self) -> DatabaseError:
        """The error for contents that cannot be read, without quoting them."""
        return DatabaseError(
            f"the database {self._source!s} is damaged: restore a copy, or name another file"
        )

    def unusable(self, error: StoreError) -> DatabaseError:
        """The error for a database that cannot be read or written at the start."""
        if isinstance(error, DamagedStoreError):
            return self.damaged()
        return DatabaseError(
            f"cannot read or write the database {self.path or self._source!s} ({error}): "
            "free space on the disk, restore a copy, or name another file"
        )

    def export(self, path: str | os.PathLike[str]) -> None:
        """Writes everything into one file.

        :raises DatabaseError: If the file cannot be written, or is a database in use.
        """
        _check_not_in_use(path)
        with self._access() as connection:
            database.copy_out(connection, path)

    def setting(self, name: str) -> str | None:
        row = self._one("SELECT value FROM setting WHERE name = ?", (name,))
        return None if row is None else str(row[0])

    def set_setting(self, name: str, value: str) -> None:
        self._write("INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)", (name, value))

    def add_identity(self, guid: str, custom_id: str | None = None) -> None:
        self._write("INSERT INTO identity (guid, custom_id) VALUES (?, ?)", (guid, custom_id))

    def identity(self, guid: str) -> Identity | None:
        """The identity, deleted ones included; None if it was never created."""
        row = self._one(f"SELECT {_COLUMNS} FROM identity WHERE guid = ?", (guid,))  # noqa: S608
        return None if row is None else _identity(row)

    def identity_with_custom_id(self, custom_id: str) -> Identity | None:
        row = self._one(
            f"SELECT {_COLUMNS} FROM identity WHERE custom_id = ? AND deleted = 0",  # noqa: S608
            (custom_id,),
        )
        return None if row is None else _identity(row)

    def identity_of_user(self, guid: str) -> Identity:
        """The identity of an Entra user, created if it does not exist or was deleted."""
        with self._lock:
            self._write(
                "INSERT INTO identity (guid) VALUES (?) ON CONFLICT (guid) "
                "DO UPDATE SET revocations = revocations + deleted, deleted = 0",
                (guid,),
            )
            identity = self.identity(guid)
        assert identity is not None  # noqa: S101 - the lock keeps `empty` out
        return identity

    def identity_count(self) -> int:
        """How many are not deleted."""
        row = self._one("SELECT count(*) FROM identity WHERE deleted = 0", ())
        return 0 if row is None else int(row[0])

    def identities(self, limit: int | None = None) -> list[Identity]:
        """The first that are not deleted, by their GUIDs; None for all."""
        with self._access() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM identity WHERE deleted = 0 "  # noqa: S608
                "ORDER BY guid LIMIT ?",
                (-1 if limit is None else limit,),
            ).fetchall()
        return [_identity(row) for row in rows]

    def token_issued(self, guid: str, at: int) -> None:
        self._write("UPDATE identity SET last_token_issued_at = ? WHERE guid = ?", (at, guid))

    def revoke_tokens(self, guid: str) -> None:
        self._write("UPDATE identity SET revocations = revocations + 1 WHERE guid = ?", (guid,))

    def delete_identity(self, guid: str) -> None:
        self._write("UPDATE identity SET deleted = 1 WHERE guid = ?", (guid,))

    @property
    def generation(self) -> int:
        """How often the store was emptied."""
        return int(self.setting("generation") or 0)

    def empty(self) -> int:
        """Removes all identities and assignments, and begins the next generation."""
        with self._access() as connection, connection:  # which commits, or rolls back
            connection.execute("BEGIN IMMEDIATE")
            generation = self.generation + 1
            connection.execute("DELETE FROM identity")
            connection.execute("DELETE FROM assignment")
            self.set_setting("generation", str(generation))
        return generation

    def _one(self, sql: str, values: tuple[object, ...]) -> tuple[Any, ...] | None:
        with self._access() as connection:
            row: tuple[Any, ...] | None = connection.execute(sql, values).fetchone()
        return row

    def _write(self, sql: str, values: tuple[object, ...]) -> None:
        with self._access() as connection:
            connection.execute(sql, values)

    def _access(self) -> "_Access":
        if self._is_of_parent:
            raise StoreError(
                "the emulator belongs to the parent of this process: call it here by its endpoint"
            )
        return _Access(self._lock, self._connection)


class _Access:
    """The connection for one thread at a time; a class, as a generator costs three times as much.

    :raises StoreError: If SQLite fails, without the text that it failed on.
    """

    __slots__ = ("_connection", "_lock")

    def __init__(self, lock: threading.RLock, connection: sqlite3.Connection) -> None:
        self._lock = lock
        self._connection = connection

    def __enter__(self) -> sqlite3.Connection:
        self._lock.acquire()
        return self._connection

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._lock.release()
        # A full disk, a damaged file; not a mistake of this program, such as an IntegrityError.
        if isinstance(exc, sqlite3.OperationalError) or type(exc) is sqlite3.DatabaseError:
            reason = getattr(exc, "sqlite_errorname", type(exc).__name__)  # since Python 3.11
            if _FULL in str(exc):  # no other message is shown: it may quote the contents
                reason = _FULL
            failed = StoreError if isinstance(exc, sqlite3.OperationalError) else DamagedStoreError
            raise failed(f"the database cannot be used: {reason}") from None


_open_stores: "weakref.WeakSet[Store]" = weakref.WeakSet()


def _check_not_in_use(path: str | os.PathLike[str] | None) -> None:
    """Asked before the file is opened: closing it again would release the lock of the store that
    has it, as locks are the process's.

    :raises DatabaseError: If a store of this process has it.
    """
    for other in [store.path for store in _open_stores]:
        with contextlib.suppress(OSError):  # a file is missing
            if path is not None and other is not None and os.path.samefile(path, other):
                raise DatabaseError(
                    f"the database {path!s} is in use by another emulator: stop it or name another "
                    "file"
                )


def _disown_stores() -> None:
    for store in list(_open_stores):
        store.disown()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_disown_stores)


def _identity(row: tuple[Any, ...]) -> Identity:
    guid, revocations, deleted, custom_id, last_token_issued_at = row
    return Identity(guid, revocations, bool(deleted), custom_id, last_token_issued_at)
