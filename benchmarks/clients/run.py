"""Compares the client with its peers, and prints which targets are met.

    python benchmarks/clients/run.py           the whole table, in about five minutes
    python benchmarks/clients/run.py --quick   fewer rounds, in less than one

Needs Linux, nginx (Debian: apt-get install nginx-light), and for the JavaScript SDK node with npm.
wrk, if it is there, shows what the server itself can do. Only ratios within one run mean anything:
each round runs all clients in turn, and a figure is the median of the ratios of its rounds. Exits
with 1 when a target is missed.
"""

import argparse
import contextlib
import json
import platform
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from environments import javascript_worker, official_python, our_python, small_environment
from python_worker import ACCESS_KEY, IDS
from server import ceiling, nginx
from verifier import verifier
from workers import HERE, Worker, cpu_seconds_of, pinned_to, worker

VARIABLES = 20
FLOORS = ["requests", "urllib3", "http.client", "socket", "aiohttp", "aiohttp, 64 tasks"]


@dataclass(frozen=True)
class Effort:
    """How much is measured."""

    rounds: int
    calls: int
    cold_starts: int
    calls_for_growth: int


FULL = Effort(rounds=7, calls=1000, cold_starts=11, calls_for_growth=100_000)
QUICK = Effort(rounds=3, calls=300, cold_starts=3, calls_for_growth=5_000)


@dataclass(frozen=True)
class Row:
    """A figure and its target."""

    name: str
    figure: float
    target: float
    at_least: bool
    unit: str = "\u00d7"

    @property
    def is_met(self) -> bool:
        return self.figure >= self.target if self.at_least else self.figure <= self.target

    def __str__(self) -> str:
        bound = "\u2265" if self.at_least else "\u2264"
        verdict = "met" if self.is_met else "MISSED"
        return (
            f"{self.name:<58}{self.figure:>9.2f} {self.unit:<4}{bound} {self.target:<8g}{verdict}"
        )


