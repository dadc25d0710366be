"""When attempts of the async client are ended, and by whom."""

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from time import monotonic
from typing import Any

import aiohttp
import pytest
from transports.raw_server import RawServer, answer

from azure.communication.identity._transports._aiohttp_attempts import (
    CURRENT_ATTEMPT,
    AsyncAttempt,
    AttemptsUnderWay,
)
from azure.communication.identity._transports._aiohttp_connector import Connector
from azure.communication.identity._transports._settings import Timeouts

NO_TIMEOUTS = Timeouts(None, None)


class Loop:
    """The clock of an event loop, which a test moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], None]) -> "Timer":
        self.timers.append(Timer(when, callback))
        return self.timers[-1]

    def due(self) -> list[float]:
        return [timer.when for timer in self.timers if not timer.is_cancelled]

    def run_until(self, now: float) -> None:
        self.now = now
        for timer in [timer for timer in self.timers if timer.when <= now]:
            self.timers.remove(timer)
            if not timer.is_cancelled:
                timer.callback()


class Timer:
    def __init__(self, when: float, callback: Callable[[], None]) -> None:
        self.when, self.callback, self.is_cancelled = when, callback, False

    def cancel(self) -> None:
        self.is_cancelled = True


class Waiting(AsyncAttempt):
    """Notes that it was ended."""

    ended = False

    def cancel(self) -> None:
        self.ended = True


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def under_way(loop: Any) -> AttemptsUnderWay:
    return AttemptsUnderWay(loop)


class TestLimits:
    @pytest.fixture
    def make(self, under_way: AttemptsUnderWay) -> Callable[..., Waiting]:
        def make(seconds: float | None, deadline: float | None = None) -> Waiting:
            attempt = Waiting(under_way, NO_TIMEOUTS, deadline, False)
            under_way.add(attempt)
            attempt.limit_to(seconds)
            return attempt

        return make

    def test_each_is_ended_at_its_limit(self, loop: Loop, make: Any) -> None:
        late, early, never = make(20), make(10), make(None)
        assert loop.due() == [110]  # one timer for all
        loop.run_until(109)
        assert (early.ended, late.ended) == (False, False)
        loop.run_until(110)
        assert (early.ended, late.ended) == (True, False)
        assert loop.due() == [120]
        loop.run_until(120)
        assert (late.ended, never.ended) == (True, False)

    def test_a_later_limit_takes_the_place_of_the_earlier_one(self, loop: Loop, make: Any) -> None:
        attempt = make(10)
        attempt.limit_to(30)
        loop.run_until(110)
        assert not attempt.ended
        loop.run_until(130)
        assert attempt.ended

    def test_the_deadline_is_the_last_limit(self, loop: Loop, make: Any) -> None:
        attempt = make(None, monotonic() + 50)
        assert attempt.until == pytest.approx(150, abs=1)
        attempt.limit_to(70)
        assert attempt.until == pytest.approx(150, abs=1)
        attempt.limit_to(20)
        assert attempt.until == 120


class TestCancellation:
    @pytest.fixture
    async def attempt(self) -> AsyncAttempt:
        return AsyncAttempt(AttemptsUnderWay(asyncio.get_running_loop()), NO_TIMEOUTS, None, False)

    async def run(self, attempt: AsyncAttempt, *ends: Callable[[Any], None]) -> tuple[bool, int]:
        """Whether the attempt takes a cancellation back, and how many are left."""

        async def wait() -> tuple[bool, int]:
            attempt.begin()
            try:
                await asyncio.sleep(5)
            except asyncio.CancelledError:
                taken = attempt.uncancel()
                task: Any = asyncio.current_task()
                return taken, task.cancelling() if sys.version_info >= (3, 11) else 0
            raise AssertionError("not cancelled")

        task = asyncio.ensure_future(wait())
        await asyncio.sleep(0)
        for end in ends:
            end(task)
        return await task

    async def test_by_the_attempt(self, attempt: AsyncAttempt) -> None:
        end: Any = lambda _: attempt.cancel()  # noqa: E731
        assert await self.run(attempt, end, end) == (True, 0)  # it cancels once

    async def test_by_the_close_of_the_client(self, attempt: AsyncAttempt) -> None:
        assert await self.run(attempt, lambda _: attempt.abort()) == (True, 0)
        assert attempt.is_aborted

    async def test_by_another(self, attempt: AsyncAttempt) -> None:
        counted = int(sys.version_info >= (3, 11))
        assert await self.run(attempt, lambda task: task.cancel()) == (False, counted)

    @pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 does not count them")
    async def test_by_both(self, attempt: AsyncAttempt) -> None:
        assert await self.run(attempt, lambda _: attempt.cancel(), lambda task: task.cancel()) == (
            False,
            1,
        )

    @pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 does not count them")
    async def test_of_a_task_that_was_cancelled_before(self, attempt: AsyncAttempt) -> None:
        async def clean_up() -> tuple[bool, int]:
            try:
                await asyncio.sleep(5)
            except asyncio.CancelledError:
                attempt.begin()
                attempt.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await asyncio.sleep(5)
                task: Any = asyncio.current_task()
                return attempt.uncancel(), task.cancelling()
            raise AssertionError("not cancelled")

        task = asyncio.ensure_future(clean_up())
        await asyncio.sleep(0)
        task.cancel()
        assert await task == (True, 1)

    async def test_that_was_ignored_is_taken_back_at_the_end(self, attempt: AsyncAttempt) -> None:
        attempt.begin()
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.sleep(5)
        attempt.end()
        task: Any = asyncio.current_task()
        assert sys.version_info < (3, 11) or task.cancelling() == 0
        assert not attempt._under_way


class Recorded:
    """An attempt that keeps the limits that it gets."""

    def __init__(self, timeouts: Timeouts) -> None:
        self.timeouts = timeouts
        self.limits: list[float | None] = []
        self.is_begun = self.is_sent = False
        self.transport: Any = None
        self.sockets: list[Any] = []

    def limit_to(self, seconds: float | None) -> None:
        self.limits.append(seconds)


@pytest.mark.parametrize(
    ("connect", "read", "if_new", "if_kept"),
    [
        (1, 5, [5], []),  # the attempt has been limited to the longer one of both
        (5, 5, [5], []),
        (5, 1, [1], [1]),
        (None, 5, [5], [5]),
        (1, None, [None], [None]),
    ],
)
async def test_the_time_to_read_begins_when_there_is_a_connection(
    connect: float | None, read: float | None, if_new: Any, if_kept: Any
) -> None:
    with RawServer(answer(b"{}")) as server:
        async with aiohttp.ClientSession(connector=Connector()) as session:
            for expected in (if_new, if_kept):
                attempt: Any = Recorded(Timeouts(connect, read))
                CURRENT_ATTEMPT.set(attempt)
                async with session.get(server.url) as response:
                    await response.read()
                assert attempt.limits == expected
                assert attempt.is_sent
    assert server.connections == 1


class Connection:
    def __init__(self, is_closing: bool) -> None:
        self._is_closing = is_closing
        self.is_aborted = False

    def is_closing(self) -> bool:
        return self._is_closing

    def abort(self) -> None:
        self.is_aborted = True


@pytest.mark.parametrize("is_closing", [True, False])
def test_a_connection_is_dropped_if_aiohttp_has_closed_it_and_aborted_in_any_case(
    under_way: AttemptsUnderWay, is_closing: bool
) -> None:
    attempt: Any = AsyncAttempt(under_way, NO_TIMEOUTS, None, False)
    attempt.drop_connection()  # before there is one
    attempt.abort_connection()
    attempt.transport = Connection(is_closing)
    attempt.drop_connection()
    assert attempt.transport.is_aborted is is_closing
    attempt.abort_connection()
    assert attempt.transport.is_aborted


@pytest.mark.parametrize("is_child", [True, False])
@pytest.mark.parametrize("transport", [None, Connection(is_closing=True)])
def test_sockets_are_shut_down_but_not_those_of_the_parent_of_a_fork(
    under_way: AttemptsUnderWay,
    monkeypatch: pytest.MonkeyPatch,
    transport: Any,
    is_child: bool,
) -> None:
    attempt: Any = AsyncAttempt(under_way, NO_TIMEOUTS, None, False)
    attempt.transport = transport
    own, peer = socket.socketpair()
    closed = socket.socket()
    closed.close()
    with own, peer:
        peer.setblocking(False)
        attempt.sockets = [closed, own]
        with monkeypatch.context() as patch:
            if is_child:
                patch.setattr(os, "getpid", lambda: 1)
            attempt.drop_connection()
        if is_child:
            with pytest.raises(BlockingIOError):
                peer.recv(1)
        else:
            assert peer.recv(1) == b""
