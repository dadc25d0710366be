"""A test changes and inspects the resource: rotates a key, empties it, reads its state."""

import base64
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

import pytest

from acs_identity_emulator import IdentityEmulator

Send = Callable[..., SimpleNamespace]


class Clock(Protocol):
    offset: float

    def __call__(self) -> float: ...


USER, APP = "00000000-0000-0000-0000-0000000000bb", "00000000-0000-0000-0000-0000000000cc"
KEY = base64.b64encode(b"a key of a test").decode()
WITH_TOKEN = {"createTokenWithScopes": ["chat"]}
PREVIEW = "2025-03-02-preview"


@pytest.fixture
def own() -> Iterator[IdentityEmulator]:
    with IdentityEmulator() as emulator:
        yield emulator


def new_token(send: Send, to: IdentityEmulator, key: str | None = None) -> str:
    reply = send("POST", "/identities", WITH_TOKEN, to=to, key=key)
    token: str = reply.json["accessToken"]["token"]
    return token


class TestRotateKey:
    @pytest.mark.parametrize("slot", ["primary", "secondary"])
    def test_ends_the_old_key_and_its_tokens(
        self, own: IdentityEmulator, send: Send, slot: str
    ) -> None:
        keys = {"primary": own.access_key, "secondary": own.secondary_key}
        other = "secondary" if slot == "primary" else "primary"
        token, kept = (new_token(send, own, keys[name]) for name in (slot, other))
        rotated = own.rotate_key(slot)
        assert rotated != keys[slot]
        assert (own.access_key if slot == "primary" else own.secondary_key) == rotated
        assert send("POST", "/identities", to=own, key=keys[slot]).code == "Denied"
        assert send("POST", "/identities", to=own, key=keys[other]).status == 201
        assert send("POST", "/identities", to=own, key=rotated).status == 201
        assert [own.is_token_valid(issued) for issued in (token, kept)] == [False, True]

    def test_a_given_key(self, own: IdentityEmulator, send: Send) -> None:
        assert own.rotate_key("primary", KEY) == KEY
        assert own.connection_string.endswith(f";accesskey={KEY}")
        assert send("POST", "/identities", to=own, key=KEY).status == 201

    def test_the_same_key_again_still_ends_its_tokens(
        self, own: IdentityEmulator, send: Send
    ) -> None:
        token = new_token(send, own)
        own.rotate_key("primary", own.access_key)
        assert not own.is_token_valid(token)

    def test_tokens_of_teams_users_end_as_well(self, own: IdentityEmulator, send: Send) -> None:
        entra = own.issue_entra_token(user_object_id=USER, client_id=APP)
        body = {"token": entra, "appId": APP, "userId": USER}
        reply = send("POST", "/teamsUser/:exchangeAccessToken", body, to=own)
        assert own.is_token_valid(reply.json["token"])
        own.rotate_key("primary")
        assert not own.is_token_valid(reply.json["token"])

    def test_survives_a_restart(self, send: Send, tmp_path: Path) -> None:
        file = tmp_path / "a.db"
        with IdentityEmulator(database=file) as emulator:
            token = new_token(send, emulator)
            rotated = emulator.rotate_key("primary")
        with IdentityEmulator(database=file) as emulator:
            assert emulator.access_key == rotated
            assert not emulator.is_token_valid(token)

    @pytest.mark.parametrize(("slot", "key"), [("third", None), ("primary", "no base64!")])
    def test_refused(self, own: IdentityEmulator, slot: str, key: str | None) -> None:
        with pytest.raises(ValueError, match="must be") as caught:
            own.rotate_key(slot, key)
        assert "no base64!" not in str(caught.value)

    @pytest.mark.parametrize("key", [5, b"QUJD"])
    def test_takes_no_key_of_another_type(self, own: IdentityEmulator, key: Any) -> None:
        before = own.access_key
        with pytest.raises(TypeError, match=r"^key must be a str, not "):
            own.rotate_key("primary", key)
        assert own.access_key == before


class TestPastedKeys:
    @pytest.mark.parametrize(
        "pasted",
        [f"{KEY}\n", f"  {KEY}\r\n", f"\ufeff{KEY}", f'"{KEY}"', f"'{KEY}'\n"],
        ids=["line break", "CRLF", "byte order mark", "double quotes", "single quotes"],
    )
    def test_are_taken_without_what_pasting_adds(
        self, send: Send, tmp_path: Path, pasted: str
    ) -> None:
        file = tmp_path / "a.db"
        with IdentityEmulator(access_key=pasted, secondary_key=pasted, database=file) as emulator:
            assert emulator.connection_string == f"endpoint={emulator.endpoint};accesskey={KEY}"
            assert emulator.secondary_key == KEY
            assert emulator.rotate_key("primary", pasted) == KEY
            assert send("POST", "/identities", to=emulator, key=KEY).status == 201
            token = new_token(send, emulator)
        with IdentityEmulator(access_key=pasted, database=file) as emulator:
            assert emulator.is_token_valid(token)  # not taken for another key

    @pytest.mark.parametrize(
        ("key", "problem"),
        [
            (f"\u201c{KEY}\u201d", "it has typographic quotes"),
            (f"ACS_KEY={KEY}", "it begins with the name of a variable"),
            (f"{KEY[:4]}\n{KEY[4:]}", "it has white space in it"),
            (f"endpoint=https://a/;accesskey={KEY}", "it is a URL or a connection string"),
            (f"https://a/?sv=1&sig={KEY}", "it is a URL or a connection string"),
            ("", "at least one byte"),
        ],
    )
    def test_are_refused_by_name_and_never_shown(
        self, own: IdentityEmulator, key: str, problem: str
    ) -> None:
        for take in (
            lambda: IdentityEmulator(access_key=key),
            lambda: IdentityEmulator(secondary_key=key),
            lambda: own.rotate_key("primary", key),
        ):
            with pytest.raises(ValueError, match=rf"key must be base64 .*{problem}") as caught:
                take()
            assert KEY[:8] not in str(caught.value)


