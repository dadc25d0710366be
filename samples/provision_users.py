"""Creates a user for each custom id in a CSV file, and writes the users to another.

    python samples/provision_users.py people.csv users.csv

people.csv has a column custom_id. users.csv gets a row for each user as soon as it is created. The
program may be stopped at any time, with Ctrl-C for instance, and continues when it is started
again: no user is created twice, since the service returns the existing user of a custom id.

The environment names the resource, as for the other samples: by a connection string in
AZURE_COMMUNICATION_SERVICE_CONNECTION_STRING, COMMUNICATION_SERVICES_CONNECTION_STRING or
AZURE_COMMUNICATION_CONNECTION_STRING, or by an endpoint in AZURE_COMMUNICATION_SERVICE_ENDPOINT.
`python -m acs_identity_emulator --throttle` prints a connection string for a trial. The program
needs `pip install limits rich`.

Several machines share a long list with --shard 1/4 to --shard 4/4. The rate is that of all of them
together, and each keeps to its part.
"""

import argparse
import asyncio
import csv
import math
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from io import StringIO
from pathlib import Path
from typing import NamedTuple
from zlib import crc32

from azure.core.exceptions import AzureError, HttpResponseError
from sample_service import CONNECTION_STRINGS, ENDPOINT, setting_of_environment

try:
    from limits import RateLimitItemPerSecond
    from limits.aio.storage import MemoryStorage
    from limits.aio.strategies import MovingWindowRateLimiter
    from rich.progress import MofNCompleteColumn, Progress
except ImportError as error:
    sys.exit(f"{error.name} is not installed: python -m pip install limits rich")

from azure.communication.identity import ApiVersion, CommunicationUserIdentifier
from azure.communication.identity.aio import CommunicationIdentityClient

CUSTOM_ID, USER_ID = "custom_id", "user_id"
Done = Callable[[str, CommunicationUserIdentifier], None]
Refused = Callable[[str, HttpResponseError], None]


class InputError(Exception):
    """An unusable file or environment variable; the message says what is expected."""


@asynccontextmanager
async def client_of_environment() -> AsyncIterator[CommunicationIdentityClient]:
    name = setting_of_environment()
    if not name:
        raise InputError(f"set {CONNECTION_STRINGS[0]} or {ENDPOINT}")
    async with AsyncExitStack() as stack:
        try:
            if name in CONNECTION_STRINGS:
                client = CommunicationIdentityClient.from_connection_string(os.environ[name])
            else:
                from azure.identity.aio import DefaultAzureCredential

                credential = await stack.enter_async_context(DefaultAzureCredential())
                client = CommunicationIdentityClient(os.environ[name], credential)
        except ValueError as error:
            raise InputError(f"{name}: {error}") from error
        except ModuleNotFoundError as error:
            hint = "Run python -m pip install azure-identity"
            raise InputError(f"{error.name} is not installed. {hint}") from error
        except ImportError as error:
            raise InputError(str(error)) from error
        yield await stack.enter_async_context(client)


async def create_user(
    client: CommunicationIdentityClient, custom_id: str
) -> CommunicationUserIdentifier:
    return await client.create_user(
        custom_id=custom_id,
        api_version=ApiVersion.V2025_03_02_PREVIEW,
        # The service may throttle for up to 30 seconds. The client waits for as long as Retry-After
        # says or, without it, longer each time.
        retry_total=10,
        retry_status=10,
        retry_backoff_max=30,
    )


class Pace:
    """Limits the calls per second."""

    def __init__(self, per_second: float) -> None:
        # A rate that is not a whole number is one of more seconds: 0.5 a second is 1 in 2 seconds.
        seconds = 1 if per_second >= 1 else round(1 / per_second)
        self._limit = RateLimitItemPerSecond(max(1, int(per_second * seconds)), seconds)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def turn(self) -> None:
        while not await self._limiter.hit(self._limit):
            opens_at, _ = await self._limiter.get_window_stats(self._limit)
            await asyncio.sleep(max(0.001, opens_at - time.time()))


class Shard(NamedTuple):
    """The part of the list that this machine works on."""

    number: int
    of: int

    def has(self, custom_id: str) -> bool:
        # By the id itself: the order of a machine's list does not matter.
        return crc32(custom_id.encode("utf-8", "surrogatepass")) % self.of == self.number - 1


async def provision(
    client: CommunicationIdentityClient,
    custom_ids: Iterable[str],
    *,
    done: Done,
    refused: Refused,
    at_once: int,
    per_second: float,
) -> None:
    """Creates the users, at most `at_once` at a time."""
    pace = Pace(per_second)
    waiting = iter(custom_ids)

    async def work() -> None:
        for custom_id in waiting:
            await pace.turn()
            try:
                user = await create_user(client, custom_id)
            except HttpResponseError as error:
                if error.status_code != 400:
                    raise
                refused(custom_id, error)
            else:
                done(custom_id, user)

    workers = [asyncio.create_task(work()) for _ in range(at_once)]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.wait(workers)


