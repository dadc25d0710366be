"""Methods that a test calls in its own thread, while the service runs in another."""

import base64
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from acs_identity_emulator.authentication.access_keys import AccessKeys
from acs_identity_emulator.state.clock import ServiceClock
from acs_identity_emulator.state.store import Store


@pytest.fixture(autouse=True)
def _threads_that_take_turns() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.fixture
def store() -> Iterator[Store]:
    store = Store()
    yield store
    store.close()


def at_once(*actions: Callable[[], object], times: int = 500) -> list[list[object]]:
    """The results of each action, which is repeated while the others are."""
    begin = threading.Barrier(len(actions))

    def repeat(action: Callable[[], object]) -> list[object]:
        begin.wait(10)
        return [action() for _ in range(times)]

    with ThreadPoolExecutor(len(actions)) as threads:
        return list(threads.map(repeat, actions))


def test_every_emptying_begins_a_generation(store: Store) -> None:
    first, second = at_once(store.empty, store.empty)
    assert len({*first, *second}) == 1000
    assert store.generation == 1000


def test_an_identity_of_a_user_while_the_store_is_emptied(store: Store) -> None:
    identities, _ = at_once(lambda: store.identity_of_user("a"), store.empty)
    assert set(identities) == {("a", 0, False, None, None)}


def test_an_emptying_that_fails_changes_nothing(store: Store) -> None:
    store.add_identity("a")
    store._connection.execute("CREATE TABLE other (guid REFERENCES identity)")
    store._connection.execute("PRAGMA foreign_keys = ON")
    store._connection.execute("INSERT INTO other VALUES ('a')")
    with pytest.raises(Exception, match="FOREIGN KEY"):
        store.empty()
    assert store.generation == 0
    store._connection.execute("DELETE FROM other")
    assert store.empty() == 1
    assert store.identities() == []


def test_keys_that_are_rotated_at_once(store: Store) -> None:
    keys = AccessKeys(store, primary=None, secondary=None)
    at_once(
        lambda: keys.rotate("primary"),
        lambda: keys.rotate("primary"),
        lambda: keys.rotate("secondary"),
    )
    assert keys.octets_by_id == {
        "primary-1000": base64.b64decode(keys["primary"]),
        "secondary-500": base64.b64decode(keys["secondary"]),
    }


def test_a_wrong_clock_is_wrong_in_its_thread_only() -> None:
    clock = ServiceClock(lambda: 100.0)
    with clock.off_by(60), ThreadPoolExecutor(1) as threads:
        assert clock() == 160
        assert threads.submit(clock).result() == 100
