"""What the service remembers: identities, assignments and settings of the resource, in SQLite."""

import contextlib
import os
import sqlite3
import threading
from typing import Any, NamedTuple

_SCHEMA_VERSION = 2
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
CREATE TABLE assignment (
    tenant_id TEXT,
    object_id TEXT,
    principal_type TEXT NOT NULL,
    client_ids TEXT,
    PRIMARY KEY (tenant_id, object_id)
) WITHOUT ROWID;
"""
_COLUMNS = "guid, revocations, deleted, custom_id, last_token_issued_at"


class DatabaseError(RuntimeError):
    """The database file cannot be used: unwritable, in use by another emulator, or no database."""


class Identity(NamedTuple):
    """One identity; `guid` is the last part of its id, times are Unix seconds."""

    guid: str
    revocations: int
    deleted: bool
    custom_id: str | None
    last_token_issued_at: int | None


class Assignment(NamedTuple):
    """What gives a Teams user or resource account access; `client_ids` is JSON, or None."""

    tenant_id: str
    object_id: str
    principal_type: str
    client_ids: str | None


class Store:
    """Identities, assignments and settings. What a method writes is committed when it returns.

    A store may be used from several threads: the service uses it in its event loop, and a test
    looks into it, rotates a key or empties it meanwhile.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        """Opens the database; None keeps everything in memory.

        :raises DatabaseError: the file cannot be opened or written, or belongs to somebody else.
        """
        self._path = path
        self._lock = threading.RLock()
        try:
            self._connection = sqlite3.connect(
                ":memory:" if path is None else os.fspath(path),
                timeout=0,
                isolation_level=None,
                check_same_thread=False,
            )
        except sqlite3.Error as error:
            raise DatabaseError(_advice(path, error)) from None
        try:
            self._prepare()
        except sqlite3.Error as error:
            self._connection.close()
            raise DatabaseError(_advice(path, error)) from None
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        execute = self._connection.execute
        if self._path is not None:
            # An exclusive lock for as long as the store is open keeps a second emulator out.
            execute("PRAGMA locking_mode = EXCLUSIVE")
            execute("PRAGMA journal_mode = WAL")
            execute("PRAGMA synchronous = FULL")
        execute("BEGIN IMMEDIATE")
        version = execute("PRAGMA user_version").fetchone()[0]
        tables = execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if version == 0 and tables == 0:
            for statement in _SCHEMA.split(";"):
                execute(statement)
            execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
        elif version != _SCHEMA_VERSION:
            raise DatabaseError(
                f"{self._path!s} is not a database of this version of the emulator: "
                "name another file"
            )
        execute("COMMIT")

    def close(self) -> None:
        with self._lock, contextlib.suppress(sqlite3.Error):
            self._connection.close()

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
        """The identity of an Entra user, made when there is none, and anew after its deletion."""
        with self._lock:
            self._write(
                "INSERT INTO identity (guid) VALUES (?) ON CONFLICT (guid) "
                "DO UPDATE SET revocations = revocations + deleted, deleted = 0",
                (guid,),
            )
            identity = self.identity(guid)
        assert identity is not None  # noqa: S101 - the lock keeps `empty` out
        return identity

    def identities(self) -> list[Identity]:
        """All that are not deleted."""
        with self._lock:
            rows = self._connection.execute(
                f"SELECT {_COLUMNS} FROM identity WHERE deleted = 0 ORDER BY guid"  # noqa: S608
            ).fetchall()
        return [_identity(row) for row in rows]

    def token_issued(self, guid: str, at: int) -> None:
        self._write("UPDATE identity SET last_token_issued_at = ? WHERE guid = ?", (at, guid))

    def revoke_tokens(self, guid: str) -> None:
        self._write("UPDATE identity SET revocations = revocations + 1 WHERE guid = ?", (guid,))

    def delete_identity(self, guid: str) -> None:
        self._write("UPDATE identity SET deleted = 1 WHERE guid = ?", (guid,))

    def assignment(self, tenant_id: str, object_id: str) -> Assignment | None:
        row = self._one(
            "SELECT tenant_id, object_id, principal_type, client_ids FROM assignment "
            "WHERE tenant_id = ? AND object_id = ?",
            (tenant_id, object_id),
        )
        return None if row is None else Assignment(*row)

    def put_assignment(self, assignment: Assignment) -> bool:
        """Whether it took the place of an older one."""
        replaced = self.assignment(assignment.tenant_id, assignment.object_id) is not None
        self._write("INSERT OR REPLACE INTO assignment VALUES (?, ?, ?, ?)", assignment)
        return replaced

    def delete_assignment(self, tenant_id: str, object_id: str) -> None:
        self._write(
            "DELETE FROM assignment WHERE tenant_id = ? AND object_id = ?", (tenant_id, object_id)
        )

    @property
    def generation(self) -> int:
        """How often the store was emptied."""
        return int(self.setting("generation") or 0)

    def empty(self) -> int:
        """Removes all identities and assignments, and begins the next generation."""
        with self._lock, self._connection:  # which commits, or rolls back
            self._connection.execute("BEGIN IMMEDIATE")
            generation = self.generation + 1
            self._connection.execute("DELETE FROM identity")
            self._connection.execute("DELETE FROM assignment")
            self.set_setting("generation", str(generation))
        return generation

    def _one(self, sql: str, values: tuple[object, ...]) -> tuple[Any, ...] | None:
        with self._lock:
            row: tuple[Any, ...] | None = self._connection.execute(sql, values).fetchone()
        return row

    def _write(self, sql: str, values: tuple[object, ...]) -> None:
        with self._lock:
            self._connection.execute(sql, values)


def _identity(row: tuple[Any, ...]) -> Identity:
    guid, revocations, deleted, custom_id, last_token_issued_at = row
    return Identity(guid, revocations, bool(deleted), custom_id, last_token_issued_at)


def _advice(path: str | os.PathLike[str] | None, error: sqlite3.Error) -> str:
    text = str(error)
    if "locked" in text:
        return f"the database {path!s} is in use by another emulator: stop it or name another file"
    if "not a database" in text:
        return f"{path!s} is not an SQLite database: name another file"
    return (
        f"cannot open the database {path!s} for writing ({text}): name a file in a writable folder"
    )
