"""The database file: private, whole after a clean stop, moved by export and import; broken ones."""

import asyncio
import contextlib
import gc
import os
import re
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from acs_identity_emulator import DatabaseError, IdentityEmulator
from acs_identity_emulator.state.store import Store, StoreError

from .conftest import Start, remote

Send = Callable[..., SimpleNamespace]
COMMAND = [sys.executable, "-m", "acs_identity_emulator"]
POSIX_ONLY = pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes and limits")


def failure(*arguments: str) -> str:
    done = subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=20, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    return done.stderr


@POSIX_ONLY
def test_only_its_owner_may_read_it(tmp_path: Path, send: Send) -> None:
    database = tmp_path / "a.db"
    old_mask = os.umask(0)
    try:
        with IdentityEmulator(database=database) as emulator:
            assert send("POST", "/identities", to=emulator).status == 201
            for path in (database, tmp_path / "a.db-wal"):
                assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
            emulator.export_state(tmp_path / "exported.db")
        assert stat.S_IMODE((tmp_path / "exported.db").stat().st_mode) == 0o600
        database.chmod(0o644)
        with IdentityEmulator(database=database):
            assert stat.S_IMODE(database.stat().st_mode) == 0o600
    finally:
        os.umask(old_mask)


def test_a_copy_of_the_one_file_is_whole(tmp_path: Path, send: Send) -> None:
    with IdentityEmulator(database=tmp_path / "a.db") as emulator:
        user = send("POST", "/identities", to=emulator).json["identity"]["id"]
    shutil.copy(tmp_path / "a.db", tmp_path / "b.db")
    with IdentityEmulator(database=tmp_path / "b.db") as emulator:
        assert [identity.id for identity in emulator.identities()] == [user]