def custom_ids_in(people: Path) -> list[str]:
    custom_ids: dict[str, None] = {}
    try:
        with people.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            columns = rows.fieldnames or ()
            if CUSTOM_ID not in columns:
                found = ", ".join(columns) or "none"
                raise InputError(f"{people} has no column {CUSTOM_ID}; its columns are: {found}")
            for row in rows:
                if not row[CUSTOM_ID]:
                    raise InputError(f"{people} has no {CUSTOM_ID} in line {rows.line_num}")
                custom_ids[row[CUSTOM_ID]] = None
    except OSError as error:
        raise InputError(
            f"{people} cannot be read: {error.strerror}. Name a CSV file with a column {CUSTOM_ID}"
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{people} is not a CSV file in UTF-8: {error}") from error
    return list(custom_ids)


def provisioned_in(users: Path) -> set[str]:
    """The custom ids of an earlier run. The file is made, or cut behind its last whole row."""
    header = f"{CUSTOM_ID},{USER_ID}\n".encode()
    try:
        with users.open("a+b") as file:
            file.seek(0)
            written = file.read()
            whole = written[: written.rfind(b"\n") + 1]
            rows = csv.DictReader(StringIO(whole.decode(), newline=""))
            is_ours = (
                rows.fieldnames == [CUSTOM_ID, USER_ID] if whole else header.startswith(written)
            )
            if not is_ours:
                raise InputError(f"{users} is not from an earlier run: name another file to write")
            finished = {row[CUSTOM_ID] for row in rows}
            file.truncate(len(whole))
            file.write(b"" if whole else header)
            return finished
    except OSError as error:
        raise InputError(f"{users} cannot be written: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{users} is not a CSV file in UTF-8: {error}") from error


async def provision_to(users: Path, custom_ids: Sequence[str], options: argparse.Namespace) -> int:
    """Creates the users that the file does not have yet; returns how many were rejected."""
    refusals = 0
    async with client_of_environment() as client:
        finished = provisioned_in(users)
        missing = [custom_id for custom_id in custom_ids if custom_id not in finished]
        with (
            users.open("a", encoding="utf-8", newline="") as file,
            Progress(*Progress.get_default_columns(), MofNCompleteColumn()) as progress,
        ):
            rows = csv.writer(file, lineterminator="\n")
            bar = progress.add_task(
                "Creating users", total=len(custom_ids), completed=len(custom_ids) - len(missing)
            )

            def done(custom_id: str, user: CommunicationUserIdentifier) -> None:
                rows.writerow([custom_id, user.raw_id])
                file.flush()
                progress.advance(bar)

            def refused(custom_id: str, error: HttpResponseError) -> None:
                nonlocal refusals
                refusals += 1
                progress.console.print(f"{custom_id!r} was rejected: {error.message}", markup=False)

            await provision(
                client,
                missing,
                done=done,
                refused=refused,
                at_once=options.at_once,
                per_second=options.per_second / options.shard.of,
            )
    return refusals


async def until_ctrl_c(work: Awaitable[int]) -> int:
    # By a handler of our own, as Python before 3.11 interrupts whatever runs at the moment, and a
    # shell lets what it runs in the background ignore the signal.
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)
    before = signal.signal(signal.SIGINT, lambda *_: loop.call_soon_threadsafe(task.cancel))
    try:
        return await task
    finally:
        signal.signal(signal.SIGINT, before)


def whole_number(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 on, not {text!r}")
    return int(text)


def shard(text: str) -> Shard:
    number, _, of = text.partition("/")
    if number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of):
        return Shard(int(number), int(of))
    raise argparse.ArgumentTypeError(f"must be a part such as 1/4 to 4/4, not {text!r}")


def rate(text: str) -> float:
    with suppress(ValueError):
        if 0 < (number := float(text)) < math.inf:
            return number
    raise argparse.ArgumentTypeError(f"must be a number above 0, not {text!r}")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Creates a user for each custom id in a CSV file.")
    parser.add_argument("people", type=Path, help=f"a CSV file with a column {CUSTOM_ID}")
    parser.add_argument("users", type=Path, help="the CSV file to write, or to go on with")
    parser.add_argument(
        "--at-once", type=whole_number, default=20, help="requests at a time (%(default)s)"
    )
    parser.add_argument(
        "--per-second",
        type=rate,
        default=30,
        help="requests a second, of all shards; the service takes 1000 in 30 seconds (%(default)s)",
    )
    parser.add_argument(
        "--shard",
        type=shard,
        default=Shard(1, 1),
        metavar="I/N",
        help="create the users of part I of N only; another machine does the others",
    )
    options = parser.parse_args(arguments)
    try:
        custom_ids = list(filter(options.shard.has, custom_ids_in(options.people)))
        refusals = asyncio.run(until_ctrl_c(provision_to(options.users, custom_ids, options)))
    except InputError as error:
        parser.error(str(error))
    except asyncio.CancelledError:
        print("Interrupted. Start it again to go on.")
        return 130
    except AzureError as error:
        print(f"Stopped: {error}\nStart it again to go on.")
        return 1
    print(f"{refusals} were rejected." if refusals else "All users are there.")
    return 1 if refusals else 0


if __name__ == "__main__":
    sys.exit(main())
