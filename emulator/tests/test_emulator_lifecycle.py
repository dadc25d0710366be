"""Starting, stopping, arguments, and what a database keeps over a restart."""

import asyncio
import base64
import contextlib
import errno
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from acs_identity_emulator import DatabaseError, IdentityEmulator
from acs_identity_emulator.http import server_thread
from acs_identity_emulator.http.server_thread import ServerThread

Send = Callable[..., SimpleNamespace]

KEY = base64.b64encode(b"a key of a test").decode()
OTHER_KEY = base64.b64encode(b"another key").decode()
RESOURCE_ID = "00000000-0000-0000-0000-0000000000aa"
USER, APP = "00000000-0000-0000-0000-0000000000bb", "00000000-0000-0000-0000-0000000000cc"


def test_given_keys_and_resource(send: Send) -> None:
    with IdentityEmulator(
        access_key=KEY, secondary_key=OTHER_KEY, resource_id=RESOURCE_ID
    ) as emulator:
        port = emulator.endpoint.removeprefix("http://127.0.0.1:").removesuffix("/")
        assert port.isdecimal()
        assert emulator.connection_string == f"endpoint={emulator.endpoint};accesskey={KEY}"
        assert (emulator.access_key, emulator.secondary_key) == (KEY, OTHER_KEY)
        assert emulator.resource_id == RESOURCE_ID
        for key in (KEY, OTHER_KEY):
            reply = send("POST", "/identities", to=emulator, key=key)
            assert reply.json["identity"]["id"].startswith(f"8:acs:{RESOURCE_ID}_")


def test_random_otherwise() -> None:
    with IdentityEmulator() as one, IdentityEmulator() as other:
        assert len({one.access_key, one.secondary_key, other.access_key}) == 3
        assert one.resource_id != other.resource_id
        assert one.endpoint != other.endpoint


async def test_async_with(send: Send) -> None:
    async with IdentityEmulator() as emulator:
        reply = await asyncio.to_thread(send, "POST", "/identities", to=emulator)
        assert reply.status == 201
        with pytest.raises(RuntimeError, match="async with"):
            emulator.stop()
        endpoint = emulator.endpoint
    with pytest.raises(RuntimeError, match="stopped"):
        _ = emulator.endpoint
    with pytest.raises(OSError, match="refused"):
        connect(endpoint)


def connect(endpoint: str) -> None:
    host, _, port = endpoint.removeprefix("http://").rstrip("/").rpartition(":")
    socket.create_connection((host, int(port)), timeout=5).close()


def test_stop_ends_the_thread_and_the_listening() -> None:
    others = set(threading.enumerate())  # threads of earlier tests may still be ending
    emulator = IdentityEmulator().start()
    endpoint = emulator.endpoint
    connect(endpoint)
    started = set(threading.enumerate()) - others
    assert [thread.name for thread in started] == ["acs-identity-emulator"]
    emulator.stop()
    emulator.stop()
    assert not any(thread.is_alive() for thread in started)
    with pytest.raises(OSError, match="refused"):
        connect(endpoint)


def test_stop_does_not_wait_for_idle_connections() -> None:
    with IdentityEmulator() as emulator:
        host, _, port = emulator.endpoint.removeprefix("http://").rstrip("/").partition(":")
        idle = socket.create_connection((host, int(port)), timeout=5)
        idle.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        assert idle.recv(12) == b"HTTP/1.1 401"
    with idle:
        while idle.recv(4096):
            pass


def test_phases() -> None:
    emulator = IdentityEmulator()
    for name in ("endpoint", "connection_string", "access_key", "secondary_key", "resource_id"):
        with pytest.raises(RuntimeError, match="start it first"):
            getattr(emulator, name)
    with pytest.raises(RuntimeError, match="start it first"):
        emulator.is_token_valid("")
    emulator.stop()
    with emulator:
        with pytest.raises(RuntimeError, match="runs already"):
            emulator.start()
        assert emulator.endpoint
    with pytest.raises(RuntimeError, match="make another one"):
        emulator.start()


async def test_phases_async() -> None:
    async with IdentityEmulator() as emulator:
        with pytest.raises(RuntimeError, match="runs already"):
            await emulator.__aenter__()
        with pytest.raises(RuntimeError, match="runs already"):
            emulator.start()
    with pytest.raises(RuntimeError, match="make another one"):
        await emulator.__aenter__()


