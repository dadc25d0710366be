"""Calls that cannot be interrupted, in a thread that is waited for until a deadline."""

import sys
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextvars import Context, copy_context
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")


def call_in_thread(
    name: str,
    function: Callable[[], T],
    seconds: float | None,
    error: Callable[[], Exception],
    clean_up: Callable[[], object] = lambda: None,
) -> T:
    """Calls a function in a separate thread, which continues after the deadline.

    :param str name: The name of the thread.
    :param function: The function.
    :param float seconds: How long to wait; None for no limit.
    :param error: Makes the exception that is raised if the function takes longer.
    :param clean_up: Is called in the thread if nobody waits for the function any more.
    """
    if sys.is_finalizing():
        return function()  # Python 3.10 and 3.11 would wait for the new thread, which never runs
    future: Future[T] = Future()
    work = (future, function, copy_context(), clean_up)
    try:
        Thread(target=_run, args=work, name=name, daemon=True).start()
    except RuntimeError:  # there are too many threads
        return function()
    try:
        return future.result(seconds)
    except FutureTimeoutError:
        if future.cancel():
            raise error() from None
        return future.result()  # it ended at the last moment, or raised this error itself
    finally:
        future.cancel()  # if the caller is interrupted
        del future, work  # a cycle: an exception has this frame in its traceback


def _run(
    future: "Future[Any]",
    function: Callable[[], Any],
    context: Context,
    clean_up: Callable[[], object],
) -> None:
    result, error = None, None
    try:
        result = context.run(function)
    except BaseException as raised:  # noqa: BLE001 - the caller gets it
        error = raised
    if not future.set_running_or_notify_cancel():
        clean_up()
    elif error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
    del future, error  # a cycle, as above
