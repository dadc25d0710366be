"""The async credential, shared by tasks and used in one event loop after the other."""

import asyncio
import gc
import logging
import subprocess
import sys
import textwrap
import threading
import time
import weakref
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from azure.communication.identity._shared import token_refresh
from azure.communication.identity._shared.user_credential_async import (
    CommunicationTokenCredential,
)

TASKS = 2000
ROUNDS = 100


class Blocked:
    """A refresher that waits until it is let go, and then goes through its outcomes."""

    def __init__(self, *outcomes: BaseException | AccessToken) -> None:
        self.calls = 0
        self.cancelled = 0
        self.is_called = asyncio.Event()
        self.go = asyncio.Event()
        self._outcomes = list(outcomes)

    async def __call__(self) -> AccessToken:
        self.calls += 1
        self.is_called.set()
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


class Lag:
    """The longest time for which the event loop did nothing but one thing."""

    longest = 0.0

    async def __aenter__(self) -> "Lag":
        self._task = asyncio.create_task(self._measure())
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _measure(self) -> None:
        while True:
            started = time.perf_counter()
            await asyncio.sleep(0.001)
            self.longest = max(self.longest, time.perf_counter() - started - 0.001)


def valid(name: str = "token") -> AccessToken:
    return AccessToken(name, int(time.time()) + 3600)


def expiring() -> AccessToken:
    return AccessToken("expiring", int(time.time()) + 100)


async def valid_soon() -> AccessToken:
    await asyncio.sleep(0)
    return valid()


def ask(credential: CommunicationTokenCredential, number: int) -> list["asyncio.Task[AccessToken]"]:
    return [asyncio.create_task(credential.get_token()) for _ in range(number)]


async def until(condition: Callable[[], object]) -> None:
    async def poll() -> None:
        while not condition():  # noqa: ASYNC110 - not everything that is waited for is an event
            await asyncio.sleep(0.001)

    await asyncio.wait_for(poll(), 10)