@pytest.mark.parametrize(
    "arguments",
    [
        {"host": ""},
        {"host": "a..b"},
        {"host": "\udcff"},
        {"port": -1},
        {"port": 65536},
        {"identity_port": 65536},
        {"page_size": 0},
        {"page_size": 10_001},
        {"database": ""},
        {"import_state": ""},
        {"ca_file": ""},
        {"control_token": "a b"},
        {"control_token": ""},
        {"token_lifetime": 60},
        {"access_key": ""},
        {"access_key": "no base64!"},
        {"access_key": "é"},
        {"secondary_key": "abc"},
        {"resource_id": ""},
        {"resource_id": "contoso"},
    ],
)
def test_arguments_that_are_refused(arguments: dict[str, Any]) -> None:
    name, value = next(iter(arguments.items()))
    with pytest.raises(ValueError, match=f"^{name} must ") as caught:
        IdentityEmulator(**arguments)
    if name.endswith("key") and value:
        assert value not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("host", None, "a str, not NoneType"),
        ("port", "8080", "an int, not str"),
        ("port", None, "an int, not NoneType"),
        ("port", True, "an int, not bool"),
        ("identity_port", 8080.0, "an int, not float"),
        ("database", b"a.db", "a str or os.PathLike, not bytes"),
        ("import_state", 5, "a str or os.PathLike, not int"),
        ("access_key", b"a2V5", "a str, not bytes"),
        ("secondary_key", 5, "a str, not int"),
        ("resource_id", 5, "a str, not int"),
        ("tls", "false", "a bool, not str"),
        ("tls_names", "example.com", "a list of str, not str"),
        ("tls_names", None, "a list of str, not NoneType"),
        ("each of tls_names", ["a", 5], "a str, not int"),
        ("ca_file", 5, "a str or os.PathLike, not int"),
        ("throttle", 1, "a bool, not int"),
        ("retry_after", None, "a bool, not NoneType"),
        ("open_exchange", "no", "a bool, not str"),
        ("page_size", "3", "an int, not str"),
        ("page_size", 1.5, "an int, not float"),
        ("page_size", True, "an int, not bool"),
        ("encrypted_tokens", "", "a bool, not str"),
        ("control_token", 5, "a str, not int"),
        ("clock", 1.5, "a callable, not float"),
    ],
)
def test_arguments_of_the_wrong_type(name: str, value: object, expected: str) -> None:
    wrong: dict[str, Any] = {name.rpartition(" ")[2]: value}
    with pytest.raises(TypeError, match=f"^{name} must be {expected}$"):
        IdentityEmulator(**wrong)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda own: own.inject("issue", 429), "fault must be a str, not int"),
        (lambda own: own.is_token_valid(None), "token must be a str, not NoneType"),
        (lambda own: own.export_state(5), "path must be a str or os.PathLike, not int"),
        (lambda own: own.register_application(secret=5), "secret must be a str, not int"),
        (lambda own: issue(own, scopes="chat"), "scopes must be a list of str, not str"),
        (lambda own: issue(own, scopes=[5]), "each of scopes must be a str, not int"),
        (lambda own: issue(own, groups=USER), "groups must be a list of str, not str"),
        (lambda own: issue(own, groups=[USER, 5]), "each of groups must be a str, not int"),
        (lambda own: issue(own, groups=5), "groups must be a list of str, not int"),
        (lambda own: issue(own, expires_in=60), "expires_in must be a timedelta, not int"),
    ],
)
def test_arguments_of_methods(
    emulator: IdentityEmulator, call: Callable[[IdentityEmulator], object], message: str
) -> None:
    with pytest.raises(TypeError, match=f"^{message}$"):
        call(emulator)


def issue(own: IdentityEmulator, **arguments: Any) -> str:
    return own.issue_entra_token(user_object_id=USER, client_id=APP, **arguments)


def test_a_host_that_no_certificate_can_name() -> None:
    emulator = IdentityEmulator(host="a b", tls=True, control_token="t")
    with pytest.raises(ValueError, match="what a certificate can name"):
        emulator.start()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com"])
