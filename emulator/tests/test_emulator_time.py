"""Tokens age: by an advanced clock, by a short lifetime, and under freezegun and time-machine."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta, timezone
from email.utils import formatdate
from pathlib import Path
from typing import Any

import freezegun
import jwt
import pytest
import time_machine

from acs_identity_emulator import IdentityEmulator
from azure.communication.identity import CommunicationIdentityClient
from azure.communication.identity.aio import CommunicationIdentityClient as AsyncClient

from .conftest import Send, connect


@pytest.fixture(scope="module")
def timed() -> Iterator[IdentityEmulator]:
    """An emulator with the machine's clock."""
    with IdentityEmulator(throttle=True) as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def _as_new(timed: IdentityEmulator) -> None:
    timed.reset()


def new_token(send: Send, timed: IdentityEmulator, **body: object) -> tuple[str, int]:
    """A token, and its lifetime in seconds."""
    date = formatdate(time.time(), usegmt=True)
    content = {"createTokenWithScopes": ["chat"], **body}
    reply = send("POST", "/identities", content, to=timed, date=date)
    assert reply.status == 201, reply.body
    token: str = reply.json["accessToken"]["token"]
    claims = jwt.decode(token, options={"verify_signature": False})
    return token, claims["exp"] - claims["iat"]


def test_advanced(send: Send, timed: IdentityEmulator) -> None:
    old, _ = new_token(send, timed)
    timed.advance(timedelta(hours=23))
    validity = [timed.is_token_valid(old)]
    timed.advance(timedelta(hours=1))
    validity.append(timed.is_token_valid(old))
    assert validity == [True, False]
    # Neither clock of a client is rejected: that of the machine, and one advanced as well.
    new, lifetime = new_token(send, timed)
    assert timed.is_token_valid(new)
    assert lifetime == 24 * 3600
    ahead = formatdate(time.time() + 24 * 3600, usegmt=True)
    assert send("POST", "/identities", to=timed, date=ahead).status == 201
    between = formatdate(time.time() + 12 * 3600, usegmt=True)
    assert send("POST", "/identities", to=timed, date=between).status == 401


def test_reset_puts_the_clock_back(send: Send, timed: IdentityEmulator) -> None:
    timed.advance(timedelta(days=365))
    timed.token_lifetime = timedelta(seconds=5)
    timed.reset()
    assert not timed.token_lifetime
    token, _ = new_token(send, timed)
    expiry = jwt.decode(token, options={"verify_signature": False})["exp"]
    assert abs(expiry - time.time() - 24 * 3600) < 60


def test_limits_are_replenished(send: Send, timed: IdentityEmulator) -> None:
    date = formatdate(time.time(), usegmt=True)

    def statuses(count: int) -> set[int]:
        return {send("POST", "/identities", to=timed, date=date).status for _ in range(count)}

    assert statuses(1000) == {201}
    assert 429 in statuses(1)
    timed.advance(timedelta(seconds=31))
    assert statuses(1) == {201}


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (60, TypeError),
        (timedelta(seconds=-1), ValueError),
        (timedelta(days=4000), ValueError),
    ],
)
def test_invalid_advances(
    timed: IdentityEmulator, by: timedelta, expected: type[Exception]
) -> None:
    with pytest.raises(expected, match=r"timedelta|advanced by 0 seconds to ten years"):
        timed.advance(by)


def test_token_lifetime(send: Send) -> None:
    with IdentityEmulator(token_lifetime=timedelta(minutes=5)) as emulator:
        assert new_token(send, emulator)[1] == 300
        assert new_token(send, emulator, expiresInMinutes=60)[1] == 300
        emulator.token_lifetime = timedelta(seconds=1)
        assert new_token(send, emulator)[1] == 1
        emulator.token_lifetime = timedelta(hours=24)
        assert new_token(send, emulator, expiresInMinutes=60)[1] == 24 * 3600
        emulator.reset()
        assert emulator.token_lifetime == timedelta(minutes=5)
        emulator.token_lifetime = None
        assert new_token(send, emulator, expiresInMinutes=60)[1] == 3600


