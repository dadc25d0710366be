"""A clock, tokens, and one way to drive both credentials."""

import asyncio
import json
import os
import signal
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from inspect import isawaitable
from typing import Any

import pytest
from azure.core.credentials import AccessToken

from azure.communication.identity._shared import user_credential, user_credential_async

START = 1_700_000_000


class Clock:
    """Stands still until it is told to move on."""

    def __init__(self) -> None:
        self.now: float = START

    def __call__(self) -> float:
        return self.now


def make_jwt(expires_on: object, *, padded: bool = False, **claims: object) -> str:
    payload = json.dumps({"exp": expires_on, **claims}, ensure_ascii=False).encode()
    encoded = [urlsafe_b64encode(part).decode() for part in (b'{"alg":"none"}', payload)]
    if not padded:
        encoded = [part.rstrip("=") for part in encoded]
    return ".".join([*encoded, "c2lnbmF0dXJl"])


def in_child_process(check: Callable[[], bool]) -> bool:
    """Whether a check holds in a child process, forked from this one, within ten seconds."""
    pid = os.fork()
    if pid == 0:
        is_good = False
        try:
            is_good = check()
        finally:
            os._exit(0 if is_good else 1)
    return exit_code(pid) == 0


def exit_code(pid: int) -> int:
    """The exit code of a child process. One that hangs is killed."""
    deadline = time.monotonic() + 10
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)


class Refresher:
    """Returns or raises its outcomes, one per call.

    Without any, it returns tokens that live for an hour.
    """

    def __init__(self, clock: Callable[[], float], *outcomes: object, lifetime: float = 3600):
        self.calls = 0
        self.lifetime = lifetime
        self._clock = clock
        self._outcomes = list(outcomes)

    def __call__(self) -> Any:
        self.calls += 1
        if not self._outcomes:
            return AccessToken(f"token-{self.calls}", int(self._clock() + self.lifetime))
        outcome = self._outcomes.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


class FakeTimer:
    """Replaces the timers of both credentials; a test fires it."""

    def __init__(self, interval: float, method: Any) -> None:
        self.interval = interval
        self.is_cancelled = False
        self._is_started = False
        self._method = method

    def start(self) -> bool:
        self._is_started = True
        return True

    def cancel(self) -> None:
        self.is_cancelled = True

    def is_lost(self) -> bool:
        return self.is_cancelled or not self._is_started

    def go_off(self) -> None:
        assert not self.is_cancelled
        self._method(self)


class SyncDriver:
    """Drives a sync credential."""

    module: Any = user_credential
    is_async = False

    def __init__(self) -> None:
        self.credentials: list[Any] = []

    def make(self, token: Any = None, refresher: Any = None, **kwargs: Any) -> Any:
        if refresher is not None:
            kwargs["token_refresher"] = refresher
        return self.make_as_it_is(token, **kwargs)

    def make_as_it_is(self, token: Any = None, **kwargs: Any) -> Any:
        """A credential whose refresher is not adapted."""
        credential = self.module.CommunicationTokenCredential(token, **kwargs)
        self.credentials.append(credential)
        return credential

    async def get(self, credential: Any, *scopes: str, **kwargs: Any) -> Any:
        return credential.get_token(*scopes, **kwargs)

    async def get_in(self, context: Context, credential: Any) -> Any:
        return context.run(credential.get_token)

    def get_within(self, credential: Any) -> Any:
        """The result of a refresher that asks a credential."""
        return credential.get_token()

    def result_within(self, coroutine: Any) -> Any:
        """The result of a refresher that runs a coroutine, which does not wait here."""
        with pytest.raises(StopIteration) as stopped:
            coroutine.send(None)
        return stopped.value.value

    def close_now(self, credential: Any) -> Any:
        """A refresher calls this to close its own credential."""
        return credential.close()

    async def get_info(self, credential: Any, *scopes: str, **kwargs: Any) -> Any:
        return credential.get_token_info(*scopes, **kwargs)

    async def enter(self, credential: Any) -> Any:
        return credential.__enter__()

    async def close(self, credential: Any) -> None:
        credential.close()

    async def result_of(self, called: Any) -> Any:
        """The result of a method of a client of the same kind."""
        return called

    async def get_at_once(self, credential: Any, number: int) -> list[Any]:
        with ThreadPoolExecutor(number) as pool:
            return list(pool.map(lambda _: credential.get_token(), range(number)))

    def timer(self, credential: Any) -> Any:
        return credential._alarm

    async def go_off(self, credential: Any) -> None:
        self.timer(credential).go_off()


class AsyncDriver(SyncDriver):
    """Drives an async one, whose refresher is made async."""

    module = user_credential_async
    is_async = True

    def make(self, token: Any = None, refresher: Any = None, **kwargs: Any) -> Any:
        if not callable(refresher):
            return super().make(token, refresher, **kwargs)

        async def async_refresher() -> Any:
            returned = refresher()
            return await returned if isawaitable(returned) else returned

        return super().make(token, async_refresher, **kwargs)

    async def get(self, credential: Any, *scopes: str, **kwargs: Any) -> Any:
        return await credential.get_token(*scopes, **kwargs)

    async def get_in(self, context: Context, credential: Any) -> Any:
        return await context.run(asyncio.create_task, credential.get_token())

    def result_within(self, coroutine: Any) -> Any:
        return coroutine

    def close_now(self, credential: Any) -> Any:
        coroutine = credential.close()
        with pytest.raises(StopIteration):
            coroutine.send(None)

    async def get_info(self, credential: Any, *scopes: str, **kwargs: Any) -> Any:
        return await credential.get_token_info(*scopes, **kwargs)

    async def enter(self, credential: Any) -> Any:
        return await credential.__aenter__()

    async def close(self, credential: Any) -> None:
        await credential.close()

    async def result_of(self, called: Any) -> Any:
        return await called

    async def get_at_once(self, credential: Any, number: int) -> list[Any]:
        return await asyncio.gather(*[credential.get_token() for _ in range(number)])

    def timer(self, credential: Any) -> Any:
        return credential._timer

    async def go_off(self, credential: Any) -> None:
        self.timer(credential).go_off()
        if credential._refresh is not None:
            await asyncio.wait([credential._refresh.done])
