"""The timer of the sync credentials of a process."""

import gc
import os
import threading
import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Semaphore

import pytest
from azure.core.credentials import AccessToken
from credentials.support import in_child_process
from fresh_process import run

from azure.communication.identity import CommunicationTokenCredential
from azure.communication.identity._shared import refresh_timer, token_refresh
from azure.communication.identity._shared.refresh_timer import Alarm, _TimerThread

NUMBER = 1000


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_refresh, "_SHORTEST_DELAY", 0.01)


def valid(seconds: float = 3600) -> AccessToken:
    return AccessToken("token", int(time.time() + seconds))


def new_threads(before: set[threading.Thread]) -> int:
    return len(set(threading.enumerate()) - before)


@pytest.fixture
def before() -> set[threading.Thread]:
    return set(threading.enumerate())


class Bell:
    def __init__(self, interval: float) -> None:
        self.rung_after: float | None = None
        self.rung_by: threading.Thread | None = None
        self._started = time.monotonic()
        self.alarm = Alarm(interval, self.ring)

    def ring(self, alarm: Alarm) -> None:
        self.rung_after = time.monotonic() - self._started
        self.rung_by = threading.current_thread()


def test_alarms_are_in_the_order_of_the_time_that_is_left() -> None:
    past, soon, late = (Bell(interval).alarm for interval in (-1, 60, 3600))

    assert past.left() == 0
    assert 50 < soon.left() <= 60
    assert past < soon < late
    assert not late < soon


def test_an_alarm_that_is_cancelled_says_so() -> None:
    alarm = Bell(0).alarm
    assert not alarm.is_cancelled
    alarm.cancel()
    assert alarm.is_cancelled


def test_an_alarm_that_is_cancelled_or_forgotten_is_over_when_it_is_due() -> None:
    bell = Bell(0)
    alarm = bell.alarm
    alarm.cancel()
    assert alarm.go_off(Semaphore(0))
    forgotten = Alarm(0, Bell(0).ring)
    gc.collect()
    assert forgotten.go_off(Semaphore(0))
    assert bell.rung_after is None


def test_an_alarm_that_has_gone_off_is_over(wait_until: Callable[..., None]) -> None:
    bell = Bell(0)
    assert bell.alarm.go_off(Semaphore(1))
    wait_until(lambda: bell.rung_after is not None)


def test_no_thread_holds_up_the_end_of_the_program(wait_until: Callable[..., None]) -> None:
    bell = Bell(0)
    assert bell.alarm.start()
    wait_until(lambda: bell.rung_by)
    for thread in (bell.alarm.thread, bell.rung_by):
        assert thread is not None
        assert thread.daemon