def test_beyond_loopback_only_with_a_control_token(host: str) -> None:
    with pytest.raises(
        ValueError, match=r"^control_token must be set, as .* is not a loopback address"
    ):
        IdentityEmulator(host=host)


def test_misspelt_argument() -> None:
    misspelt: dict[str, Any] = {"acess_key": KEY}
    with pytest.raises(TypeError, match="acess_key"):
        IdentityEmulator(**misspelt)


def test_a_taken_port(tmp_path: Path) -> None:
    with IdentityEmulator() as emulator:
        port = int(emulator.endpoint.rstrip("/").rpartition(":")[2])
        file = tmp_path / "service.db"
        late = IdentityEmulator(port=port, database=file)
        with pytest.raises(OSError, match=rf"\] port {port}: cannot listen on 127.0.0.1 \("):
            late.start()
        with pytest.raises(RuntimeError, match="start it first"):
            _ = late.endpoint
        with IdentityEmulator(database=file):
            pass  # the start that failed has let go of the database
    with late:
        assert late.endpoint == f"http://127.0.0.1:{port}/"


def test_no_event_loop_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OSError("Too many open files")

    def start() -> None:
        with pytest.raises(OSError, match="Too many open files"):
            IdentityEmulator().start()

    monkeypatch.setattr(server_thread, "EventLoop", refuse)
    starting = threading.Thread(target=start, daemon=True)
    starting.start()
    starting.join(10)
    assert not starting.is_alive()


def test_a_taken_port_for_the_managed_identity() -> None:
    with IdentityEmulator() as emulator:
        port = int(emulator.endpoint.rstrip("/").rpartition(":")[2])
        with pytest.raises(OSError, match=rf"\] identity_port {port}: cannot .* in use\): name "):
            IdentityEmulator(identity_port=port).start()


def test_no_socket_to_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(socket, "create_server", refuse)
    with pytest.raises(OSError, match=r"\(Too many open files\): allow more open files") as caught:
        IdentityEmulator().start()
    assert "another port" not in str(caught.value)


async def test_a_taken_port_async() -> None:
    async with IdentityEmulator() as emulator:
        port = int(emulator.endpoint.rstrip("/").rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            async with IdentityEmulator(port=port):
                pass


@pytest.mark.parametrize("host", ["localhost", "0.0.0.0", "::1", "::"])
def test_other_hosts(send: Send, host: str) -> None:
    try:
        emulator = IdentityEmulator(host=host, control_token="t").start()
    except OSError:
        if ":" not in host:
            raise
        pytest.skip("this machine has no IPv6")
    try:
        assert emulator.endpoint.startswith(("http://127.0.0.1:", "http://[::1]:"))
        assert send("POST", "/identities", to=emulator).status == 201
    finally:
        emulator.stop()


async def test_a_cancelled_start_lets_go_of_the_database(tmp_path: Path) -> None:
    file = tmp_path / "service.db"
    IdentityEmulator(database=file).start().stop()
    late = IdentityEmulator(database=file)
    starting = asyncio.ensure_future(late.__aenter__())
    await asyncio.sleep(0)  # a thread opens the database, and cannot be cancelled
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    async with await started(lambda: IdentityEmulator(database=file)):
        pass
    async with late:
        assert late.endpoint


async def started(make: Callable[[], IdentityEmulator]) -> contextlib.AsyncExitStack:
    """Starts an emulator as soon as its database is free."""
    stack, deadline = contextlib.AsyncExitStack(), time.monotonic() + 20
    while True:
        try:
            await stack.enter_async_context(make())
        except DatabaseError:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)
        else:
            return stack