class Benchmark:
    """One run: the server, the interpreters, and what was measured."""

    def __init__(self, endpoint: str, effort: Effort) -> None:
        self._endpoint = endpoint
        self._effort = effort
        self._official, self._ours = str(official_python()), str(our_python())
        self._javascript = javascript_worker()
        self.rows: list[Row] = []
        self.raw: dict[str, Any] = {}

    def command(self, client: str, kind: str, concurrency: int | str) -> list[str]:
        arguments = [self._endpoint, kind, str(concurrency)]
        if client == "javascript":
            return ["node", str(self._javascript), *arguments]
        python = self._official if client == "official" else self._ours
        return [python, str(HERE / "python_worker.py"), *arguments]

    def compare(
        self, name: str, calls: int, commands: dict[str, list[str]], **environments: int
    ) -> None:
        """Runs clients in turn, round by round, and keeps the answers under a name."""
        answers: dict[str, list[dict[str, float]]] = {client: [] for client in commands}
        with contextlib.ExitStack() as stack:
            workers: dict[str, Worker] = {
                client: stack.enter_context(
                    worker(command, small_environment(environments.get(client, VARIABLES)))
                )
                for client, command in commands.items()
            }
            for client, running in workers.items():
                # Connections and caches; V8 compiles during the first thousands of calls.
                running.calls(3000 if client == "javascript" else max(50, calls // 5))
            for _ in range(self._effort.rounds):
                for client, running in workers.items():
                    answers[client].append(running.calls(calls))
        self.raw[name] = {"calls": calls, "answers": answers}
        print(
            f"  {name}: "
            + ", ".join(
                f"{client} {1e6 * median(answer['cpu'] for answer in found) / calls:.0f} \u00b5s"
                for client, found in answers.items()
            ),
            flush=True,
        )

    def ratio(self, name: str, over: str, under: str, figure: str = "cpu") -> float:
        answers = self.raw[name]["answers"]
        pairs = zip(answers[over], answers[under], strict=True)
        found: float = median(first[figure] / second[figure] for first, second in pairs)
        return found

    def add(
        self, name: str, figure: float, target: float, at_least: bool, unit: str = "\u00d7"
    ) -> None:
        self.rows.append(Row(name, figure, target, at_least, unit))

    def has_javascript(self) -> bool:
        return self._javascript is not None

    def speed(self) -> None:
        calls = self._effort.calls
        peers = ["official", "ours", *(["javascript"] if self.has_javascript() else [])]
        for name, kind, concurrency in [
            ("sync", "sync", 1),
            ("8 threads", "sync", 8),
            ("async, 1 task", "async", 1),
            ("async, 64 tasks", "async", 64),
        ]:
            with_javascript = name in ("sync", "async, 64 tasks")
            commands = {
                client: self.command(client, kind, concurrency)
                for client in peers
                if client != "javascript" or with_javascript
            }
            self.compare(name, calls, commands)
        for name, target in [
            ("sync", 3.2),
            ("8 threads", 3.0),
            ("async, 1 task", 2.6),
            ("async, 64 tasks", 2.8),
        ]:
            self.add(
                f"{name}, against official", self.ratio(name, "official", "ours"), target, True
            )
        if self.has_javascript():
            for name in ("sync", "async, 64 tasks"):
                ratio = self.ratio(name, "javascript", "ours")
                self.add(f"{name}, against JavaScript", ratio, 1.0, True)

    def latency(self) -> None:
        for tasks in (256, 1024):
            name = f"async, {tasks} tasks"
            commands = {
                client: self.command(client, "async", tasks) for client in ("official", "ours")
            }
            self.compare(name, max(self._effort.calls, 4 * tasks), commands)
            self.add(
                f"p99 latency at {tasks} tasks, of official",
                self.ratio(name, "ours", "official", "p99"),
                0.2,
                False,
            )

    def cold_start(self) -> None:
        environment = small_environment(VARIABLES)
        for kind, target in (("sync", 0.6), ("async", 1.0)):
            script = [str(HERE / "cold_start.py"), self._endpoint, kind]
            seconds = [
                (
                    cpu_seconds_of([self._official, *script], environment),
                    cpu_seconds_of([self._ours, *script], environment),
                )
                for _ in range(self._effort.cold_starts)
            ]
            self.raw[f"cold start, {kind}"] = seconds
            ratio = median(ours / official for official, ours in seconds)
            self.add(f"process start to first token, {kind}, of official", ratio, target, False)

    def refusals(self) -> None:
        """Measures the first rejected call of a process against later ones."""
        for kind in ("sync", "async"):
            script = [*pinned_to(0), self._ours, str(HERE / "first_refusal.py")]
            found = [
                json.loads(
                    subprocess.run(
                        [*script, self._endpoint, kind],
                        capture_output=True,
                        text=True,
                        check=True,
                        env=small_environment(VARIABLES),
                    ).stdout
                )
                for _ in range(self._effort.cold_starts)
            ]
            if any("msrest" in answer["imported"] for answer in found):
                raise SystemExit("the first rejected call imports msrest")
            self.raw[f"first refusal, {kind}"] = found
            ratio = median(answer["first"] / answer["later"] for answer in found)
            self.add(f"first rejected call, {kind}, of a later one", ratio, 3.0, False)

    def environment_variables(self) -> None:
        command = self.command("ours", "sync", 1)
        self.compare(
            "environment", self._effort.calls, {"few": command, "many": command}, few=5, many=300
        )
        self.add(
            "300 environment variables against 5",
            self.ratio("environment", "many", "few"),
            1.05,
            False,
        )

    def memory(self) -> None:
        """Measures memory on a service that checks the signature of each of the calls."""
        calls = self._effort.calls_for_growth
        command = self.command("ours", "sync", 1)
        with verifier(ACCESS_KEY) as checker:
            command[-3] = checker.endpoint
            with worker(command, small_environment(VARIABLES)) as running:
                running.calls(1)
                first = running.ask("memory")["memory"]
                running.calls(IDS)  # all caches are full
                settled = running.ask("memory")["memory"]
                for _ in range(0, calls, IDS):
                    running.calls(IDS)  # in parts, as the worker keeps the latencies of each
                last = running.ask("memory")["memory"]
        if checker.denied:
            raise SystemExit(f"{checker.denied} of {calls} signatures are wrong")
        print(f"  the signatures of {calls} more calls are right")
        self.raw["memory"] = {"first": first, "settled": settled, "last": last}
        self.add("memory after the first token", first, 34, False, "MB")
        self.add(f"growth over {calls} calls", last - settled, 0.5, False, "MB")

    def small_things(self) -> None:
        def measure(python: str) -> dict[str, float]:
            command = [*pinned_to(0), python, str(HERE / "small_things.py")]
            output = subprocess.run(
                command,
                capture_output=True,
                text=True,
                check=True,
                env=small_environment(VARIABLES),
            ).stdout
            found: dict[str, float] = json.loads(output)
            return found

        pairs = [
            (measure(self._official), measure(self._ours)) for _ in range(self._effort.cold_starts)
        ]
        self.raw["small things"] = pairs
        self.add(
            "client construction",
            median(1e6 * ours["construction"] for _, ours in pairs),
            100,
            False,
            "\u00b5s",
        )
        self.add(
            "memory of a client", median(ours["size"] / 1024 for _, ours in pairs), 20, False, "KiB"
        )
        parsing = median(ours["parsing"] / official["parsing"] for official, ours in pairs)
        self.add("10 000 identifiers parsed, of official", parsing, 1.0, False)

    def floors(self) -> None:
        commands = {library: self.command("ours", "floor", library) for library in FLOORS}
        commands["ours"] = self.command("ours", "sync", 1)
        self.compare("floors", self._effort.calls, commands)

    def verify(self) -> None:
        """Has every signature checked once that is going to be timed."""
        for kind, concurrency in (("sync", 1), ("sync", 8), ("async", 64)):
            with verifier(ACCESS_KEY) as checker:
                command = self.command("ours", kind, concurrency)
                command[-3] = checker.endpoint
                with worker(command, small_environment(VARIABLES)) as running:
                    running.calls(IDS)
            if checker.denied or len(checker.verified) != IDS:
                raise SystemExit(f"{kind} {concurrency}: {checker.denied} signatures are wrong")
        print(f"  the signatures of {IDS} users are right, from one thread, 8 threads, 64 tasks")


def main() -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was measured")
    options = parser.parse_args()
    with nginx(pinned_to(1)) as endpoint:
        benchmark = Benchmark(endpoint, QUICK if options.quick else FULL)
        print(f"Python {platform.python_version()}, {platform.machine()}; CPU per get_token:")
        limit = ceiling(endpoint, pinned_to(0))
        print(
            f"  the server answers {limit:.0f} requests a second"
            if limit
            else "  no wrk: no ceiling"
        )
        benchmark.verify()
        benchmark.speed()
        benchmark.latency()
        benchmark.environment_variables()
        benchmark.floors()
        benchmark.memory()
        benchmark.cold_start()
        benchmark.refusals()
        benchmark.small_things()
    print()
    print(*benchmark.rows, sep="\n")
    if options.json:
        rows = [asdict(row) | {"is_met": row.is_met} for row in benchmark.rows]
        result = {
            "python": platform.python_version(),
            "ceiling": limit,
            "rows": rows,
            "raw": benchmark.raw,
        }
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    return 0 if all(row.is_met for row in benchmark.rows) else 1


if __name__ == "__main__":
    sys.exit(main())
