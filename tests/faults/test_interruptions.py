"""An exception of a signal handler ends a sync call, and leaves a usable client."""

import gc
import http.client
import random
import signal
import socket
import ssl
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import azure.core
import pytest
import urllib3
from either_client import KEY
from faults.two_packets import USER, TwoPackets, nothing_is_open

import azure.communication.identity
from azure.communication.identity import CommunicationIdentityClient

# What is interrupted while it opens or closes a socket leaves that to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")

# Python ignores exceptions of destructors, which call these.
DESTRUCTORS = {"close", "closed", "isclosed", "flush", "__del__"}


def folder(package: ModuleType) -> str:
    """The folder of a package."""
    return str(Path(str(package.__file__)).parent)


LIBRARY = (folder(azure.communication.identity),)
BELOW = (folder(urllib3), folder(azure.core), str(http.client.__file__), str(socket.__file__))


class Stop(BaseException):
    """Like KeyboardInterrupt."""


class SoftLimit(Exception):  # noqa: N818 - named like that of Celery
    """Like the SoftTimeLimitExceeded of Celery."""


class Interruption:
    """Raises an exception before the n-th line that runs in some files.

    :param error: The exception.
    :param int number: The n.
    :param files: What the paths of the files begin with.
    """

    def __init__(self, error: BaseException, number: int, files: tuple[str, ...]) -> None:
        self.function: str | None = None
        self._error = error
        self._left = number
        self._files = files

    def __enter__(self) -> None:
        sys.settrace(self._trace)

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)

    def _trace(self, frame: FrameType, event: str, arg: object) -> Any:
        if not frame.f_code.co_filename.startswith(self._files):
            return None
        if event == "line" and self.function is None:
            self._left -= 1
            if self._left == 0:
                self.function = frame.f_code.co_name
                raise self._error
        return self._trace


@pytest.fixture(autouse=True)
def no_destructors() -> Iterator[None]:
    """Python ignores an exception that is raised in a destructor, but pytest does not."""
    gc.disable()
    yield
    gc.enable()


def gets_its_answer(client: CommunicationIdentityClient) -> bool:
    """Whether another call has the answer to its own request."""
    request_id = str(uuid.uuid4())
    return client.get_token(USER, ["chat"], request_id=request_id).token.endswith(request_id)


def interrupt_each(*arguments: Any) -> int:
    """Interrupts calls at each of some lines, and returns how many lines there were.

    It does so in a thread of its own: where a trace function raises as an ``except`` clause ends,
    Python keeps the exception of the clause as the handled one of the thread, and all later
    exceptions have it for a context.
    """
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(_interrupt_each, *arguments).result()


def _interrupt_each(
    context: ssl.SSLContext | None,
    options: dict[str, Any],
    kind: type[BaseException],
    files: tuple[str, ...],
    step: int,
) -> int:
    number = 0
    variables = dict(copy_context())
    with TwoPackets(context) as server:
        with CommunicationIdentityClient(server.url, KEY, **options) as client:
            while True:
                number += step
                error, raised = kind(), None
                interruption = Interruption(error, number, files)
                try:
                    with interruption:
                        assert client.get_token(USER, ["chat"]).token
                except kind as caught:
                    raised = caught
                if interruption.function is None:
                    break
                assert raised is error or interruption.function in DESTRUCTORS
                assert gets_its_answer(client), number
                assert dict(copy_context()) == variables, interruption.function
        # Connections that were interrupted before they could be closed.
        gc.collect()
        assert nothing_is_open(server)
    return number


@pytest.mark.parametrize("kind", [Stop, SoftLimit])
def test_lines_of_the_library(
    context: ssl.SSLContext | None, options: dict[str, Any], kind: type[BaseException]
) -> None:
    assert interrupt_each(context, options, kind, LIBRARY, 23) > 100


@pytest.mark.heavy
@pytest.mark.parametrize("kind", [Stop, SoftLimit])
def test_all_lines_of_the_library(
    context: ssl.SSLContext | None, options: dict[str, Any], kind: type[BaseException]
) -> None:
    assert interrupt_each(context, options, kind, LIBRARY, 1) > 500


@pytest.mark.heavy
@pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")
def test_all_lines_of_the_libraries_below(
    context: ssl.SSLContext | None, options: dict[str, Any]
) -> None:
    assert interrupt_each(context, options, Stop, LIBRARY + BELOW, 1) > 2000


# An exception that a signal handler raises in a destructor cannot leave it: Python reports it.
@pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="Windows has no timers of signals")
def test_real_signals(context: ssl.SSLContext | None, options: dict[str, Any]) -> None:
    """They arrive in system calls, too."""

    def interrupt(*_: object) -> None:
        raise Stop

    chosen, interrupted = random.Random(14), 0
    previous = signal.signal(signal.SIGALRM, interrupt)
    try:
        with TwoPackets(context) as server:
            with CommunicationIdentityClient(server.url, KEY, **options) as client:
                for _ in range(60):
                    try:
                        signal.setitimer(signal.ITIMER_REAL, chosen.uniform(0.0001, 0.006))
                        client.get_token(USER, ["chat"])
                        signal.setitimer(signal.ITIMER_REAL, 0)
                    except Stop:
                        interrupted += 1
                    assert gets_its_answer(client)
            gc.collect()
            assert nothing_is_open(server)
    finally:
        signal.signal(signal.SIGALRM, previous)
    assert interrupted > 10
