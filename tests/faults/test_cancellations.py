"""A task that is cancelled at any await leaves nothing behind, and a usable client."""

import asyncio
import ssl
import uuid
from collections.abc import Awaitable, Callable, Generator
from contextlib import suppress
from typing import Any

import pytest
from either_client import KEY
from faults.two_packets import USER, TwoPackets, nothing_is_open, only_this_task

from azure.communication.identity.aio import CommunicationIdentityClient

Client = CommunicationIdentityClient
CALLS: dict[str, Callable[[Client], Awaitable[Any]]] = {
    "create": lambda client: client.create_user(custom_id="a"),
    "issue": lambda client: client.get_token(USER, ["chat"]),
    "delete": lambda client: client.delete_user(USER),
}


class Cancelling:
    """Cancels its task when a coroutine waits for the n-th time.

    :param coroutine: The coroutine.
    :param int number: The n.
    :param bool is_late: Whether to cancel when what it waits for is there, and its task has not
        gone on yet. Otherwise when it begins to wait.
    """

    def __init__(self, coroutine: Awaitable[Any], number: int, is_late: bool) -> None:
        self.waits = 0
        self._coroutine = coroutine
        self._number = number
        self._is_late = is_late

    def __await__(self) -> Generator[Any, Any, Any]:
        inner = self._coroutine.__await__()
        step: Callable[[], Any] = lambda: next(inner)  # noqa: E731
        while True:
            try:
                waited_for = step()
            except StopIteration as stop:
                return stop.value
            self.waits += 1
            if self.waits == self._number:
                self._cancel(waited_for)
            try:
                yield waited_for
            except BaseException as error:  # noqa: BLE001 - thrown on
                step = lambda error=error: inner.throw(error)  # type: ignore[misc] # noqa: E731
            else:
                step = lambda: next(inner)  # noqa: E731

    def _cancel(self, waited_for: Any) -> None:
        task: Any = asyncio.current_task()
        if self._is_late and waited_for is not None:
            waited_for.add_done_callback(lambda _: task.cancel())
        else:
            task.cancel()


async def _call_and_cancel(
    server: TwoPackets, options: dict[str, Any], operation: str, number: int, *, is_late: bool
) -> bool:
    """Whether the call waited so often that it was cancelled."""
    is_new = operation == "first issue"
    call = CALLS[operation.rpartition(" ")[2]]
    async with Client(server.url, KEY, **options) as client:
        if not is_new:
            await client.get_token(USER, ["chat"])
        cancelling = Cancelling(call(client), number, is_late)
        task = asyncio.ensure_future(cancelling)
        with suppress(asyncio.CancelledError):
            await task
        is_cancelled = cancelling.waits >= number
        assert task.cancelled() is is_cancelled
        assert await only_this_task()
        request_id = str(uuid.uuid4())
        token = await client.get_token(USER, ["chat"], request_id=request_id)
        assert token.token.endswith(request_id)
        # The one that is idle, and one that was idle again when the task was cancelled.
        assert server.open_connections <= 2
    return is_cancelled


@pytest.mark.parametrize("is_late", [False, True], ids=["waiting", "no longer waiting"])
@pytest.mark.parametrize(
    "operation",
    [
        "first issue",
        "issue",
        *(pytest.param(name, marks=pytest.mark.heavy) for name in CALLS if name != "issue"),
    ],
)
def test_every_await(
    context: ssl.SSLContext | None, options: dict[str, Any], operation: str, is_late: bool
) -> None:
    number = 0
    is_cancelled = True
    while is_cancelled:
        number += 1
        with TwoPackets(context) as server:
            is_cancelled = asyncio.run(
                _call_and_cancel(server, options, operation, number, is_late=is_late)
            )
            assert nothing_is_open(server), number
    assert number > 2
