"""How many requests a second the token service answers, beside a bare aiohttp handler.

    python benchmarks/token_service/load.py [--quick] [--json FILE]

It takes about four minutes. Needs wrk, PostgreSQL and Redis.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import redis_entry
from million import speed
from service_programs import Result, bare, emulator, service, wrk

PROCESSES = (1, 2, 4)
PEOPLE = 300
LEAST_SHARE = 0.5  # of the bare handler, from the memory of the process
CONNECTIONS = 32
# Shorter than the people take their turns, as if each were somebody else.
_NOT_LOCAL = {"ACS_TOKEN_LOCAL_SECONDS": "0.05"}


class Kind(NamedTuple):
    """A way to run the service."""

    name: str
    environment: Mapping[str, str]
    needs_servers: bool = False


MEMORY = "memory of the process"
KINDS = (
    Kind(MEMORY, {"ACS_TOKEN_LOCAL_SECONDS": "3600"}),
    Kind("memory, SQLite asked each time", _NOT_LOCAL),
    Kind("Redis, PostgreSQL asked each time", _NOT_LOCAL, needs_servers=True),
)


class Figure(NamedTuple):
    """One row of the table. Times are in milliseconds."""

    kind: str
    processes: int
    rate: float
    p50: float
    p99: float
    cpu: float  # of all processes, for one request
    share: float  # of the rate of the bare handler in the same round


def sign_in(url: str, name: str) -> str:
    body = json.dumps({"name": name}).encode()
    with urllib.request.urlopen(f"{url}/development/signin", body) as response:
        return str(json.load(response)["bearer"])


def ask(url: str, bearer: str) -> dict[str, Any]:
    request = urllib.request.Request(f"{url}/token", headers={"Authorization": f"Bearer {bearer}"})
    with urllib.request.urlopen(request) as response:
        answer: dict[str, Any] = json.load(response)
        return answer


def fill(url: str, file: Path) -> str:
    """Signs people in and gets them tokens; returns one."""
    with ThreadPoolExecutor(4) as pool:
        bearers = list(pool.map(lambda number: sign_in(url, f"person-{number}"), range(PEOPLE)))
        tokens = list(pool.map(lambda bearer: ask(url, bearer)["token"], bearers))
    file.write_text("\n".join(bearers), encoding="utf-8")
    return str(tokens[0])


@contextmanager
def servers() -> Iterator[dict[str, str]]:
    """PostgreSQL and Redis, as settings of the service."""
    from servers import postgresql, redis  # of the tests

    from acs_token_service.tokens.encryption import new_key

    with postgresql() as database, redis() as cache:
        yield {
            "ACS_TOKEN_DATABASE_URL": "postgresql+asyncpg://postgres@"
            f"{database.host}:{database.port}/postgres",
            "ACS_TOKEN_CACHE_URL": f"redis://{cache.host}:{cache.port}/0",
            "ACS_TOKEN_CACHE_KEYS": new_key(),
        }


def measure(kind: Kind, processes: int, rounds: int, seconds: int) -> Iterator[Figure]:
    """Both in turn, round by round: machines are noisy, and only a round's ratio means much."""
    with tempfile.TemporaryDirectory() as folder, emulator() as connection_string:
        bearers = Path(folder, "bearers")
        environment = {"ACS_TOKEN_DATABASE_URL": f"sqlite+aiosqlite:///{folder}/people.db"}
        with started_servers(kind) as addresses:
            environment |= {**addresses, **kind.environment}
            workers = ("--workers", str(processes))
            with service(connection_string, *workers, environment=environment) as own:
                token = fill(own.url, bearers)
                with bare(processes, token) as other:

                    def ask_both() -> list[Result]:
                        return [
                            wrk(target, bearers, seconds=seconds, connections=CONNECTIONS)
                            for target in (other, own)
                        ]

                    ask_both()  # each process meets each person
                    results = [ask_both() for _ in range(rounds)]
    share = statistics.median(pair[1].rate / pair[0].rate for pair in results)
    yield figure("bare aiohttp handler", processes, [pair[0] for pair in results], 1.0)
    yield figure(kind.name, processes, [pair[1] for pair in results], share)


@contextmanager
def started_servers(kind: Kind) -> Iterator[dict[str, str]]:
    if not kind.needs_servers:
        yield {}
        return
    with servers() as addresses:
        yield addresses


def figure(kind: str, processes: int, results: list[Result], share: float) -> Figure:
    rate, p50, p99, cpu = (statistics.median(column) for column in zip(*results, strict=True))
    return Figure(
        kind, processes, round(rate), round(p50, 2), round(p99, 2), round(cpu, 3), round(share, 2)
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round, in a minute or two")
    parser.add_argument("--json", type=Path, help="keep the figures in this file")
    options = parser.parse_args()
    rounds, seconds = (1, 1) if options.quick else (7, 1)
    figures: list[Figure] = []
    for kind in KINDS:
        for processes in PROCESSES:
            bare_figure, own = measure(kind, processes, rounds, seconds)
            figures += [bare_figure, own] if kind.name == MEMORY else [own]
            print(own, file=sys.stderr)
    found = {
        "cores": os.cpu_count(),
        "python": sys.version.split()[0],
        "people": PEOPLE,
        "connections": CONNECTIONS,
        "redis_entry_bytes": round(redis_entry.measure()),
        "figures": [each._asdict() for each in figures],
    }
    print(speed(found))
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    shares = [each.share for each in figures if each.kind == MEMORY]
    if min(shares) < LEAST_SHARE:
        print(f"missed: {min(shares):.0%} of the bare handler, {LEAST_SHARE:.0%} is asked for")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
