"""Deadlines: the time that is left of a call's ``timeout``, for its attempts and for its tokens."""

import sys
from collections.abc import Callable, Coroutine, Mapping
from contextvars import ContextVar, copy_context
from functools import partial
from time import monotonic
from typing import Any, TypeVar

from azure.core.exceptions import ServiceResponseTimeoutError

from .._shared.tokens import refuse_async, refuse_awaitable
from .._transports._threads import call_in_thread

T = TypeVar("T")

_DEADLINE: ContextVar[float | None] = ContextVar("deadline", default=None)
# Sockets do not take much more.
_LONGEST_SECONDS = 1e9
# Tasks of Python 3.10 have no count.
_COUNTS_CANCELLATIONS = sys.version_info >= (3, 11)
TIMEOUTS = ("connection_timeout", "read_timeout")


def deadline_after(timeout: float | None) -> float | None:
    """The time, of ``time.monotonic()``, at which a timeout is over.

    :param timeout: In seconds. None for no limit.
    :raises TypeError: If the timeout is not a number.
    :raises ValueError: If the timeout is NaN.
    """
    if timeout is None:
        return None
    if not isinstance(timeout, int | float):
        raise TypeError(f"timeout must be a number of seconds, not {type(timeout).__name__}.")
    if timeout != timeout:  # isnan fails for a huge int
        raise ValueError("timeout must be a number of seconds, not nan.")
    return monotonic() + min(timeout, _LONGEST_SECONDS)


def timed_out() -> ServiceResponseTimeoutError:
    """The error of a call whose deadline has passed."""
    return ServiceResponseTimeoutError("The call did not end within its timeout.")


def seconds_left(deadline: float) -> float:
    """The seconds until a deadline.

    :raises ~azure.core.exceptions.ServiceResponseTimeoutError: If the deadline has passed.
    """
    left = deadline - monotonic()
    if left <= 0:
        raise timed_out()
    return left


def attempt_options(transport: Any, options: Mapping[str, Any], deadline: float) -> dict[str, Any]:
    """The options that make a transport keep a deadline.

    The transports of this library take the deadline. Others get shorter timeouts, which limit the
    time to connect and the time between bytes but not the time that a slow body takes.

    :param transport: The transport.
    :param options: The options of the call.
    :param float deadline: The deadline.
    :raises ~azure.core.exceptions.ServiceResponseTimeoutError: If the deadline has passed.
    """
    left = seconds_left(deadline)
    if getattr(transport, "takes_deadline", False):
        return {"deadline": deadline}
    config = getattr(transport, "connection_config", None)
    defaults = (getattr(config, "timeout", None), getattr(config, "read_timeout", None))
    given = options.get(TIMEOUTS[0], defaults[0])
    if isinstance(given, tuple):  # both, as RequestsTransport takes them
        return {TIMEOUTS[0]: tuple(_shorter(timeout, left) for timeout in given)}
    read = options.get(TIMEOUTS[1], defaults[1])
    return {TIMEOUTS[0]: _shorter(given, left), TIMEOUTS[1]: _shorter(read, left)}


def _shorter(timeout: float | None, left: float) -> float:
    return min(timeout, left) if timeout else left


def without_zero_timeouts(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options in which a timeout of 0 is None: no limit, whatever the transport makes of 0."""
    return {
        name: None if name in TIMEOUTS and value == 0 else value for name, value in options.items()
    }


def with_tokens_until(deadline: float, function: Callable[[], T]) -> T:
    """Calls a function that gets tokens of a :func:`bounded` credential until a deadline.

    :param float deadline: The deadline.
    :param function: The function.
    """
    # In a context of its own: after an interruption, no later call has this deadline.
    context = copy_context()
    context.run(_DEADLINE.set, deadline)
    return context.run(function)


def call_until(deadline: float | None, function: Callable[[], T]) -> T:
    """Calls a function that does not know of deadlines.

    :param deadline: The deadline. None to call the function without one, in this thread.
    :param function: The function.
    :raises ~azure.core.exceptions.ServiceResponseTimeoutError: If the deadline passes first.
    """
    if deadline is None:
        return function()
    return call_in_thread("Entra token", function, seconds_left(deadline), timed_out)


async def ended_by(deadline: float, work: Coroutine[Any, Any, T]) -> T:
    """Awaits a coroutine, and cancels it when the deadline passes.

    :param float deadline: The deadline.
    :param work: The coroutine. Outside of asyncio it runs without a limit.
    :raises ~azure.core.exceptions.ServiceResponseTimeoutError: If the deadline passes first.
    """
    import asyncio  # here, since it takes 12 ms that the sync client does without

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return await work
    # Not asyncio.wait_for: before Python 3.12, it can lose a cancellation of the task.
    task: Any = asyncio.current_task()
    others = task.cancelling() if _COUNTS_CANCELLATIONS else 0
    is_over = False

    def end() -> None:
        nonlocal is_over
        is_over = True
        task.cancel()

    timer = loop.call_later(deadline - monotonic(), end)
    try:
        return await work
    except asyncio.CancelledError:
        if is_over and (not _COUNTS_CANCELLATIONS or task.cancelling() == others + 1):
            raise timed_out() from None
        raise
    finally:
        timer.cancel()
        if is_over and _COUNTS_CANCELLATIONS:
            task.uncancel()


def _token(get: Callable[[], Any]) -> Any:
    token = call_until(_DEADLINE.get(), get)
    refuse_awaitable(token, "credential", "CommunicationIdentityClient")
    return token


class _Bounded:
    def __init__(self, credential: Any) -> None:
        self._credential = credential


class _WithToken(_Bounded):
    def get_token(self, *scopes: str, **kwargs: Any) -> Any:
        return _token(partial(self._credential.get_token, *scopes, **kwargs))


class _WithTokenInfo(_Bounded):
    def get_token_info(self, *scopes: str, **kwargs: Any) -> Any:
        return _token(partial(self._credential.get_token_info, *scopes, **kwargs))


class _WithBoth(_WithToken, _WithTokenInfo):
    pass


def bounded(credential: Any) -> Any:
    """A sync Entra credential that waits for a token no longer than the call may last.

    :param credential: The credential, or an access key, which is returned as it is.
    :raises TypeError: If the credential is async.
    """
    refuse_async("credential", credential, "CommunicationIdentityClient")
    kinds = {(True, True): _WithBoth, (True, False): _WithToken, (False, True): _WithTokenInfo}
    kind = kinds.get((hasattr(credential, "get_token"), hasattr(credential, "get_token_info")))
    return credential if kind is None else kind(credential)