def test_state_moves(tmp_path: Path, send: Send) -> None:
    with IdentityEmulator() as source:
        body = {"createTokenWithScopes": ["chat"]}
        created = send("POST", "/identities", body, to=source).json
        source.export_state(tmp_path / "state")
        constants = (source.access_key, source.secondary_key, source.resource_id, source.tenant_id)
        found = source.identities()
    for database in (None, tmp_path / "b.db"):
        with IdentityEmulator(import_state=tmp_path / "state", database=database) as target:
            assert found == target.identities()
            assert constants == (
                target.access_key, target.secondary_key, target.resource_id, target.tenant_id,
            )  # fmt: skip
            assert target.is_token_valid(created["accessToken"]["token"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.db", "state"]


@pytest.mark.heavy
def test_state_moves_by_the_command_line(tmp_path: Path, send: Send) -> None:
    with IdentityEmulator(database=tmp_path / "a.db") as emulator:
        send("POST", "/identities", to=emulator)
        key = emulator.access_key
    files = ["--database", str(tmp_path / "a.db"), "--export", str(tmp_path / "state")]
    done = subprocess.run([*COMMAND, *files], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
    with subprocess.Popen(
        [*COMMAND, "--import", str(tmp_path / "state")], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.terminate()
    assert line.strip().endswith(f";accesskey={key}")


def test_what_cannot_be_imported(tmp_path: Path) -> None:
    with IdentityEmulator(database=tmp_path / "a.db") as emulator:
        emulator.export_state(tmp_path / "state")
        with pytest.raises(DatabaseError, match="cannot write"):
            emulator.export_state(tmp_path / "none" / "state")
    with pytest.raises(DatabaseError, match="into a new database only"):
        IdentityEmulator(database=tmp_path / "a.db", import_state=tmp_path / "state").start()
    (tmp_path / "text").write_text("no database" * 100)
    (tmp_path / "empty").touch()
    for name in ("none", "text", "empty"):
        with pytest.raises(DatabaseError, match=name):
            IdentityEmulator(import_state=tmp_path / name).start()
    assert "there is no database" in failure(
        "--database", str(tmp_path / "none.db"), "--export", str(tmp_path / "x")
    )
    assert "--export needs --database" in failure("--export", str(tmp_path / "x"))


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """The files of a folder with their modes."""
    return {path.name: (path.read_bytes(), path.stat().st_mode) for path in folder.iterdir()}


def foreign(kind: str, path: Path) -> None:
    """Writes a file that is not of this emulator."""
    if kind == "text":
        path.write_text("no database" * 100)
    else:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA journal_mode = {'WAL' if kind == 'WAL' else 'DELETE'}")
            connection.execute(f"PRAGMA user_version = {2 if kind == 'older' else 0}")
            connection.execute("CREATE TABLE theirs (x)")
    path.chmod(0o644)


@pytest.mark.parametrize("kind", ["text", "SQLite", "WAL", "older"])
@pytest.mark.parametrize("argument", ["database", "import_state"])
def test_a_file_of_another_program_is_not_changed(tmp_path: Path, kind: str, argument: str) -> None:
    foreign(kind, tmp_path / "theirs")
    before = contents(tmp_path)
    arguments: dict[str, Any] = {argument: tmp_path / "theirs"}
    with pytest.raises(DatabaseError, match=r"theirs is not an? .*: name another file$"):
        IdentityEmulator(**arguments).start()
    assert contents(tmp_path) == before


def test_a_failed_import_leaves_no_database(tmp_path: Path) -> None:
    with IdentityEmulator() as emulator:
        emulator.export_state(tmp_path / "good")
        port = int(emulator.endpoint.rstrip("/").rpartition(":")[2])
        shutil.copy(tmp_path / "good", tmp_path / "bad key")
        damage(tmp_path / "bad key", "access-key-primary", '["')
        (tmp_path / "cut off").write_bytes((tmp_path / "good").read_bytes()[:9000])
        foreign("SQLite", tmp_path / "theirs")
        before = contents(tmp_path)
        for name, problem in (
            ("bad key", "the database {} is damaged"),
            ("cut off", "the database {} is damaged"),
            ("theirs", "{} is not a database of this version"),
        ):
            expected = re.escape(problem.format(tmp_path / name))
            for database in (None, tmp_path / "new.db"):
                with pytest.raises(DatabaseError, match=expected):
                    IdentityEmulator(database=database, import_state=tmp_path / name).start()
        good: dict[str, Any] = {
            "database": tmp_path / "new.db", "import_state": tmp_path / "good",
        }  # fmt: skip
        with pytest.raises(OSError, match="in use"):
            IdentityEmulator(port=port, **good).start()
        assert contents(tmp_path) == before
    with IdentityEmulator(**good) as imported:
        assert len(imported.access_key) > 0


def test_a_write_ahead_log_is_imported_too(tmp_path: Path, send: Send) -> None:
    """Of a copy that was made while the emulator ran, or of one that was killed."""
    with IdentityEmulator(database=tmp_path / "a.db") as emulator:
        send("POST", "/identities", to=emulator)
        found = emulator.identities()
        for suffix in ("", "-wal"):
            shutil.copy(tmp_path / f"a.db{suffix}", tmp_path / f"b.db{suffix}")
        with pytest.raises(DatabaseError, match=r"a\.db is in use by another emulator"):
            IdentityEmulator(import_state=tmp_path / "a.db").start()
    with IdentityEmulator(import_state=tmp_path / "b.db") as imported:
        assert imported.identities() == found


def test_no_export_onto_a_database_in_use(tmp_path: Path, send: Send) -> None:
    with IdentityEmulator(database=tmp_path / "a.db") as emulator, IdentityEmulator() as other:
        os.link(tmp_path / "a.db", tmp_path / "linked")
        for source in (emulator, other):
            for name in ("a.db", "linked"):
                with pytest.raises(DatabaseError, match=f"{name} is in use by another emulator"):
                    source.export_state(tmp_path / name)
        send("POST", "/identities", to=emulator)
        found = emulator.identities()
    with IdentityEmulator(database=tmp_path / "a.db") as emulator:
        assert emulator.identities() == found


@POSIX_ONLY
@pytest.mark.heavy
def test_no_export_onto_the_database_of_another_process(
    tmp_path: Path, send: Send, start: Start
) -> None:
    IdentityEmulator(database=tmp_path / "a.db").start().stop()
    process = start("--database", str(tmp_path / "a.db"))
    served = remote(process)
    with IdentityEmulator() as other:
        with pytest.raises(DatabaseError, match=r"a\.db is a database that an emulator uses"):
            other.export_state(tmp_path / "a.db")
        user = send("POST", "/identities", to=served).json["identity"]["id"]
        process.kill()
        process.communicate(timeout=60)
        with pytest.raises(DatabaseError, match="or that was not closed"):
            other.export_state(tmp_path / "a.db")
    with IdentityEmulator(database=tmp_path / "a.db") as emulator:
        assert [identity.id for identity in emulator.identities()] == [user]
        assert emulator.access_key == served.access_key


@POSIX_ONLY
def test_a_second_emulator_of_the_process_does_not_end_the_lock(tmp_path: Path) -> None:
    """A process loses its lock of a file if it closes the file, however often it is open."""
    database = tmp_path / "a.db"
    with IdentityEmulator(database=database):
        with pytest.raises(DatabaseError, match="in use by another emulator"):
            IdentityEmulator(database=database).start()
        assert "in use by another emulator" in failure("--database", str(database))


@pytest.fixture
def damaged_schema(tmp_path: Path) -> Path:
    """A database with a byte in its schema that is not UTF-8, and that SQLite quotes."""
    path = tmp_path / "schema.db"
    IdentityEmulator(database=path).start().stop()
    octets = path.read_bytes()
    assert b"CREATE TABLE identity (" in octets
    path.write_bytes(octets.replace(b"CREATE TABLE identity (", b"CREATE TABLX iden\xffity ("))
    return path


@pytest.mark.parametrize("argument", ["database", "import_state"])
def test_a_damaged_schema(damaged_schema: Path, argument: str) -> None:
    arguments: dict[str, Any] = {argument: damaged_schema}
    with pytest.raises(DatabaseError, match=r"the database .*schema\.db is damaged"):
        IdentityEmulator(**arguments).start()


@pytest.mark.heavy
def test_a_damaged_schema_by_the_command_line(damaged_schema: Path, tmp_path: Path) -> None:
    file = str(damaged_schema)
    for arguments in (
        ["--database", file], ["--import", file], ["--database", file, "--export", "x"],
    ):  # fmt: skip
        assert f"the database {file} is damaged" in failure(*arguments)


def in_child(check: Callable[[], object]) -> None:
    """Asserts that the check does not raise in a forked child."""
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            check()
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning")
class TestForkedChild:
    """A child has the parent's open database, and must not end its write-ahead log."""

    @pytest.fixture(params=["stop", "leave with"])
    def end(self, request: pytest.FixtureRequest) -> Callable[[IdentityEmulator], None]:
        if request.param == "stop":
            return IdentityEmulator.stop
        return lambda emulator: emulator.__exit__(None, None, None)

    def test_a_child_stops_nothing(
        self, tmp_path: Path, send: Send, end: Callable[[IdentityEmulator], None]
    ) -> None:
        database = tmp_path / "a.db"
        with IdentityEmulator(database=database) as emulator:
            users = [send("POST", "/identities", to=emulator).json["identity"]["id"]]
            in_child(lambda: end(emulator))
            assert (tmp_path / "a.db-wal").stat().st_size > 0
            users.append(send("POST", "/identities", to=emulator).json["identity"]["id"])
        with IdentityEmulator(database=database) as emulator:
            assert sorted(users) == [identity.id for identity in emulator.identities()]

    async def test_a_child_leaves_async_with(self, tmp_path: Path, send: Send) -> None:
        database = tmp_path / "a.db"

        def leave() -> None:
            with contextlib.suppress(StopIteration):
                emulator.__aexit__(None, None, None).send(None)

        async with IdentityEmulator(database=database) as emulator:
            in_child(leave)
            assert (tmp_path / "a.db-wal").stat().st_size > 0
            reply = await asyncio.to_thread(send, "POST", "/identities", to=emulator)
            assert reply.status == 201

    def test_the_garbage_of_a_child(self, tmp_path: Path) -> None:
        store = Store(tmp_path / "a.db")
        store.set_setting("a", "1")

        def collect() -> None:
            nonlocal store
            del store
            gc.collect()

        in_child(collect)
        assert (tmp_path / "a.db-wal").stat().st_size > 0
        store.set_setting("a", "2")
        store.close()
        reopened = Store(tmp_path / "a.db")
        assert reopened.setting("a") == "2"
        reopened.close()

    @pytest.mark.parametrize("database", ["a.db", None])
    def test_a_child_reads_and_writes_nothing(self, tmp_path: Path, database: str | None) -> None:
        store = Store(database and tmp_path / database)

        def use() -> None:
            for method in (store.identities, store.empty, lambda: store.export(tmp_path / "x")):
                with pytest.raises(StoreError, match="belongs to the parent of this process"):
                    method()

        in_child(use)
        assert store.generation == 0
        store.close()


def damage(database: Path, setting: str, value: object) -> str:
    """Replaces a setting and returns what it was."""
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.text_factory = partial(str, encoding="utf-8", errors="replace")
        row = connection.execute("SELECT value FROM setting WHERE name = ?", (setting,)).fetchone()
        connection.execute(
            "UPDATE setting SET value = CAST(? AS TEXT) WHERE name = ?", (value, setting)
        )
    return str(row[0])


SETTINGS = [
    "access-key-primary", "access-key-secondary", "token-key", "ca-key", "ca-certificate",
    "resource-id", "managed-identity-secret",
]  # fmt: skip


@pytest.mark.heavy
@pytest.mark.parametrize("setting", SETTINGS)
def test_a_bad_byte_in_a_kept_value(tmp_path: Path, setting: str) -> None:
    """The message of sqlite3 quotes what it cannot decode: it was a key that was printed."""
    IdentityEmulator(database=tmp_path / "a.db").start().stop()
    kept = damage(tmp_path / "a.db", setting, "")
    damage(tmp_path / "a.db", setting, b"\xff" + kept.encode())
    log = failure("--database", str(tmp_path / "a.db"))
    assert "damaged" in log
    assert kept[10:40] not in log


@pytest.mark.heavy
@pytest.mark.parametrize("setting", SETTINGS[:5])
@pytest.mark.parametrize("cut", [slice(0, 40), slice(0, 0)])
def test_a_kept_value_that_is_cut_off(tmp_path: Path, setting: str, cut: slice) -> None:
    IdentityEmulator(database=tmp_path / "a.db").start().stop()
    kept = damage(tmp_path / "a.db", setting, "")
    damage(tmp_path / "a.db", setting, kept[cut])
    log = failure("--database", str(tmp_path / "a.db"))
    assert "damaged" in log
    assert kept[12:40] not in log


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("entra-key", ""),
        ("entra-key", "x"),
        ("token-encryption-key", "x"),
        ("token-encryption-key", "QUJD"),
        ("entra-applications", "[[]]"),
        pytest.param("entra-applications", "[" * 100_000, id="deep"),
        ("access-key-primary", "5"),
        ("generation", "x"),
        ("resource-id", ""),
        ("tenant-id", "x"),
        ("managed-identity-object-id", ""),
        ("managed-identity-id", "[]"),
    ],
)
def test_a_kept_value_that_is_invalid(tmp_path: Path, setting: str, value: str) -> None:
    """At the start, although some are first used by a request."""
    database = tmp_path / "a.db"
    IdentityEmulator(database=database).start().stop()
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (setting, value))
    for _ in range(2):  # the file is in use by nobody
        with pytest.raises(DatabaseError, match=r"a\.db is damaged"):
            IdentityEmulator(database=database).start()


def test_keys_that_are_first_used_by_a_request_are_kept(tmp_path: Path, send: Send) -> None:
    user = "00000000-0000-0000-0000-0000000000bb"
    body, tokens = {"appId": user, "userId": user}, []
    for _ in range(2):
        with IdentityEmulator(database=tmp_path / "a.db") as emulator:
            tokens.append(emulator.issue_entra_token(user_object_id=user, client_id=user))
            for token in tokens:
                exchanged = {"token": token, **body}
                path = "/teamsUser/:exchangeAccessToken"
                assert send("POST", path, exchanged, to=emulator).status == 200


def test_a_file_that_is_cut_off(tmp_path: Path) -> None:
    database = tmp_path / "a.db"
    IdentityEmulator(database=database).start().stop()
    whole = database.read_bytes()
    for size in (len(whole) // 2, 5000, 100, 20):
        database.write_bytes(whole[:size])
        with contextlib.suppress(DatabaseError):
            IdentityEmulator(database=database).start().stop()
    database.write_bytes(whole[:200] + b"\xff" * 4000 + whole[4200:])
    assert "damaged" in failure("--database", str(database))


def test_a_full_database_says_so() -> None:
    store = Store()
    with store._access() as connection:
        connection.execute("PRAGMA max_page_count = 1")  # a disk that is full already
    with pytest.raises(StoreError, match=r"the database cannot be used: database or disk is full"):
        store.set_setting("a", "x" * 100_000)
    store.close()


@POSIX_ONLY
def test_a_full_disk(tmp_path: Path, send: Send, start: Start) -> None:
    """A create that cannot be written is 503, with one line in the log; nothing else suffers."""
    import resource

    database = tmp_path / "a.db"
    IdentityEmulator(database=database).start().stop()
    process = start(
        "--database", str(database), "--log-level", "warning",
        limits={resource.RLIMIT_FSIZE: (500_000, 500_000)},
    )  # fmt: skip
    served = remote(process)
    created = []
    reply = send("POST", "/identities", to=served)
    while reply.status == 201:
        created.append(reply.json["identity"]["id"])
        reply = send("POST", "/identities", to=served)
    assert (reply.status, reply.code) == (503, "ServiceUnavailable")
    assert created
    assert send("GET", "/identities", to=served).status == 405
    process.terminate()
    log = process.communicate(timeout=60)[1]
    assert process.returncode == 0
    lines = log.splitlines()
    assert len(lines) == 1
    assert "ERROR the database cannot be used: " in lines[0]
    with IdentityEmulator(database=database) as emulator:
        assert sorted(created) == [identity.id for identity in emulator.identities()]


@POSIX_ONLY
@pytest.mark.heavy
@pytest.mark.parametrize(
    ("option", "size", "message"),
    [
        ("--ca-file", 100, "cannot write the CA file FILE "),
        ("--database", 10_000, "cannot read or write the database FILE "),  # its schema
        ("--database", 50_000, "cannot read or write the database FILE "),  # its keys
    ],
)
def test_a_disk_that_is_full_at_the_start(
    tmp_path: Path, start: Start, option: str, size: int, message: str
) -> None:
    import resource

    file = str(tmp_path / "file")
    process = start(option, file, limits={resource.RLIMIT_FSIZE: (size, size)})
    output, log = process.communicate(timeout=20)
    assert (process.returncode, output, log.count("\n")) == (2, "", 1)
    assert message.replace("FILE", file) in log
    assert ("free space on the disk" in log) is (option == "--database")


@POSIX_ONLY
@pytest.mark.heavy
def test_the_methods_on_a_full_disk(tmp_path: Path) -> None:
    code = """
import resource, sys
from acs_identity_emulator import DatabaseError, IdentityEmulator

with IdentityEmulator(database=sys.argv[1]) as emulator:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, 1))
    for method in ("rotate_key", "reset", "register_application"):
        try:
            getattr(emulator, method)(*["primary"][: method == "rotate_key"])
        except DatabaseError as error:
            print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.db")],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout.count("the database cannot be used: ") == 3


def test_a_start_that_fails_lets_go_of_the_database(tmp_path: Path) -> None:
    """The last of the kept settings is damaged, so that all parts before it exist."""
    database = tmp_path / "a.db"
    IdentityEmulator(database=database).start().stop()
    kept = damage(database, "managed-identity-secret", b"\xff")
    emulator = IdentityEmulator(database=database)
    with pytest.raises(DatabaseError, match="damaged") as caught:
        emulator.start()
    damage(database, "managed-identity-secret", kept)
    with emulator:
        assert emulator.managed_identity_environment["IDENTITY_HEADER"] == kept
    assert caught  # and with it the traceback, which keeps what the failed start has made


def test_a_table_is_missing(tmp_path: Path) -> None:
    database = tmp_path / "a.db"
    IdentityEmulator(database=database).start().stop()
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("DROP TABLE setting")
    with pytest.raises(DatabaseError, match=r"cannot read or write the database .*a\.db .*: free"):
        IdentityEmulator(database=database).start()


def test_a_damaged_file_to_import(tmp_path: Path) -> None:
    with IdentityEmulator() as emulator:
        emulator.export_state(tmp_path / "state")
    damage(tmp_path / "state", "token-key", "cut off")
    with pytest.raises(DatabaseError, match=r"the database .*state is damaged"):
        IdentityEmulator(import_state=tmp_path / "state").start()
