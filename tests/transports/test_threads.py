"""Calls in a thread that is waited for until a deadline."""

import gc
import threading
import time
import weakref
from collections.abc import Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any

import pytest
from fresh_process import run

from azure.communication.identity._transports._threads import call_in_thread

PATIENCE = 5.0


class LateError(Exception):
    """The deadline has passed."""


def call(function: Any, seconds: float = PATIENCE, **options: Any) -> Any:
    return call_in_thread("test", function, seconds, LateError, **options)


@pytest.fixture
def go_on() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_the_result_comes_from_another_thread() -> None:
    thread = call(threading.current_thread)
    assert thread is not threading.current_thread()
    assert thread.daemon, "it would hold up the end of the program"


def test_a_process_that_has_no_thread_left_calls_it_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_more_threads(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_more_threads)
    assert call(threading.current_thread) is threading.current_thread()


def test_a_destructor_at_the_end_of_the_program_calls_it_itself() -> None:
    # Python 3.10 and 3.11 would wait for a thread that never runs.
    program = """
import threading
from azure.communication.identity._transports._threads import call_in_thread

class AtExit:
    def __del__(self, call=call_in_thread, ident=threading.get_ident, print=print):
        print(call("test", ident, 5.0, TimeoutError) == ident())

at_exit = AtExit()
"""
    assert run(program) == "True"


@pytest.mark.parametrize("kind", [ValueError, TimeoutError, FutureTimeoutError, SystemExit])
def test_an_exception_is_raised_here(kind: type[BaseException]) -> None:
    def fail() -> None:
        raise kind("its own")

    with pytest.raises(kind, match="its own"):
        call(fail)


def test_a_result_after_the_deadline_is_cleaned_up(go_on: threading.Event) -> None:
    is_clean = threading.Event()
    with pytest.raises(LateError):
        call(lambda: go_on.wait(PATIENCE), 0.01, clean_up=is_clean.set)
    assert not is_clean.is_set()
    go_on.set()
    assert is_clean.wait(PATIENCE)


def test_a_result_that_nobody_waits_for_any_more_is_cleaned_up(
    go_on: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(future: Any, timeout: float) -> None:
        raise KeyboardInterrupt

    is_clean = threading.Event()
    monkeypatch.setattr(Future, "result", interrupted)
    with pytest.raises(KeyboardInterrupt):
        call(lambda: go_on.wait(PATIENCE), clean_up=is_clean.set)
    go_on.set()
    assert is_clean.wait(PATIENCE)


def test_a_result_at_the_last_moment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The function ends between the end of the wait and the decision to give up."""
    result = Future.result

    def late(future: Any, timeout: float | None = None) -> Any:
        found = result(future)
        if timeout is not None:
            raise FutureTimeoutError
        return found

    monkeypatch.setattr(Future, "result", late)
    assert call(lambda: 7, clean_up=lambda: pytest.fail("it has been handed over")) == 7


def test_an_exception_is_not_left_to_the_garbage_collector() -> None:
    """Its traceback has the variables of the caller, which may be secrets."""

    class Secret:
        pass

    found: list[weakref.ref[Secret]] = []

    def fail() -> None:
        secret = Secret()
        found.append(weakref.ref(secret))
        raise ValueError

    gc.disable()
    try:
        with pytest.raises(ValueError, match=r"^$"):
            call(fail)
        deadline = time.monotonic() + PATIENCE
        while found[0]() is not None and time.monotonic() < deadline:
            time.sleep(0.001)
        assert found[0]() is None
    finally:
        gc.enable()
