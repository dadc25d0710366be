"""The SQLite file: private, used by one emulator at a time, complete after a clean stop.

No error of this module quotes the contents of the file.
"""

import contextlib
import os
import sqlite3
import tempfile
from pathlib import Path


class DatabaseError(RuntimeError):
    """If the database cannot be used: not writable, full, damaged, in use, or not a database."""


class StoreError(DatabaseError):
    """If the database cannot be read or written while the emulator runs."""


class DamagedStoreError(StoreError):
    """If the database is damaged."""


_Path = str | os.PathLike[str]
_UNREADABLE = (sqlite3.Error, UnicodeDecodeError)  # whose message sqlite3 cannot decode


def connect(path: _Path | None, version: int) -> sqlite3.Connection:
    """Opens the database for this process alone; None is a database in memory.

    :param version: The `user_version` of a database of the emulator.
    :raises DatabaseError: If the file cannot be opened or written, another emulator uses it, or it
        is not of this version of the emulator. The file of another program is not changed.
    """
    try:
        if path is not None:
            if os.path.exists(path):
                check_version(path, version)
            _make_private(path)
        connection = sqlite3.connect(
            ":memory:" if path is None else os.fspath(path),
            timeout=0,
            isolation_level=None,
            check_same_thread=False,
        )
    except OSError as error:
        raise DatabaseError(_advice(path, error)) from None
    except _UNREADABLE as error:
        raise DatabaseError(_advice(path, error)) from None
    # By itself sqlite3 quotes the text that it cannot decode, which may be a key.
    connection.text_factory = _decoded
    if path is None:
        return connection
    try:
        # The exclusive lock keeps a second emulator out for as long as the connection is open.
        for setting in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL"):
            connection.execute(f"PRAGMA {setting}")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("COMMIT")
    except _UNREADABLE as error:
        connection.close()
        raise DatabaseError(_advice(path, error)) from None
    return connection


def check_version(path: _Path, version: int) -> None:
    """Reads a file without a change to it or beside it.

    :raises DatabaseError: If it is not an SQLite database, or has tables of another version.
    """
    try:
        with contextlib.closing(_open_to_read(path, "immutable=1")) as connection:
            found, tables = connection.execute(
                "SELECT user_version, (SELECT count(*) FROM sqlite_master) FROM pragma_user_version"
            ).fetchone()
    except _UNREADABLE as error:
        raise DatabaseError(_advice(path, error)) from None
    # Both are 0 in a new database, and in one whose contents are still in its write-ahead log.
    if found != version and (found or tables):
        raise DatabaseError(
            f"{path!s} is not a database of this version of the emulator: name another file"
        )


def _open_to_read(path: _Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{Path(path).resolve().as_uri()}?{mode}", timeout=0, uri=True)


def close(connection: sqlite3.Connection) -> None:
    """Writes all into the one file, so that a copy of it needs no ``-wal`` beside it."""
    with contextlib.suppress(sqlite3.Error):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with contextlib.suppress(sqlite3.Error):
        connection.close()


def disown(connection: sqlite3.Connection) -> None:
    """Never closes a connection that a fork has copied, not even when it is garbage.

    SQLite would delete the write-ahead log, into which the parent goes on writing.
    """
    import ctypes  # which takes some milliseconds, and only a child needs it

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(connection))


def copy_out(connection: sqlite3.Connection, path: _Path) -> None:
    """Writes the whole database into a file, which takes the place of an older one.

    :raises DatabaseError: If the file cannot be written, or is a database in use.
    """
    target = Path(path)
    if os.path.exists(f"{target}-wal"):  # would be applied to the new file
        raise DatabaseError(
            f"{path!s} is a database that an emulator uses, or that was not closed: "
            "name another file"
        )
    try:
        with tempfile.TemporaryDirectory(prefix=".export-", dir=target.parent) as folder:
            copy = Path(folder) / "copy"
            _make_private(copy)
            connection.execute("VACUUM INTO ?", (str(copy),))
            copy.replace(target)
    except OSError as error:
        raise DatabaseError(f"cannot write {path!s} ({error.strerror})") from None
    except sqlite3.Error as error:
        raise DatabaseError(f"cannot write {path!s} ({error})") from None


def copy_in(connection: sqlite3.Connection, path: _Path, version: int) -> None:
    """Fills an empty database from a file that `copy_out` wrote.

    :raises DatabaseError: If the file is not such a file, or the database is not empty.
    """
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise DatabaseError("state can be imported into a new database only: name another file")
    if not os.path.isfile(path):
        raise DatabaseError(f"cannot import {path!s}: it is not a file")
    check_version(path, version)
    # To read a write-ahead log, SQLite writes files beside it.
    mode = "mode=ro" if os.path.exists(f"{path!s}-wal") else "immutable=1"
    try:
        with contextlib.closing(_open_to_read(path, mode)) as source:
            # Before the copy, which waits for a lock without a limit.
            if not source.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise DatabaseError(f"{path!s} holds no state: name an exported file")
            source.backup(connection)
    except _UNREADABLE as error:
        raise DatabaseError(_advice(path, error)) from None


def _decoded(octets: bytes) -> str:
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        raise DatabaseError(
            "the database is damaged: restore a copy, or name another file"
        ) from None


def _make_private(path: _Path) -> None:
    """The file holds keys: only its owner may read it."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    with contextlib.suppress(OSError):  # a file of somebody else that this user may write
        os.chmod(path, 0o600)


def _advice(path: _Path | None, error: Exception) -> str:
    reason = _reason(error)
    if "locked" in reason:
        return f"the database {path!s} is in use by another emulator: stop it or name another file"
    if "not a database" in reason:
        return f"{path!s} is not an SQLite database: name another file"
    if "malformed" in reason:
        return f"the database {path!s} is damaged: restore a copy, or name another file"
    return (
        f"cannot open the database {path!s} for writing ({reason}): "
        "name a file in a writable folder"
    )


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or ""
    # SQLite quotes a schema that it cannot parse; sqlite3 fails to decode it if it is damaged.
    if isinstance(error, UnicodeDecodeError) or not str(error):
        return "malformed schema"
    return str(error).partition(" (")[0]
