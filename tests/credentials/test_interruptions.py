"""An exception of a signal handler leaves a credential that works.

Ctrl-C raises KeyboardInterrupt, the soft time limit of Celery an Exception.
"""

import dis
import gc
import itertools
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from azure.communication.identity import CommunicationTokenCredential
from azure.communication.identity._shared import user_credential
from azure.communication.identity._shared.token_refresh import REENTERED

MODULES = str(Path(user_credential.__file__).parent)
DEADLINE = 20
# CPython runs signal handlers where a function begins, after a call, and when it jumps back: not
# between the end of a block and the first instruction of its finally, and not within a with
# statement of a lock that is written in C.
HANDLED_AFTER = ("RESUME", "CALL", "PRECALL", "JUMP_BACKWARD", "JUMP_ABSOLUTE", "POP_JUMP")


class Stop(BaseException):
    """Like KeyboardInterrupt."""


class SoftLimit(Exception):  # noqa: N818 - named like that of Celery
    """Like the SoftTimeLimitExceeded of Celery."""


@pytest.fixture(autouse=True)
def no_destructors() -> Iterator[None]:
    """Python ignores an exception that is raised in a destructor, but pytest does not."""
    gc.disable()
    yield
    gc.enable()


class Interruption:
    """Raises an exception at one of the points at which CPython runs signal handlers."""

    def __init__(self, kind: type[BaseException], point: int) -> None:
        self.is_raised = False
        self._kind = kind
        self._points_left = point
        self._previous: dict[FrameType, str] = {}
        self._names: dict[CodeType, bytes] = {}

    def __enter__(self) -> None:
        # Python 3.12 looks only here whether events of opcodes are asked for.
        sys._getframe().f_trace_opcodes = True
        sys.settrace(self._trace)

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _trace(self, frame: FrameType, event: str, arg: object) -> Any:
        if not frame.f_code.co_filename.startswith(MODULES):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode" and not self.is_raised:
            previous = self._previous.get(frame, "RESUME")
            code = self._names.setdefault(frame.f_code, frame.f_code.co_code)
            self._previous[frame] = dis.opname[code[frame.f_lasti]]
            if previous.startswith(HANDLED_AFTER):
                self._points_left -= 1
                if self._points_left == 0:
                    self.is_raised = True
                    raise self._kind
        return self._trace


class Asking:
    """A thread that asks for a token."""

    def __init__(self, credential: CommunicationTokenCredential) -> None:
        self.result: object = "no answer"
        self.asks = threading.Event()
        self._credential = credential
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    def _ask(self) -> None:
        self.asks.set()
        try:
            self.result = self._credential.get_token().token
        except Exception as error:  # noqa: BLE001 - looked at by the test
            self.result = error

    def join(self) -> object:
        self._thread.join(DEADLINE)
        return self.result


class Scene:
    """A credential whose refresher lets another thread ask for the token, too."""

    def __init__(
        self,
        clock: Any,
        *,
        proactive: bool = False,
        fails: bool = False,
        has_follower: bool = True,
    ) -> None:
        self._clock = clock
        self._fails = fails
        self._follower: Asking | None = None
        self._leader = threading.get_ident() if has_follower else None
        self.credential = CommunicationTokenCredential(
            token_refresher=self._refresh, proactive_refresh=proactive, clock=clock
        )

    def _refresh(self) -> AccessToken:
        if threading.get_ident() == self._leader and self._follower is None:
            self._follower = Asking(self.credential)
            assert self._follower.asks.wait(DEADLINE)
            time.sleep(0.0005)  # now it waits for this refresh, most of the time
        if self._fails:
            raise OSError
        return AccessToken("token", int(self._clock.now + 3600))

    def results(self) -> set[object]:
        """The outcome of the other thread, and of threads after that."""
        results = set() if self._follower is None else {self._follower.join()}
        self._fails = False
        self._clock.now += 60  # the pause after a failure
        results |= {Asking(self.credential).join(), self.credential.get_token().token}
        self.credential.close()
        # A soft limit in the refresher cannot be told from a failure of it.
        return {
            "failure" if isinstance(result, ClientAuthenticationError) else result
            for result in results
        }


@pytest.mark.parametrize("kind", [Stop, pytest.param(SoftLimit, marks=pytest.mark.heavy)])
@pytest.mark.parametrize(
    "options", [{}, {"fails": True}, {"proactive": True}], ids=["on-demand", "fails", "proactive"]
)
def test_at_any_point_of_a_call(
    clock: Any, kind: type[BaseException], options: dict[str, bool]
) -> None:
    def interrupt(point: int) -> bool:
        scene = Scene(clock, **options)
        interruption = Interruption(kind, point)
        with suppress(kind, ClientAuthenticationError), interruption:
            scene.credential.__enter__().get_token()
        results = scene.results()
        assert {"token"} <= results <= {"token", "failure"}, f"after point {point}"
        return interruption.is_raised

    assert points_of(interrupt) > 30


def points_of(interrupt: Callable[[int], bool]) -> int:
    """Calls a function for each point, in a separate thread, until no point interrupts.

    After an exception of a trace function, CPython may take it for the one that is being handled.
    """
    for point in itertools.count(1):
        with ThreadPoolExecutor(1) as pool:
            if not pool.submit(interrupt, point).result():
                return point
    raise AssertionError


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs signal.setitimer")
@pytest.mark.parametrize("kind", [Stop, SoftLimit])
@pytest.mark.parametrize("proactive", [False, True])
def test_at_random_moments(clock: Any, kind: type[BaseException], proactive: bool) -> None:
    def handle(*_: object) -> None:
        if is_armed:
            raise kind

    is_armed = False
    seed = random.Random(14)
    previous = signal.signal(signal.SIGALRM, handle)
    interrupted = 0
    try:
        for _ in range(300):
            scene = Scene(clock, proactive=proactive, has_follower=False)
            try:
                is_armed = True
                signal.setitimer(signal.ITIMER_REAL, 1e-6 + seed.random() * 2e-4)
                scene.credential.get_token()
            except (kind, ClientAuthenticationError):
                interrupted += 1
            finally:
                is_armed = False
                signal.setitimer(signal.ITIMER_REAL, 0)
            assert scene.results() == {"token"}
    finally:
        signal.signal(signal.SIGALRM, previous)
    assert interrupted > 0


class HandlerThatAsks(Interruption):
    """A signal handler that does not raise an exception, but asks the credential for a token."""

    def __init__(self, credential: CommunicationTokenCredential, point: int) -> None:
        super().__init__(Stop, point)
        self.result = ""
        self._credential = credential

    def _trace(self, frame: FrameType, event: str, arg: object) -> Any:
        try:
            return super()._trace(frame, event, arg)
        except Stop:
            sys.settrace(None)
            try:
                self.result = self._credential.get_token().token
            except (RuntimeError, ClientAuthenticationError) as error:
                self.result = str(error)
            return None


def test_a_handler_that_asks_for_a_token_gets_it_or_an_error(clock: Any) -> None:
    results = set()

    def interrupt(point: int) -> bool:
        credential = CommunicationTokenCredential(
            token_refresher=lambda: AccessToken("token", int(clock.now + 3600)), clock=clock
        )
        handler = HandlerThatAsks(credential, point)
        with handler:
            assert credential.get_token().token == "token"
        if handler.is_raised:
            results.add(handler.result)
        assert credential.get_token().token == "token"
        return handler.is_raised

    assert points_of(interrupt) > 30
    assert results == {"token", REENTERED}
