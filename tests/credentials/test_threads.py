"""The sync credential, shared by threads."""

import gc
import os
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from azure.communication.identity._shared import token_refresh, user_credential
from azure.communication.identity._shared.token_refresh import CLOSED
from azure.communication.identity._shared.user_credential import CommunicationTokenCredential

THREADS = 200
ROUNDS = 100


class Blocked:
    """A refresher that waits until it is let go, and then goes through its outcomes."""

    def __init__(self, *outcomes: BaseException | AccessToken) -> None:
        self.calls = 0
        self.is_called = Event()
        self.go = Event()
        self._outcomes = list(outcomes)

    def __call__(self) -> AccessToken:
        self.calls += 1
        self.is_called.set()
        assert self.go.wait(10)
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


def valid(name: str = "token") -> AccessToken:
    return AccessToken(name, int(time.time()) + 3600)


def expiring() -> AccessToken:
    return AccessToken("expiring", int(time.time()) + 100)


def waiting(credential: CommunicationTokenCredential) -> int:
    refresh = credential._refresh
    return 0 if refresh is None else len(refresh._condition._waiters)  # type: ignore[attr-defined]


class Callers:
    """Threads that ask for a token all at once."""

    def __init__(self, credential: CommunicationTokenCredential, number: int) -> None:
        self.results: list[Any] = []
        self._credential = credential
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(number)]
        for thread in self._threads:
            thread.start()

    def _ask(self) -> None:
        try:
            self.results.append(self._credential.get_token().token)
        except BaseException as error:  # noqa: BLE001 - looked at by the test
            self.results.append(error)

    def join(self) -> list[Any]:
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()
        return self.results


class TestOneRefresh:
    def test_serves_all_who_wait_and_waiting_costs_nothing(
        self, wait_until: Callable[..., None]
    ) -> None:
        refresher = Blocked(valid())
        credential = CommunicationTokenCredential(AccessToken("old", 1), token_refresher=refresher)
        callers = Callers(credential, THREADS)
        wait_until(lambda: waiting(credential) == THREADS - 1)

        started, cpu = time.monotonic(), time.process_time()
        time.sleep(0.05)
        cpu, elapsed = time.process_time() - cpu, time.monotonic() - started
        refresher.go.set()

        assert callers.join() == ["token"] * THREADS
        assert refresher.calls == 1
        assert cpu / elapsed < 0.02

    def test_fails_for_all_who_wait(self, wait_until: Callable[..., None]) -> None:
        error = OSError("no network")
        refresher = Blocked(error)
        credential = CommunicationTokenCredential(token_refresher=refresher)
        callers = Callers(credential, 20)
        wait_until(lambda: waiting(credential) == 19)
        refresher.go.set()

        results = callers.join()

        assert refresher.calls == 1
        assert len(set(map(id, results))) == 20
        for result in results:
            assert isinstance(result, ClientAuthenticationError)
            assert result.__cause__ is error

    def test_is_waited_for_by_nobody_who_can_do_without(
        self, wait_until: Callable[..., None]
    ) -> None:
        refresher = Blocked(valid())
        credential = CommunicationTokenCredential(expiring(), token_refresher=refresher)
        callers = Callers(credential, 1)
        wait_until(refresher.is_called.is_set)

        assert credential.get_token().token == "expiring"
        refresher.go.set()
        assert callers.join() == ["token"]
        assert credential.get_token().token == "token"
        assert refresher.calls == 1

    def test_that_is_interrupted_is_taken_over(self, wait_until: Callable[..., None]) -> None:
        interrupt = KeyboardInterrupt()
        refresher = Blocked(interrupt, valid())
        credential = CommunicationTokenCredential(token_refresher=refresher)
        callers = Callers(credential, 20)
        wait_until(lambda: waiting(credential) == 19)
        refresher.go.set()

        results = callers.join()

        assert results.count(interrupt) == 1
        assert results.count("token") == 19
        assert refresher.calls == 2

    def test_that_asks_its_own_credential_is_told_so(self) -> None:
        credential: CommunicationTokenCredential

        def refresher() -> AccessToken:
            return credential.get_token()

        credential = CommunicationTokenCredential(token_refresher=refresher)

        with pytest.raises(ClientAuthenticationError) as caught:
            credential.get_token()
        assert isinstance(caught.value.__cause__, RuntimeError)
        assert "would wait for itself" in str(caught.value.__cause__)

    def test_may_ask_its_own_credential_for_a_token_that_is_valid(self) -> None:
        credential: CommunicationTokenCredential

        def refresher() -> AccessToken:
            return valid("after " + credential.get_token().token)

        credential = CommunicationTokenCredential(expiring(), token_refresher=refresher)

        assert credential.get_token().token == "after expiring"


