"""The sync credential, shared by threads."""

import gc
import logging
import os
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from threading import Barrier, Event
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from credentials.support import exit_code, in_child_process

from azure.communication.identity._shared import thread_refresh, token_refresh
from azure.communication.identity._shared.token_refresh import CLOSED, CREDENTIAL_CLOSED
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
    return len(credential._refresh._bells)


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
        assert cpu / elapsed < 0.2  # a busy loop takes all of it

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

    def test_ends_for_those_who_wait_when_the_credential_is_closed(
        self, wait_until: Callable[..., None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(thread_refresh, "_LONGEST_WAIT", 3600)  # they are woken
        refresher = Blocked(valid(), valid("other"))
        credential = CommunicationTokenCredential(token_refresher=refresher)
        leader = Callers(credential, 1)
        wait_until(refresher.is_called.is_set)
        followers = Callers(credential, 5)
        wait_until(lambda: waiting(credential) == 5)
        credential.close()

        for result in followers.join():
            assert isinstance(result, RuntimeError)
            assert str(result) == CLOSED
        # It does not refresh ahead of need, and may be used.
        late = Callers(credential, 1)
        wait_until(lambda: refresher.calls == 2)
        refresher.go.set()
        assert {*leader.join(), *late.join()} == {"token", "other"}

    def test_asked_from_a_thread_of_the_same_context_is_told_so(self) -> None:
        def refresher() -> AccessToken:
            context = copy_context()  # as asyncio.to_thread does
            with ThreadPoolExecutor(1) as pool:
                return pool.submit(context.run, credential.get_token).result(10)

        credential = CommunicationTokenCredential(token_refresher=refresher)

        with pytest.raises(ClientAuthenticationError) as caught:
            credential.get_token()
        assert "would wait for itself" in str(caught.value.__cause__)

    def test_asked_by_a_handler_of_the_log_is_told_of_the_failure(self) -> None:
        class Handler(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                try:
                    credential.get_token()
                except (RuntimeError, ClientAuthenticationError) as error:
                    told.append(type(error))

        def refresher() -> AccessToken:
            raise OSError

        told: list[type[Exception]] = []
        handler = Handler()
        logger = logging.getLogger(token_refresh.__name__)
        logger.addHandler(handler)
        credential = CommunicationTokenCredential(token_refresher=refresher)
        try:
            (result,) = Callers(credential, 1).join()
        finally:
            logger.removeHandler(handler)
        assert isinstance(result, ClientAuthenticationError)
        assert told == [ClientAuthenticationError]


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
        self._no_more_than(before)

    def test_of_a_refresh_that_ends_while_another_one_begins(self) -> None:
        # A thread that found the token due continues only after another one has refreshed it.
        calls = []

        def refresher() -> AccessToken:
            calls.append(1)
            return valid()

        class Slow(CommunicationTokenCredential):
            def _lead_or_follow(self, own: Any) -> Any:
                if not calls:
                    calls.append(0)
                    assert self.get_token().token == "token"
                return super()._lead_or_follow(own)

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
            wait_until(lambda: refresher.calls == 2)
            assert credential.get_token().token == "token"

    def test_idles_without_cpu(self) -> None:
        with self.make(valid, valid()):
            started, cpu = time.monotonic(), time.process_time()
            time.sleep(0.05)
            cpu, elapsed = time.process_time() - cpu, time.monotonic() - started

        assert cpu / elapsed < 0.2  # a busy loop takes all of it

    def test_whose_refresh_is_under_way_does_not_hold_up_close(
        self, wait_until: Callable[..., None]
    ) -> None:
        refresher = Blocked(valid())
        credential = self.make(refresher)
        wait_until(refresher.is_called.is_set)
        credential.close()
        assert not refresher.go.is_set()
        assert credential._refresh.outcome is CREDENTIAL_CLOSED
        refresher.go.set()

        with pytest.raises(RuntimeError):
            credential.get_token()

    def test_may_close_its_own_credential(self, wait_until: Callable[..., None]) -> None:
        def refresher() -> AccessToken:
            credential.close()
            is_called.set()
            return valid()

        is_called = Event()
        credential = self.make(refresher)
        wait_until(is_called.is_set)

    def test_and_caller_share_a_refresh(self, wait_until: Callable[..., None]) -> None:
        refresher = Blocked(valid())
        with self.make(refresher) as credential:
            wait_until(refresher.is_called.is_set)
            callers = Callers(credential, 3)
            wait_until(lambda: waiting(credential) == 3)
            refresher.go.set()

            assert callers.join() == ["token"] * 3
            assert refresher.calls == 1

    def test_needs_no_more_threads_while_a_refresh_hangs(
        self, wait_until: Callable[..., None]
    ) -> None:
        refresher = Blocked(valid())
        with self.make(refresher) as credential:
            wait_until(refresher.is_called.is_set)
            callers = []
            for _ in range(10):
                callers.append(Callers(credential, 1))
                time.sleep(0.03)  # longer than the delay of a timer
            names = [thread.name for thread in threading.enumerate()]
            refresher.go.set()

            assert [caller.join() for caller in callers] == [["token"]] * 10
        assert names.count("CommunicationTokenCredential") <= 2

    def test_waits_for_a_refresh_that_is_under_way(self, wait_until: Callable[..., None]) -> None:
        refresher = Blocked(valid())
        with self.make(refresher) as credential:
            callers = Callers(credential, 1)
            wait_until(refresher.is_called.is_set)
            wait_until(lambda: waiting(credential) == 1)
            refresher.go.set()

            assert callers.join() == ["token"]
            assert refresher.calls == 1
            wait_until(lambda: credential._alarm.interval > 2900)

    def test_does_not_keep_its_credential_alive(self) -> None:
        reference = weakref.ref(self.make(valid, valid()))
        gc.collect()

        assert reference() is None

    def test_that_cannot_start_is_set_at_the_next_call(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def no_more_threads(self: object) -> None:
            raise RuntimeError("can't start new thread")

        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", no_more_threads)
            credential = self.make(valid, valid("first"))
            assert credential.get_token().token == "first"
            alarms = [credential._alarm]

        with credential:
            assert credential.get_token().token == "first"
            alarms.append(credential._alarm)
            assert alarms[0] is None
            assert alarms[1] is not None
            assert not alarms[1].is_lost()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork.*:DeprecationWarning")
class TestFork:
    def test_the_child_sets_its_own_timer_at_the_next_use(self) -> None:
        with CommunicationTokenCredential(
            valid("first"), token_refresher=valid, proactive_refresh=True
        ) as credential:
            alarm = credential._alarm
            assert alarm is not None

            def check() -> bool:
                was_lost = alarm.is_lost()
                return (
                    was_lost
                    and credential.get_token().token == "first"
                    and credential._alarm is not None
                    and not credential._alarm.is_lost()
                )

            assert in_child_process(check)
            assert credential._alarm is alarm
            assert not alarm.is_lost()

    def test_the_timer_of_the_child_goes_off(self, monkeypatch: pytest.MonkeyPatch) -> None:
        is_called = Event()

        def refresher() -> AccessToken:
            is_called.set()
            return valid()

        with CommunicationTokenCredential(
            valid("first"), token_refresher=refresher, proactive_refresh=True
        ) as credential:

            def check() -> bool:
                monkeypatch.setattr(token_refresh, "_PROACTIVE_MARGIN", 4000)
                credential._keeper.take(AccessToken("short", int(time.time()) + 2))
                credential.get_token()
                return is_called.wait(10)

            assert in_child_process(check)
            assert not is_called.is_set()

    def test_the_child_does_not_wait_for_a_refresh_of_the_parent(
        self, wait_until: Callable[..., None]
    ) -> None:
        refresher = Blocked(valid("parent"))
        credential = CommunicationTokenCredential(token_refresher=refresher)
        callers = Callers(credential, 2)
        wait_until(lambda: waiting(credential) == 1)

        def check() -> bool:
            credential._refresher = lambda: valid("child")
            return credential.get_token().token == "child"

        assert in_child_process(check)
        refresher.go.set()
        assert callers.join() == ["parent"] * 2

    def test_a_refresher_may_fork(self) -> None:
        pids = []

        def refresher() -> AccessToken:
            pids.append(os.fork())
            return valid("child" if pids == [0] else "parent")

        credential = CommunicationTokenCredential(token_refresher=refresher)
        served = credential.get_token().token
        if pids == [0]:
            os._exit(0 if served == credential.get_token().token == "child" else 1)

        assert served == "parent"
        assert credential.get_token().token == "parent"
        assert exit_code(pids[0]) == 0