class TestReset:
    def test_empties_the_resource_and_leaves_what_it_is(
        self, own: IdentityEmulator, send: Send
    ) -> None:
        was = (own.connection_string, own.secondary_key, own.resource_id, own.tenant_id)
        token = new_token(send, own)
        user = own.identities()[0].id
        tenant = own.tenant_id
        assignment = f"/access/teamsExtension/tenants/{tenant}/assignments/{USER}"
        send("PUT", assignment, {"principalType": "user"}, to=own)
        own.reset()
        assert own.identities() == []
        assert not own.is_token_valid(token)
        assert send("GET", assignment, to=own).status == 404
        assert send("DELETE", f"/identities/{user}", to=own).code == "IdentityNotOwned"
        assert was == (own.connection_string, own.secondary_key, own.resource_id, own.tenant_id)

    def test_frees_custom_ids(self, own: IdentityEmulator, send: Send) -> None:
        def create() -> object:
            body = {"customId": "bob"}
            return send("POST", "/identities", body, to=own, version=PREVIEW).json

        first = create()
        own.reset()
        assert create() != first

    def test_ends_the_tokens_of_entra_users_for_good(self, send: Send) -> None:
        scope = "https://auth.msft.communication.azure.com/.default"
        with IdentityEmulator(tls=True, open_exchange=True) as emulator:
            bearer = emulator.issue_entra_token(user_object_id=USER, client_id=APP, scopes=[scope])

            def exchanged() -> str:
                path = "/access/teamsExtension/:exchangeAccessToken"
                reply = send("POST", path, {}, to=emulator, bearer=bearer)
                token: str = reply.json["accessToken"]["token"]
                return token

            first = exchanged()
            emulator.reset()
            second = exchanged()
            assert [emulator.is_token_valid(token) for token in (first, second)] == [False, True]

    def test_survives_a_restart(self, send: Send, tmp_path: Path) -> None:
        file = tmp_path / "a.db"
        with IdentityEmulator(database=file) as emulator:
            token = new_token(send, emulator)
            emulator.reset()
        with IdentityEmulator(database=file) as emulator:
            assert emulator.identities() == []
            assert not emulator.is_token_valid(token)


def test_identities(own: IdentityEmulator, send: Send) -> None:
    body = {"customId": "bob", **WITH_TOKEN}
    named = send("POST", "/identities", body, to=own, version=PREVIEW).json["identity"]["id"]
    plain = send("POST", "/identities", to=own).json["identity"]["id"]
    gone = send("POST", "/identities", to=own).json["identity"]["id"]
    send("DELETE", f"/identities/{gone}", to=own)
    identities = {identity.id: identity for identity in own.identities()}
    assert list(identities) == sorted([named, plain])
    assert (identities[plain].custom_id, identities[plain].last_token_issued_at) == (None, None)
    assert identities[named].custom_id == "bob"
    assert isinstance(identities[named].last_token_issued_at, int)


def test_one_custom_id_at_the_same_time(own: IdentityEmulator, send: Send) -> None:
    """Concurrent creates all get the same identity."""
    created = []
    barrier = threading.Barrier(8)

    def create() -> None:
        barrier.wait()
        reply = send("POST", "/identities", {"customId": "bob"}, to=own, version=PREVIEW)
        created.append((reply.status, reply.json["identity"]["id"]))

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert created == [(201, own.identities()[0].id)] * 8
    assert len(own.identities()) == 1


def test_reset_and_look_beside_a_stream_of_requests(own: IdentityEmulator, send: Send) -> None:
    """The methods are called in the thread of the test, the service runs in its own."""
    stop = threading.Event()
    statuses = set()

    def create() -> None:
        while not stop.is_set():
            statuses.add(send("POST", "/identities", WITH_TOKEN, to=own).status)

    thread = threading.Thread(target=create)
    thread.start()
    for _ in range(20):
        own.reset()
        own.identities()
        own.rotate_key("secondary")
    stop.set()
    thread.join()
    assert statuses <= {201}