class TestRaces:
    def test_of_those_who_find_an_expired_token(self) -> None:
        number = 8
        barrier = Barrier(number)
        calls: list[int] = []

        def refresher() -> AccessToken:
            calls.append(1)
            return valid()

        def ask(credential: CommunicationTokenCredential) -> str:
            barrier.wait(10)
            return credential.get_token().token

        with ThreadPoolExecutor(number) as pool:
            for round_ in range(1, ROUNDS + 1):
                credential = CommunicationTokenCredential(
                    AccessToken("old", 1), token_refresher=refresher
                )
                assert set(pool.map(ask, [credential] * number)) == {"token"}
                assert len(calls) == round_

    def test_of_timer_caller_and_close(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(token_refresh, "_SHORTEST_DELAY", 0.0001)
        barrier = Barrier(3)

        def ask(credential: CommunicationTokenCredential) -> object:
            barrier.wait(10)
            try:
                return credential.get_token().token
            except RuntimeError as error:
                return str(error)

        def close(credential: CommunicationTokenCredential) -> None:
            barrier.wait(10)
            credential.close()

        before = threading.active_count()
        with ThreadPoolExecutor(3) as pool:
            for _ in range(ROUNDS):
                credential = CommunicationTokenCredential(
                    AccessToken("old", 1), token_refresher=valid, proactive_refresh=True
                )
                asked = [pool.submit(ask, credential) for _ in range(2)]
                closed = pool.submit(close, credential)
                for future in asked:
                    assert future.result(10) in ("token", CLOSED)
                closed.result(10)
                assert credential._alarm is None
        self._no_more_than(before)

    def test_of_a_refresh_that_ends_while_another_one_begins(self) -> None:
        # A thread that found the token to be due takes the lock only after the refresh has ended.
        calls = []

        def refresher() -> AccessToken:
            calls.append(1)
            return valid()

        class Slow(CommunicationTokenCredential):
            def _lead_or_follow(self) -> Any:
                if not calls:
                    calls.append(0)
                    assert self.get_token().token == "token"
                return super()._lead_or_follow()

        credential = Slow(token_refresher=refresher)

        assert credential.get_token().token == "token"
        assert calls == [0, 1]

    def _no_more_than(self, number: int) -> None:
        deadline = time.monotonic() + 10
        while threading.active_count() > number:
            assert time.monotonic() < deadline
            time.sleep(0.001)


class TestTimer:
    @pytest.fixture(autouse=True)
    def fast(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(token_refresh, "_SHORTEST_DELAY", 0.01)

    def make(self, refresher: Any, token: AccessToken | None = None) -> Any:
        return CommunicationTokenCredential(
            token, token_refresher=refresher, proactive_refresh=True
        )

    def alarm_of(self, credential: CommunicationTokenCredential) -> threading.Thread:
        alarm = credential._alarm
        assert alarm is not None
        assert alarm.daemon
        assert alarm.is_alive()
        return alarm

    def test_refreshes_when_nobody_asks(self, wait_until: Callable[..., None]) -> None:
        refresher = Blocked(OSError(), valid())
        refresher.go.set()
        with self.make(refresher) as credential:
            wait_until(lambda: credential._timer and credential._timer.interval > 2900)

            assert refresher.calls == 2
            assert credential.get_token().token == "token"

    @pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
    def test_goes_on_after_the_thread_was_ended(self, wait_until: Callable[..., None]) -> None:
        refresher = Blocked(SystemExit(), valid())
        refresher.go.set()
        with self.make(refresher) as credential:
            wait_until(lambda: credential._keeper.fresh())

    def test_idles_without_cpu(self) -> None:
        with self.make(valid, valid()):
            started, cpu = time.monotonic(), time.process_time()
            time.sleep(0.05)
            cpu, elapsed = time.process_time() - cpu, time.monotonic() - started

        assert cpu / elapsed < 0.02

    def test_ends_with_close(self) -> None:
        credential = self.make(valid, valid())
        alarm = self.alarm_of(credential)
        credential.close()

        assert not alarm.is_alive()

    def test_whose_refresh_is_under_way_does_not_hold_up_close(
        self, wait_until: Callable[..., None]
    ) -> None:
        refresher = Blocked(valid())
        credential = self.make(refresher)
        alarm = self.alarm_of(credential)
        wait_until(refresher.is_called.is_set)
        credential.close()

        assert alarm.is_alive()
        refresher.go.set()
        alarm.join(10)
        assert not alarm.is_alive()
        assert credential._alarm is None

    def test_may_close_its_own_credential(self, wait_until: Callable[..., None]) -> None:
        def refresher() -> AccessToken:
            credential.close()
            return valid()

        credential = self.make(refresher)
        alarm = self.alarm_of(credential)
        alarm.join(10)

        assert not alarm.is_alive()

    def test_and_caller_share_a_refresh(self, wait_until: Callable[..., None]) -> None:
        refresher = Blocked(valid())
        with self.make(refresher) as credential:
            wait_until(refresher.is_called.is_set)
            callers = Callers(credential, 3)
            wait_until(lambda: waiting(credential) == 3)
            refresher.go.set()

            assert callers.join() == ["token"] * 3
            assert refresher.calls == 1

    def test_leaves_a_refresh_that_is_under_way_alone(
        self, wait_until: Callable[..., None]
    ) -> None:
        refresher = Blocked(valid())
        with self.make(refresher) as credential:
            alarm = self.alarm_of(credential)
            callers = Callers(credential, 1)
            wait_until(refresher.is_called.is_set)
            alarm.join(10)
            refresher.go.set()

            assert callers.join() == ["token"]
            assert refresher.calls == 1
            assert self.alarm_of(credential) is not alarm

    def test_does_not_keep_its_credential_alive(self) -> None:
        credential = self.make(valid, valid())
        alarm, reference = self.alarm_of(credential), weakref.ref(credential)
        del credential
        gc.collect()

        assert reference() is None
        alarm.join(10)
        assert not alarm.is_alive()

    def test_finds_its_credential_gone(self) -> None:
        alarm = user_credential._Alarm(0.001, lambda: None)  # type: ignore[arg-type]
        alarm.run()

    def test_that_cannot_start_is_set_at_the_next_call(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def no_more_threads(self: object) -> None:
            raise RuntimeError("can't start new thread")

        with monkeypatch.context() as patch:
            patch.setattr(user_credential._Alarm, "start", no_more_threads)
            credential = self.make(valid, valid("first"))
            assert credential.get_token().token == "first"
            assert credential._alarm is None

        with credential:
            assert credential.get_token().token == "first"
            self.alarm_of(credential)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning")
class TestFork:
    def in_child(self, check: Callable[[], bool]) -> None:
        pid = os.fork()
        if pid == 0:
            self.exit(check)
        self.join(pid)

    def exit(self, check: Callable[[], bool]) -> None:
        is_good = False
        try:
            is_good = check()
        finally:
            os._exit(0 if is_good else 1)

    def join(self, pid: int) -> None:
        deadline = time.monotonic() + 10
        while True:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                break
            if time.monotonic() > deadline:
                os.kill(pid, 9)
                os.waitpid(pid, 0)
                pytest.fail("the child hangs")
            time.sleep(0.005)
        assert os.waitstatus_to_exitcode(status) == 0

    def test_the_child_sets_its_own_timer_at_the_next_use(self) -> None:
        with CommunicationTokenCredential(
            valid("first"), token_refresher=valid, proactive_refresh=True
        ) as credential:
            alarm = credential._alarm

            def check() -> bool:
                if credential._alarm is not None or credential.get_token().token != "first":
                    return False
                child_alarm = credential._alarm
                return child_alarm is not alarm and child_alarm is not None

            self.in_child(check)
            assert credential._alarm is alarm

    def test_the_child_waits_neither_for_a_refresh_nor_for_a_lock_of_the_parent(
        self, wait_until: Callable[..., None]
    ) -> None:
        refresher = Blocked(valid("parent"))
        credential = CommunicationTokenCredential(token_refresher=refresher)
        callers = Callers(credential, 2)
        wait_until(lambda: waiting(credential) == 1)

        def check() -> bool:
            credential._refresher = lambda: valid("child")
            return credential.get_token().token == "child"

        with credential._lock:
            self.in_child(check)
        refresher.go.set()
        assert callers.join() == ["parent"] * 2

    def test_what_the_child_forgets(self) -> None:
        # In this process, where the timer of the parent is still there to be looked at.
        with CommunicationTokenCredential(
            valid("first"), token_refresher=valid, proactive_refresh=True
        ) as credential:
            alarm, lock = credential._alarm, credential._lock
            assert alarm is not None
            user_credential._forget_threads_of_parent()

            assert credential._alarm is None
            assert credential._lock is not lock
            assert credential.get_token().token == "first"
            assert credential._alarm is not alarm
            alarm.cancel()

    def test_the_child_of_a_refresher_does_not_end_what_is_not_its_own(self) -> None:
        def refresher() -> AccessToken:
            credential._forget_threads()
            credential._refresh = other
            return valid()

        credential = CommunicationTokenCredential(token_refresher=refresher)
        other = user_credential._Refresh()

        assert credential.get_token().token == "token"
        assert credential._refresh is other

    def test_a_refresher_may_fork(self) -> None:
        pids = []

        def refresher() -> AccessToken:
            pids.append(os.fork())
            return valid("child" if pids == [0] else "parent")

        credential = CommunicationTokenCredential(token_refresher=refresher)
        served = credential.get_token().token
        if pids == [0]:
            self.exit(lambda: served == "child" and credential.get_token().token == "child")

        assert served == "parent"
        assert credential.get_token().token == "parent"
        self.join(pids[0])
