"""A program that forks, as gunicorn, Celery and multiprocessing do.

    python program.py SCENARIO sync|async CONNECTION_STRING [CA_FILE]

It prints a JSON object: from each process to how its calls ended, and how often.
"""

import asyncio
import base64
import gc
import json
import logging
import os
import sys
import threading
from collections import Counter
from typing import Any

from azure.communication.identity import CommunicationIdentityClient
from azure.communication.identity.aio import (
    CommunicationIdentityClient as AsyncCommunicationIdentityClient,
)

LOCKS = (type(threading.Lock()), type(threading.RLock()))


class Caller:
    """A client of either kind, in an event loop that is neither closed nor running at a fork."""

    def __init__(self, flavour: str, connection_string: str, ca_file: str | None = None) -> None:
        self.is_async = flavour == "async"
        kind: Any = (
            AsyncCommunicationIdentityClient if self.is_async else CommunicationIdentityClient
        )
        verify = {} if ca_file is None else {"connection_verify": ca_file}
        self.client = kind.from_connection_string(
            connection_string, retry_total=0, read_timeout=20, **verify
        )
        self.loop = asyncio.new_event_loop()

    def in_child(self) -> None:
        """Runs the work of a child, in its own event loop."""
        # Kept: collected, it would close itself, and leave the parent's selector without its pipe.
        self.loop_of_parent = self.loop
        self.loop = asyncio.new_event_loop()

    def call(self, method: str, *args: Any) -> Any:
        result = getattr(self.client, method)(*args)
        return self.loop.run_until_complete(result) if self.is_async else result


def owner(token: str) -> str:
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return f"8:{claims['skypeid']}"


def calls(caller: Caller, user: str, count: int) -> Counter[str]:
    found: Counter[str] = Counter()
    for _ in range(count):
        try:
            token = caller.call("get_token", user, ["chat"]).token
            found["right" if owner(token) == user else "another user's token"] += 1
        except Exception as error:  # noqa: BLE001 - counted
            found[type(error).__name__] += 1
    return found


def fork(caller: Caller, user: str, count: int) -> tuple[int, int]:
    """Starts a child. Returns its id and where it writes what it found."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        return child, reading
    caller.in_child()
    os.write(writing, json.dumps(calls(caller, user, count)).encode())
    # Objects shared with the parent are collected, but must not be closed for the parent.
    caller.call("close")
    caller.client = None
    gc.collect()
    sys.exit()


def results(children: list[tuple[int, int]]) -> dict[str, Any]:
    found = {}
    for number, (child, reading) in enumerate(children):
        _, status = os.waitpid(child, 0)
        with os.fdopen(reading) as pipe:
            text = pipe.read()
        found[f"child {number}"] = json.loads(text) if status == 0 and text else f"status {status}"
    return found


def two_children(caller: Caller) -> dict[str, Any]:
    """Two children at once, and their parent: 500 calls each."""
    users = [caller.call("create_user").raw_id for _ in range(3)]
    calls(caller, users[2], 3)
    children = [fork(caller, user, 500) for user in users[:2]]
    parent = calls(caller, users[2], 500)
    found = results(children)
    return {"parent": parent, "afterwards": calls(caller, users[2], 10), **found}


def held_locks(caller: Caller) -> dict[str, Any]:
    """A fork while another thread holds each lock that the client has."""
    user = caller.call("create_user").raw_id
    calls(caller, user, 3)
    released, held = threading.Event(), threading.Event()

    def hold() -> None:
        locks = locks_below(caller.client)
        for lock in locks:
            lock.acquire(blocking=False)
        held.set()
        released.wait()
        for lock in locks:
            lock.release()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    children = [fork(caller, user, 5)]
    found = results(children)
    released.set()
    holder.join()
    return found


def locks_below(root: object) -> list[Any]:
    """The locks that an object refers to, however far away."""
    skipped = (type, type(sys), type(hold_nothing), logging.Logger, logging.Handler)
    seen, waiting, locks = {id(root)}, [root], []
    while waiting:
        for each in gc.get_referents(waiting.pop()):
            # By the type, since proxies of some objects pretend to be others.
            if id(each) in seen or issubclass(type(each), (*skipped, asyncio.AbstractEventLoop)):
                continue
            seen.add(id(each))
            if issubclass(type(each), LOCKS):
                locks.append(each)
            else:
                waiting.append(each)
    return locks


def hold_nothing() -> None:
    """Any function: for its type."""


def one_child(caller: Caller) -> dict[str, Any]:
    """One call before, in, and after a child."""
    calls(caller, "8:acs:1", 1)
    found = results([fork(caller, "8:acs:1", 1)])
    calls(caller, "8:acs:1", 1)
    return found


SCENARIOS = {"two-children": two_children, "held-locks": held_locks, "one-child": one_child}

if __name__ == "__main__":
    scenario, *arguments = sys.argv[1:]
    caller = Caller(*arguments)
    found = SCENARIOS[scenario](caller)
    caller.call("close")
    sys.stdout.write(json.dumps(found))