def test_an_alarm_that_cannot_go_off_is_due_again_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    places = Semaphore(1)

    def fail(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", fail)
    bell = Bell(0)
    for _ in range(2):  # the place is free again
        assert not bell.alarm.go_off(places)
        assert 0 < bell.alarm.left() <= 0.1
    assert places.acquire(blocking=False)


def test_credentials_that_are_due_together_take_few_threads(
    fast: None, before: set[threading.Thread], wait_until: Callable[..., None]
) -> None:
    go_on = threading.Event()
    refreshed: list[AccessToken] = []

    def refresher() -> AccessToken:
        go_on.wait(10)
        refreshed.append(valid())
        return refreshed[-1]

    credentials = [
        CommunicationTokenCredential(token_refresher=refresher, proactive_refresh=True)
        for _ in range(100)
    ]
    wait_until(lambda: new_threads(before) == 33)
    time.sleep(0.05)
    assert new_threads(before) == 33
    go_on.set()
    wait_until(lambda: len(refreshed) == 100)
    for credential in credentials:
        credential.close()


def test_one_thread_serves_all_credentials_and_ends_with_the_last(
    before: set[threading.Thread], wait_until: Callable[..., None]
) -> None:
    credentials = [
        CommunicationTokenCredential(valid(), token_refresher=valid, proactive_refresh=True)
        for _ in range(NUMBER)
    ]
    assert new_threads(before) == 1
    for credential in credentials[1:]:
        credential.close()
    time.sleep(0.01)
    assert new_threads(before) == 1
    credentials[0].close()
    wait_until(lambda: new_threads(before) == 0)


def test_the_thread_ends_when_all_credentials_are_forgotten(
    before: set[threading.Thread], wait_until: Callable[..., None]
) -> None:
    for _ in range(100):
        CommunicationTokenCredential(valid(), token_refresher=valid, proactive_refresh=True)
    gc.collect()

    wait_until(lambda: new_threads(before) == 0)


def test_threads_that_start_and_close_credentials_at_once(
    before: set[threading.Thread], wait_until: Callable[..., None]
) -> None:
    def use() -> None:
        for _ in range(100):
            with CommunicationTokenCredential(
                valid(), token_refresher=valid, proactive_refresh=True
            ) as credential:
                alarm = credential._alarm
                lost.append(alarm is None or alarm.is_lost())

    lost: list[bool] = []
    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert lost == [False] * 800
    wait_until(lambda: new_threads(before) == 0)


@pytest.mark.usefixtures("fast")
def test_a_slow_refresher_does_not_delay_the_others(wait_until: Callable[..., None]) -> None:
    go = threading.Event()
    called: list[int] = []

    def make(number: int) -> CommunicationTokenCredential:
        def refresher() -> AccessToken:
            called.append(number)
            assert number >= 5 or go.wait(30)
            return valid()

        return CommunicationTokenCredential(token_refresher=refresher, proactive_refresh=True)

    credentials = [make(number) for number in range(10)]
    wait_until(lambda: set(called) == set(range(10)))
    for credential in credentials[5:]:
        assert credential.get_token().token == "token"
    go.set()
    for credential in credentials:
        assert credential.get_token().token == "token"
        credential.close()


@pytest.mark.usefixtures("fast")
def test_refreshes_that_find_too_many_threads_are_tried_again(
    monkeypatch: pytest.MonkeyPatch, wait_until: Callable[..., None]
) -> None:
    start = threading.Thread.start
    refused: list[threading.Thread] = []

    def no_more_threads(self: threading.Thread) -> None:
        if type(self) is threading.Thread and len(refused) < 2:
            refused.append(self)
            raise RuntimeError("can't start new thread")
        start(self)

    monkeypatch.setattr(threading.Thread, "start", no_more_threads)
    monkeypatch.setattr(refresh_timer, "_RETRY_DELAY", 0.01)
    with CommunicationTokenCredential(token_refresher=valid, proactive_refresh=True) as credential:
        wait_until(lambda: credential._keeper.valid())
    assert len(refused) == 2


def test_an_alarm_goes_off_that_starts_as_the_thread_ends(wait_until: Callable[..., None]) -> None:
    for _ in range(500):
        bell = Bell(0)
        bell.alarm.start()
        wait_until(lambda bell=bell: bell.rung_after)


def test_an_alarm_that_arrives_as_the_thread_ends_goes_to_the_next_one() -> None:
    class Changes(SimpleQueue[Alarm]):
        def empty(self) -> bool:
            is_empty = super().empty()
            is_taken.append(thread.takes(Alarm(3600, Bell(0).ring)))
            return is_empty

    thread, is_taken = _TimerThread(), list[bool]()
    thread.changes = Changes()

    assert thread._ends()
    assert is_taken == [False]


def test_a_thread_without_alarms_does_not_wait_for_one() -> None:
    class Changes(SimpleQueue[Alarm]):
        def get(self, block: bool = True, timeout: float | None = None) -> Alarm:
            timeouts.append(timeout)
            return super().get(block, timeout)

    thread, timeouts = _TimerThread(), list[float | None]()
    thread.changes = Changes()

    with pytest.raises(Empty):
        thread._next_change()
    assert timeouts == [0]


def test_of_two_alarms_that_need_a_thread_at_once_one_starts_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = Bell(3600).alarm, Bell(3600).alarm

    class Overtaken:
        """The lock, which another alarm gets first."""

        def __enter__(self) -> None:
            monkeypatch.undo()
            assert first.start()

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(refresh_timer, "_STARTING", Overtaken())

    assert second.start()
    assert second.thread is first.thread
    first.cancel()
    second.cancel()


def test_the_wait_for_an_alarm_always_ends() -> None:
    """Before Python 3.13, one of some thousand calls of ``SimpleQueue.get(timeout)`` hangs."""

    def wait_often() -> None:
        for _ in range(20_000):
            thread = _TimerThread()
            thread._alarms.append(Alarm(1e-6, Bell(0).ring))
            with pytest.raises(Empty):
                thread._next_change()

    waiting = threading.Thread(target=wait_often, daemon=True)
    waiting.start()
    waiting.join(20)
    assert not waiting.is_alive()


def test_an_alarm_goes_off_when_it_is_due(wait_until: Callable[..., None]) -> None:
    bells = [Bell(interval) for interval in (0.06, 0.02, 0.04, 3600, 0.02)]
    assert all(bell.alarm.start() for bell in bells)
    bells[-1].alarm.cancel()
    wait_until(lambda: all(bell.rung_after for bell in bells[:3]))

    for bell in bells[:3]:
        assert bell.rung_after is not None
        assert bell.rung_after >= bell.alarm.interval
    assert bells[3].rung_after is bells[4].rung_after is None
    bells[3].alarm.cancel()


def test_an_alarm_that_is_cancelled_is_lost_while_its_thread_lives() -> None:
    first, second = Bell(3600), Bell(3600)
    assert first.alarm.start()
    assert second.alarm.start()
    first.alarm.cancel()
    assert first.alarm.is_lost()
    assert not second.alarm.is_lost()
    second.alarm.cancel()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning")
def test_a_child_process_starts_alarms_that_is_forked_while_a_thread_starts_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    is_starting, may_start = threading.Event(), threading.Event()
    start = threading.Thread.start

    def start_slowly(thread: threading.Thread) -> None:
        if threading.current_thread() is other:
            is_starting.set()
            may_start.wait(10)
        start(thread)

    bell = Bell(3600)
    other = threading.Thread(target=bell.alarm.start)
    monkeypatch.setattr(threading.Thread, "start", start_slowly)
    start(other)
    is_starting.wait(10)
    soon = threading.Timer(0.05, may_start.set)
    start(soon)
    assert in_child_process(lambda: Bell(3600).alarm.start())
    other.join()
    soon.join()
    bell.alarm.cancel()


AT_EXIT = """
import atexit, threading, time
from concurrent.futures import Future
from azure.core.credentials import AccessToken
from azure.communication.identity import CommunicationTokenCredential

def valid(seconds, AccessToken=AccessToken, now=int(time.time())):
    return AccessToken("token", now + seconds)

refreshed = Future()
credential = CommunicationTokenCredential(
    {first}, token_refresher=refreshed.result, proactive_refresh={proactive}
)

class AtExit:
    def __del__(self, credential=credential, refreshed=refreshed, token=valid(3600), print=print):
        if not refreshed.done():
            refreshed.set_result(token)
        print(credential.get_token().token)

at_exit = AtExit()
{use}
"""


@pytest.mark.parametrize(
    ("first", "proactive"),
    [("None", True), ("valid(3)", True), ("valid(3600)", True), ("valid(3)", False)],
)
@pytest.mark.parametrize(
    "use",
    [
        "",
        "refreshed.set_result(valid(3600)); credential.get_token()",
        "refreshed.set_result(valid(3600)); atexit.register(credential.get_token)",
        # The thread waits for a token when the interpreter stops it.
        "threading.Thread(target=credential.get_token, daemon=True).start()",
    ],
    ids=["made", "used", "used-at-exit", "used-by-a-daemon"],
)
def test_the_interpreter_ends_and_a_destructor_gets_a_token(
    first: str, proactive: bool, use: str
) -> None:
    assert run(AT_EXIT.format(first=first, proactive=proactive, use=use)) == "token"


def test_a_lock_that_a_stopped_thread_has_does_not_hold_up_the_end_of_the_program() -> None:
    program = """
import builtins, threading
from azure.core.credentials import AccessToken
from azure.communication.identity import CommunicationTokenCredential
from azure.communication.identity._shared.refresh_timer import _STARTING

valid = AccessToken("t", 2**33)

class AtExit:
    def __del__(self, Credential=CommunicationTokenCredential, token=valid, print=print):
        with Credential(token_refresher=lambda: token, proactive_refresh=True) as credential:
            print(credential.get_token().token)

def stop():
    with _STARTING:
        has_it.set()
        threading.Event().wait()

has_it = threading.Event()
builtins.at_exit = AtExit()
threading.Thread(target=stop, daemon=True).start()
has_it.wait()
"""
    assert run(program) == "t"


def test_a_failure_in_a_destructor_is_the_documented_exception() -> None:
    program = (
        AT_EXIT.format(first="None", proactive=False, use="")
        .replace("refreshed.set_result(token)", "refreshed.set_exception(OSError())")
        .replace(
            "print(credential.get_token().token)",
            """try:
            credential.get_token()
        except Exception as error:
            print(type(error).__name__)""",
        )
    )

    assert run(program) == "ClientAuthenticationError"