@pytest.fixture(autouse=True)
def no_task_is_left(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    gc.collect()
    # "Task was destroyed but it is pending", and exceptions that were never retrieved.
    assert [record for record in caplog.records if record.name == "asyncio"] == []


class TestOneRefresh:
    async def test_serves_all_who_wait_and_waiting_costs_nothing(self) -> None:
        refresher = Blocked(valid())
        credential = CommunicationTokenCredential(AccessToken("old", 1), token_refresher=refresher)
        callers = ask(credential, TASKS)
        await refresher.is_called.wait()
        await asyncio.sleep(0)

        started, cpu = time.monotonic(), time.process_time()
        await asyncio.sleep(0.05)
        cpu, elapsed = time.process_time() - cpu, time.monotonic() - started
        refresher.go.set()
        tokens = await asyncio.gather(*callers)

        assert [token.token for token in tokens] == ["token"] * TASKS
        assert refresher.calls == 1
        assert cpu / elapsed < 0.02

    async def test_leaves_the_loop_responsive(self) -> None:
        lags: list[float] = []
        # A loop that is blocked lags each time, a busy machine now and then.
        while len(lags) < 5 and (not lags or min(lags) >= 0.05):
            refresher = Blocked(valid())
            credential = CommunicationTokenCredential(token_refresher=refresher)
            callers = ask(credential, TASKS)
            async with Lag() as lag:
                await refresher.is_called.wait()
                await asyncio.sleep(0.02)
                refresher.go.set()
                await asyncio.gather(*callers)
            lags.append(lag.longest)

        assert 0 < min(lags) < 0.05

    async def test_fails_for_all_who_wait(self) -> None:
        error = OSError("no network")
        refresher = Blocked(error)
        refresher.go.set()
        credential = CommunicationTokenCredential(token_refresher=refresher)

        results = await asyncio.gather(*ask(credential, 20), return_exceptions=True)

        assert refresher.calls == 1
        assert len(set(map(id, results))) == 20
        for result in results:
            assert isinstance(result, ClientAuthenticationError)
            assert result.__cause__ is error

    async def test_is_waited_for_by_nobody_who_can_do_without(self) -> None:
        refresher = Blocked(valid())
        credential = CommunicationTokenCredential(expiring(), token_refresher=refresher)
        callers = ask(credential, 1)
        await refresher.is_called.wait()

        assert (await credential.get_token()).token == "expiring"
        refresher.go.set()
        assert [token.token for token in await asyncio.gather(*callers)] == ["token"]
        assert (await credential.get_token()).token == "token"
        assert refresher.calls == 1

    async def test_is_not_cancelled_with_those_who_wait(self) -> None:
        refresher = Blocked(valid())
        credential = CommunicationTokenCredential(token_refresher=refresher)
        first, *others = ask(credential, 20)
        await refresher.is_called.wait()
        for caller in (first, *others[:9]):
            caller.cancel()
        await asyncio.wait([first, *others[:9]])
        assert not others[9].done()
        refresher.go.set()

        assert {(await caller).token for caller in others[9:]} == {"token"}
        assert all(caller.cancelled() for caller in (first, *others[:9]))
        assert (refresher.calls, refresher.cancelled) == (1, 0)

    async def test_ends_well_when_nobody_waits_any_more(self) -> None:
        now = [time.time()]
        refresher = Blocked(OSError("no network"), valid())
        credential = CommunicationTokenCredential(token_refresher=refresher, clock=lambda: now[0])
        for _ in range(2):
            refresher.is_called.clear()
            (caller,) = ask(credential, 1)
            await refresher.is_called.wait()
            caller.cancel()
            await asyncio.wait([caller])
            refresher.go.set()
            await until(lambda: credential._refresh is not None and credential._refresh.is_over)
            now[0] += 1  # the pause after a failure

        assert (await credential.get_token()).token == "token"
        assert refresher.calls == 2

    async def test_that_is_cancelled_within_is_a_failure(self) -> None:
        refresher = Blocked(asyncio.CancelledError(), valid())
        refresher.go.set()
        credential = CommunicationTokenCredential(token_refresher=refresher)

        results = await asyncio.gather(*ask(credential, 3), return_exceptions=True)

        for result in results:
            assert isinstance(result, ClientAuthenticationError)
            assert "cancelled" in str(result)
        assert (await credential.get_token()).token == "token"

    async def test_that_is_cancelled_within_leaves_a_valid_token(self, caplog: Any) -> None:
        refresher = Blocked(asyncio.CancelledError())
        refresher.go.set()
        credential = CommunicationTokenCredential(expiring(), token_refresher=refresher)

        with caplog.at_level(logging.INFO):
            for _ in range(3):
                assert (await credential.get_token()).token == "expiring"
        assert refresher.calls == 1
        assert "The refresh of the token was cancelled. The token is valid for" in caplog.text

    async def test_asked_by_a_task_of_its_own_is_told_so(self) -> None:
        async def refresher() -> AccessToken:
            return await asyncio.create_task(credential.get_token())

        credential = CommunicationTokenCredential(token_refresher=refresher)

        with pytest.raises(ClientAuthenticationError) as caught:
            await credential.get_token()
        assert "would wait for itself" in str(caught.value.__cause__)

    async def test_cancelled_before_it_begins_leaves_no_caller_behind(self) -> None:
        credential = CommunicationTokenCredential(token_refresher=valid_soon)
        (caller,) = ask(credential, 1)
        await asyncio.sleep(0)
        for task in asyncio.all_tasks() - {caller, asyncio.current_task()}:
            task.cancel()

        with pytest.raises(ClientAuthenticationError, match="cancelled"):
            await asyncio.wait_for(caller, 10)
        assert (await credential.get_token()).token == "token"

    @pytest.mark.skipif(sys.version_info < (3, 12), reason="asyncio has no eager tasks")
    async def test_in_an_eager_task(self) -> None:
        async def reentering() -> AccessToken:
            return await credential.get_token()

        asyncio.get_running_loop().set_task_factory(
            asyncio.eager_task_factory  # type: ignore[attr-defined,unused-ignore]
        )
        for refresher in (valid_soon, Blocked(valid())):
            if isinstance(refresher, Blocked):
                refresher.go.set()
            credential = CommunicationTokenCredential(token_refresher=refresher)
            callers = ask(credential, 3)
            assert {(await caller).token for caller in callers} == {"token"}

        credential = CommunicationTokenCredential(token_refresher=reentering)
        with pytest.raises(ClientAuthenticationError) as caught:
            await credential.get_token()
        assert "would wait for itself" in str(caught.value.__cause__)

    @pytest.mark.parametrize("kind", [KeyboardInterrupt, RuntimeError])
    def test_interrupted_as_it_starts_leaves_no_caller_behind(
        self, kind: type[BaseException]
    ) -> None:
        """Like an exception of a signal handler, after which the loop may continue."""

        class Loop(asyncio.SelectorEventLoop):
            is_interrupted = False

            def create_task(self, coro: Any, **kwargs: Any) -> Any:
                if not self.is_interrupted and "_run" in coro.__qualname__:
                    self.is_interrupted = True
                    coro.close()
                    raise kind
                return super().create_task(coro, **kwargs)

        async def use() -> str:
            with pytest.raises(kind):
                await credential.get_token()
            return (await asyncio.wait_for(credential.get_token(), 10)).token

        credential = CommunicationTokenCredential(token_refresher=valid_soon)
        loop = Loop()
        try:
            assert loop.run_until_complete(use()) == "token"
            assert loop.is_interrupted
        finally:
            loop.close()

    async def test_takes_a_future(self) -> None:
        def refresher() -> Awaitable[AccessToken]:
            future: asyncio.Future[AccessToken] = asyncio.get_running_loop().create_future()
            future.set_result(valid())
            return future

        credential = CommunicationTokenCredential(token_refresher=refresher)

        assert (await credential.get_token()).token == "token"


class TestRaces:
    async def test_of_those_who_find_an_expired_token(self) -> None:
        calls = []

        async def refresher() -> AccessToken:
            calls.append(1)
            await asyncio.sleep(0)
            return valid()

        for round_ in range(1, ROUNDS + 1):
            credential = CommunicationTokenCredential(
                AccessToken("old", 1), token_refresher=refresher
            )
            tokens = await asyncio.gather(*ask(credential, 8))
            assert {token.token for token in tokens} == {"token"}
            assert len(calls) == round_

    async def test_of_callers_cancellation_and_close(self) -> None:
        for round_ in range(ROUNDS):
            credential = CommunicationTokenCredential(
                AccessToken("old", 1), token_refresher=valid_soon, proactive_refresh=True
            )
            callers = ask(credential, 6)
            for _ in range(round_ % 7):
                await asyncio.sleep(0)
            callers[round_ % 6].cancel()
            await credential.close()
            results = await asyncio.gather(*callers, return_exceptions=True)

            for result in results:
                assert isinstance(result, AccessToken | RuntimeError | asyncio.CancelledError)
            assert asyncio.all_tasks() == {asyncio.current_task()}

    def test_of_loops_in_threads(self) -> None:
        credential = CommunicationTokenCredential(token_refresher=valid_soon)
        barrier = threading.Barrier(4)
        tokens = []

        async def use() -> None:
            for _ in range(ROUNDS):
                barrier.wait(10)
                credential._keeper.take(expiring())
                tokens.extend(await asyncio.gather(*ask(credential, 4)))

        threads = [threading.Thread(target=asyncio.run, args=[use()]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert len(tokens) == 4 * 4 * ROUNDS


class TestLoops:
    def test_it_is_made_without_one_and_used_in_one_after_the_other(self) -> None:
        credential = CommunicationTokenCredential(
            token_refresher=valid_soon, proactive_refresh=True
        )

        async def use() -> tuple[str, Any]:
            token = (await credential.get_token()).token
            return token, credential._timer

        (first, timer), (second, other) = asyncio.run(use()), asyncio.run(use())
        assert (first, second) == ("token", "token")
        assert timer is not other
        asyncio.run(credential.close())

    def test_a_refresh_that_died_with_its_loop_is_not_waited_for(self) -> None:
        async def use(refresher: Any) -> str:
            credential._refresher = refresher
            return (await asyncio.wait_for(credential.get_token(), 0.01)).token

        async def hang() -> AccessToken:
            await asyncio.Event().wait()
            return valid()

        credential = CommunicationTokenCredential(token_refresher=hang)
        with pytest.raises(asyncio.TimeoutError):
            asyncio.run(use(hang))
        assert asyncio.run(use(valid_soon)) == "token"

    def test_the_timer_moves_to_the_loop_that_runs(self) -> None:
        async def use() -> Any:
            await credential.get_token()
            return credential._timer

        credential = CommunicationTokenCredential(
            valid(), token_refresher=valid_soon, proactive_refresh=True
        )
        # Stopped, and not closed.
        stopped, running = asyncio.new_event_loop(), asyncio.new_event_loop()
        first, second = stopped.run_until_complete(use()), running.run_until_complete(use())
        assert (first._loop, second._loop) == (stopped, running)
        running.run_until_complete(credential.close())
        stopped.close()
        running.close()

    def test_a_refresh_of_another_loop_is_not_awaited(self) -> None:
        credential = CommunicationTokenCredential(token_refresher=valid_soon)

        async def other() -> str:
            return (await credential.get_token()).token

        async def main() -> None:
            refresher = Blocked(valid("main"))
            credential._refresher = refresher
            (caller,) = ask(credential, 1)
            await refresher.is_called.wait()
            credential._refresher = valid_soon
            assert await asyncio.to_thread(asyncio.run, other()) == "token"
            refresher.go.set()
            assert (await caller).token == "main"

        asyncio.run(main())


class TestOtherLibraries:
    """Where no event loop of asyncio runs, as under trio."""

    @pytest.mark.parametrize("proactive", [False, True])
    @pytest.mark.parametrize("first", [None, valid()])
    def test_a_refresher_needs_asyncio(self, proactive: bool, first: AccessToken | None) -> None:
        credential = CommunicationTokenCredential(
            first, token_refresher=valid_soon, proactive_refresh=proactive
        )
        for call in (credential.get_token, credential.get_token_info, credential.__aenter__):
            if call == credential.__aenter__ and not proactive:
                continue
            coroutine: Any = call()
            with pytest.raises(RuntimeError, match=r"asyncio event loop.* Under trio, use"):
                coroutine.send(None)
        gc.collect()  # a coroutine that was never awaited is a warning

    def test_a_token_alone_does_not(self) -> None:
        with pytest.raises(StopIteration) as stopped:
            CommunicationTokenCredential(valid()).get_token().send(None)
        assert stopped.value.value.token == "token"

    def test_the_first_sentence_says_so(self) -> None:
        first, _, _ = str(CommunicationTokenCredential.__doc__).partition(".")

        assert "asyncio" in first
        assert "not on trio" in first

    def test_anyio_on_asyncio_works(self) -> None:
        async def use() -> set[str]:
            credential = CommunicationTokenCredential(token_refresher=valid_soon)
            tokens: set[str] = set()

            async def get() -> None:
                tokens.add((await credential.get_token()).token)

            async with anyio.create_task_group() as group:
                for _ in range(5):
                    group.start_soon(get)
            return tokens

        assert anyio.run(use, backend="asyncio") == {"token"}


class TestTimer:
    @pytest.fixture(autouse=True)
    def fast(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(token_refresh, "_SHORTEST_DELAY", 0.01)

    def make(self, refresher: Any, token: AccessToken | None = None) -> Any:
        return CommunicationTokenCredential(
            token, token_refresher=refresher, proactive_refresh=True
        )

    async def test_refreshes_when_nobody_asks(self) -> None:
        refresher = Blocked(OSError(), valid())
        refresher.go.set()
        async with self.make(refresher) as credential:
            await until(lambda: credential._timer.interval > 2900)

            assert refresher.calls == 2
            assert (await credential.get_token()).token == "token"

    async def test_idles_without_a_task_and_without_cpu(self) -> None:
        async with self.make(valid_soon, valid()):
            assert asyncio.all_tasks() == {asyncio.current_task()}
            started, cpu = time.monotonic(), time.process_time()
            await asyncio.sleep(0.05)
            cpu, elapsed = time.process_time() - cpu, time.monotonic() - started

        assert cpu / elapsed < 0.02

    async def test_and_caller_share_a_refresh(self) -> None:
        refresher = Blocked(valid())
        async with self.make(refresher) as credential:
            await refresher.is_called.wait()
            callers = ask(credential, 3)
            await asyncio.sleep(0)
            refresher.go.set()

            assert {(await caller).token for caller in callers} == {"token"}
            assert refresher.calls == 1

    async def test_leaves_a_refresh_that_is_under_way_alone(self) -> None:
        refresher = Blocked(valid())
        async with self.make(refresher) as credential:
            timer = credential._timer
            callers = ask(credential, 1)
            await until(lambda: timer._handle.when() < asyncio.get_running_loop().time())
            await asyncio.sleep(0.001)
            refresher.go.set()

            assert [(await caller).token for caller in callers] == ["token"]
            assert refresher.calls == 1
            assert credential._timer is not timer

    async def test_close_ends_a_refresh_that_is_under_way(self) -> None:
        refresher = Blocked(valid())
        credential = self.make(refresher)
        callers = ask(credential, 3)
        await refresher.is_called.wait()
        await credential.close()

        assert refresher.cancelled == 1
        for caller in callers:
            with pytest.raises(RuntimeError, match="closed"):
                await caller
        assert asyncio.all_tasks() == {asyncio.current_task()}

    async def test_close_ends_a_refresh_that_has_not_begun(self) -> None:
        refresher = Blocked(valid())
        credential = CommunicationTokenCredential(token_refresher=refresher)
        (caller,) = ask(credential, 1)
        await asyncio.sleep(0)
        assert refresher.calls == 0
        await credential.close()

        with pytest.raises(RuntimeError, match="closed"):
            await caller
        assert refresher.calls == 0

    async def test_close_wakes_callers_before_a_stubborn_refresher_ends(self) -> None:
        go = asyncio.Event()
        is_called = asyncio.Event()

        async def stubborn() -> AccessToken:
            is_called.set()
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                await go.wait()
            return valid()

        credential = CommunicationTokenCredential(token_refresher=stubborn)
        callers = ask(credential, 3)
        await is_called.wait()
        closing = asyncio.create_task(credential.close())

        for caller in callers:
            with pytest.raises(RuntimeError, match="closed"):
                await caller
        assert not closing.done()
        go.set()
        await closing

    def test_close_in_another_loop_wakes_callers(self) -> None:
        async def wait() -> None:
            callers = ask(credential, 3)
            await refresher.is_called.wait()
            is_waiting.set()
            for caller in callers:
                with pytest.raises(RuntimeError, match="closed"):
                    await asyncio.wait_for(caller, 10)

        refresher = Blocked(valid())
        credential = CommunicationTokenCredential(token_refresher=refresher)
        is_waiting = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(asyncio.run, wait())
            assert is_waiting.wait(10)
            asyncio.run(credential.close())
            waiting.result(30)
        assert refresher.cancelled == 1

    async def test_a_subtask_of_its_refresher_may_close_it(self) -> None:
        async def refresher() -> AccessToken:
            await asyncio.create_task(credential.close())
            return valid()

        credential = CommunicationTokenCredential(token_refresher=refresher)

        assert (await asyncio.wait_for(credential.get_token(), 10)).token == "token"

    async def test_its_refresher_may_close_it(self) -> None:
        async def refresher() -> AccessToken:
            await credential.close()
            return valid()

        credential = self.make(refresher)

        assert (await credential.get_token()).token == "token"
        assert credential._timer is None

    async def test_does_not_keep_its_credential_alive(self) -> None:
        credential = self.make(valid_soon, valid())
        await credential.get_token()
        timer, reference = credential._timer, weakref.ref(credential)
        del credential
        gc.collect()

        assert reference() is None
        timer._go_off()

    def test_that_nobody_closed_is_no_reason_for_a_warning(self) -> None:
        program = textwrap.dedent("""
            import asyncio
            from azure.core.credentials import AccessToken
            from azure.communication.identity._shared.user_credential_async import (
                CommunicationTokenCredential,
            )

            async def refresher():
                await asyncio.sleep(3600)

            async def main():
                asyncio.get_running_loop().slow_callback_duration = 60  # machines may be busy
                first = AccessToken("token", 2**31)
                idle = CommunicationTokenCredential(
                    first, token_refresher=refresher, proactive_refresh=True
                )
                await idle.get_token()
                busy = CommunicationTokenCredential(token_refresher=refresher)
                asyncio.create_task(busy.get_token())
                await asyncio.sleep(0.01)

            asyncio.run(main(), debug=True)
            """)
        done = subprocess.run(
            [sys.executable, "-X", "dev", "-W", "error", "-c", program],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

        assert (done.returncode, done.stderr) == (0, "")