async def test_a_cancelled_stop_lets_go_of_everything(tmp_path: Path) -> None:
    file = tmp_path / "service.db"
    emulator = IdentityEmulator(database=file)
    await emulator.__aenter__()
    emulator.inject("create", "delay:60")
    port = int(emulator.endpoint.rstrip("/").rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST /identities HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
    await asyncio.sleep(0.05)
    stopping = asyncio.ensure_future(emulator.__aexit__(None, None, None))
    await asyncio.sleep(0.02)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    with contextlib.suppress(ConnectionError):
        assert await asyncio.wait_for(reader.read(), 20) == b""
    writer.close()
    async with IdentityEmulator(database=file, port=port):
        pass


def test_an_interrupted_stop_lets_go_of_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, stop = tmp_path / "service.db", ServerThread.stop

    def interrupted(thread: ServerThread) -> None:
        stop(thread)
        raise KeyboardInterrupt

    emulator = IdentityEmulator(database=file).start()
    monkeypatch.setattr(ServerThread, "stop", interrupted)
    with pytest.raises(KeyboardInterrupt):
        emulator.stop()
    monkeypatch.undo()
    with IdentityEmulator(database=file):
        pass


class TestDatabase:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        return tmp_path / "service with space ü.db"

    def test_a_restart_continues(self, send: Send, file: Path) -> None:
        scopes = {"createTokenWithScopes": ["chat"]}
        with IdentityEmulator(database=file) as emulator:
            connection = (emulator.access_key, emulator.secondary_key, emulator.resource_id)
            kept, revoked, deleted = (
                send("POST", "/identities", scopes, to=emulator).json for _ in range(3)
            )
            send(
                "POST", f"/identities/{revoked['identity']['id']}/:revokeAccessTokens", to=emulator
            )
            send("DELETE", f"/identities/{deleted['identity']['id']}", to=emulator)
            entra = emulator.issue_entra_token(user_object_id=USER, client_id=APP)
        with IdentityEmulator(database=str(file)) as emulator:
            assert connection == (
                emulator.access_key, emulator.secondary_key, emulator.resource_id,
            )  # fmt: skip
            tokens = [made["accessToken"]["token"] for made in (kept, revoked, deleted)]
            assert [emulator.is_token_valid(token) for token in tokens] == [True, False, False]
            issued = [
                send(
                    "POST",
                    f"/identities/{made['identity']['id']}/:issueAccessToken",
                    {"scopes": ["chat"]},
                    to=emulator,
                ).status
                for made in (kept, revoked, deleted)
            ]
            assert issued == [200, 200, 404]
            body = {"token": entra, "appId": APP, "userId": USER}
            reply = send("POST", "/teamsUser/:exchangeAccessToken", body, to=emulator)
            assert reply.status == 200

    def test_a_given_key_takes_the_place_of_the_kept_one(self, send: Send, file: Path) -> None:
        with IdentityEmulator(database=file) as emulator:
            old, secondary = emulator.access_key, emulator.secondary_key
        with IdentityEmulator(database=file, access_key=KEY) as emulator:
            assert send("POST", "/identities", to=emulator, key=KEY).status == 201
            assert send("POST", "/identities", to=emulator, key=secondary).status == 201
            assert send("POST", "/identities", to=emulator, key=old).status == 401
        with IdentityEmulator(database=file) as emulator:
            assert emulator.access_key == KEY

    def test_of_another_resource(self, file: Path) -> None:
        with IdentityEmulator(database=file, resource_id=RESOURCE_ID.upper()) as emulator:
            assert emulator.resource_id == RESOURCE_ID
        with pytest.raises(ValueError, match=f"belongs to the resource {RESOURCE_ID}"):
            IdentityEmulator(database=file, resource_id=USER).start()
        with IdentityEmulator(database=file, resource_id=RESOURCE_ID):
            pass

    def test_two_emulators_on_one_file(self, file: Path) -> None:
        with (
            IdentityEmulator(database=file),
            pytest.raises(DatabaseError, match="in use by another emulator"),
        ):
            IdentityEmulator(database=file).start()
        with IdentityEmulator(database=file):
            pass

    def test_in_no_folder(self, tmp_path: Path) -> None:
        with pytest.raises(DatabaseError, match="cannot open the database"):
            IdentityEmulator(database=tmp_path / "none" / "service.db").start()

    def test_no_database(self, file: Path) -> None:
        file.write_bytes(b"something else entirely, long enough to be looked at" * 20)
        with pytest.raises(DatabaseError, match="is not an SQLite database"):
            IdentityEmulator(database=file).start()

    def test_a_database_of_somebody_else(self, file: Path) -> None:
        import sqlite3

        connection = sqlite3.connect(file)
        connection.execute("CREATE TABLE theirs (x)")
        connection.close()
        with pytest.raises(DatabaseError, match="name another file"):
            IdentityEmulator(database=file).start()
