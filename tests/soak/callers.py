"""The threads and the tasks that make calls, and what they see."""

import asyncio
import random
import uuid
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any, NamedTuple

from azure.core.exceptions import AzureError
from token_owner import owner

from azure.communication.identity import CommunicationIdentityClient
from azure.communication.identity.aio import (
    CommunicationIdentityClient as AsyncCommunicationIdentityClient,
)

_PREVIEW = "2025-03-02-preview"
_MOST_USERS = 5
_TIMEOUT = 20


class Call(NamedTuple):
    """A call of a client."""

    method: str
    arguments: tuple[Any, ...] = ()
    options: dict[str, Any] = {}  # noqa: RUF012 - nobody writes to it


Steps = Generator[Call, Any, None]


class Ledger:
    """What the callers saw, most of it in a file, so that it does not count as memory.

    :param folder: Where to write.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "acknowledged"
        self._file = self.path.open("w", encoding="ascii")
        self.is_over = False
        self.calls: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.wrong: list[str] = []

    def acknowledge(self, raw_id: str, custom_id: str = "") -> None:
        """Notes that a user was created."""
        self._file.write(f"{raw_id} {custom_id}\n")

    def note(self, call: Call, error: Exception | None) -> None:
        """Counts a call."""
        self.calls[call.method] += 1
        if error is not None:
            self.errors[f"{call.method}: {type(error).__name__}"] += 1

    def close(self) -> None:
        """Writes what is not written yet."""
        self._file.close()


def steps(ledger: Ledger, seed: int) -> Steps:
    """What a thread or a task does: yields calls, and gets their results, None after an error.

    :param ledger: Where to note results.
    :param seed: That of the order of calls.
    """
    chosen = random.Random(seed)
    users: list[str] = []
    while not ledger.is_over:
        number = chosen.random()
        if len(users) > _MOST_USERS:
            yield Call("delete_user", (users.pop(0),))
        elif not users or number < 0.25:
            user = yield Call("create_user")
            if user is not None:
                ledger.acknowledge(user.raw_id)
                users.append(user.raw_id)
        elif number < 0.4:
            custom_id = str(uuid.UUID(int=chosen.getrandbits(128)))
            for _ in range(chosen.choice((1, 1, 1, 2))):
                options = {"custom_id": custom_id, "api_version": _PREVIEW}
                user = yield Call("create_user", (), options)
                if user is not None:
                    ledger.acknowledge(user.raw_id, custom_id)
        elif number < 0.85:
            token = yield Call("get_token", (users[-1], ["chat"]))
            if token is not None and owner(token.token) != users[-1]:
                ledger.wrong.append(f"a token of {owner(token.token)} for {users[-1]}")
        else:
            yield Call("delete_user", (users.pop(),))


def run_thread(client: CommunicationIdentityClient, ledger: Ledger, seed: int) -> None:
    """Makes calls of the sync client, one after the other."""
    todo, result = steps(ledger, seed), None
    while (call := _next(todo, result)) is not None:
        result, error = None, None
        try:
            method = getattr(client, call.method)
            result = method(*call.arguments, timeout=_TIMEOUT, **call.options)
        except AzureError as caught:
            error = caught
        ledger.note(call, error)


async def run_task(client: AsyncCommunicationIdentityClient, ledger: Ledger, seed: int) -> None:
    """Makes calls of the async client, one after the other."""
    todo, result = steps(ledger, seed), None
    while (call := _next(todo, result)) is not None:
        result, error = None, None
        try:
            method = getattr(client, call.method)
            result = await method(*call.arguments, timeout=_TIMEOUT, **call.options)
        except AzureError as caught:
            error = caught
        ledger.note(call, error)


def _next(todo: Steps, result: Any) -> Call | None:
    try:
        return todo.send(result)
    except StopIteration:
        return None


def run_tasks(endpoint: str, credential: Any, ledger: Ledger, count: int) -> None:
    """Makes calls of the async client in an event loop, many at once."""

    async def main() -> None:
        async with AsyncCommunicationIdentityClient(endpoint, credential) as client:
            await asyncio.gather(*(run_task(client, ledger, -seed) for seed in range(count)))

    asyncio.run(main())