@pytest.mark.parametrize(
    "lifetime", [timedelta(0), timedelta(seconds=1.9), timedelta(hours=25), 60]
)
def test_invalid_lifetimes(timed: IdentityEmulator, lifetime: timedelta) -> None:
    with pytest.raises(ValueError, match="one second to 24 hours"):
        timed.token_lifetime = lifetime
    with pytest.raises(ValueError, match="one second to 24 hours"):
        IdentityEmulator(token_lifetime=lifetime)


Travelling = Callable[[datetime], AbstractContextManager[object]]


def travel(moment: datetime) -> AbstractContextManager[object]:
    return time_machine.travel(moment, tick=False)


travellers = pytest.mark.parametrize("travelling", [freezegun.freeze_time, travel])


@travellers
def test_the_clock_of_the_process(
    send: Send, timed: IdentityEmulator, travelling: Travelling
) -> None:
    token, _ = new_token(send, timed)
    for hours, is_valid in ((23, True), (25, False)):
        moment = datetime.now(timezone.utc) + timedelta(hours=hours)
        with travelling(moment):
            assert timed.is_token_valid(token) is is_valid
            newer, lifetime = new_token(send, timed)
            assert timed.is_token_valid(newer)
            assert lifetime == 24 * 3600
    assert timed.is_token_valid(token)


@contextmanager
def calls_of(flavour: str, connection_string: str) -> Iterator[Callable[..., Any]]:
    """Calls a method of either client by its name, and returns its result."""
    if flavour == "sync":
        with CommunicationIdentityClient.from_connection_string(
            connection_string, retry_total=0
        ) as client:
            yield lambda method, *arguments: getattr(client, method)(*arguments)
        return
    loop = asyncio.new_event_loop()
    of_loop = AsyncClient.from_connection_string(connection_string, retry_total=0)
    yield lambda method, *arguments: loop.run_until_complete(getattr(of_loop, method)(*arguments))
    loop.run_until_complete(of_loop.close())
    loop.close()


@pytest.mark.parametrize("flavour", ["sync", "async"])
@travellers
def test_client_and_service_move_together(
    timed: IdentityEmulator, travelling: Travelling, flavour: str
) -> None:
    """As "My back end renews an expired token" in the README says."""
    with calls_of(flavour, timed.connection_string) as call:
        user = call("create_user")
        first = call("get_token", user, ["chat"])
        with travelling(datetime.now(timezone.utc) + timedelta(hours=25)):
            assert not timed.is_token_valid(first.token)
            renewed = call("get_token", user, ["chat"])
            assert timed.is_token_valid(renewed.token)
            assert renewed.expires_on - int(time.time()) == 24 * 3600
    assert timed.requests.count("issue", user=user) == 2


@pytest.mark.parametrize("year", [2020, 2050])
@travellers
def test_clients_trust_an_emulator_that_starts_in_another_time(
    tmp_path: Path, travelling: Travelling, year: int
) -> None:
    """OpenSSL judges certificates by the clock of the system, which nobody replaces."""

    def authority() -> bytes:
        with IdentityEmulator(tls=True, database=tmp_path / "a.db") as emulator:
            connect(emulator.endpoint, emulator.ca_file).close()
            return Path(emulator.ca_file).read_bytes()

    with travelling(datetime(year, 1, 1, tzinfo=timezone.utc)):
        first = authority()
    assert authority() == first


def test_delays_end_and_an_emulator_stops_in_frozen_time(send: Send) -> None:
    with freezegun.freeze_time(datetime.now(timezone.utc)):
        emulator = IdentityEmulator().start()
        emulator.inject("create", "delay:0.02")
        date = formatdate(time.time(), usegmt=True)
        assert send("POST", "/identities", to=emulator, date=date).status == 201
        emulator.inject("create", "delay:3000")
        with connect(emulator.endpoint) as connection:
            connection.sendall(b"POST /identities HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
            while emulator.unused_faults():
                time.sleep(0.01)
            stopper = threading.Thread(target=emulator.stop, daemon=True)
            stopper.start()
            stopper.join(60)
            assert not stopper.is_alive()
