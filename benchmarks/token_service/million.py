"""The tables of the README, from what load.py measured: speed, and what a million users a day need.

python benchmarks/token_service/load.py --json benchmarks/token_service/results.json
python benchmarks/token_service/million.py benchmarks/token_service/results.json
"""

import argparse
import json
import math
from pathlib import Path
from typing import Any

USERS = 1_000_000  # that are active on a day
ASKS = 4  # of a user a day: an app asks when it starts
PEAK = 5  # times the average
CORES = 2  # of a machine
UTILISATION = 0.5  # of a core at the peak
LIMIT = 1000  # calls of an operation in 30 seconds, by default
RESERVE = 0.1
WINDOW = 33  # seconds in which the service makes as many calls as the resource allows in 30
KIND = "Redis, PostgreSQL asked each time"


def speed(results: dict[str, Any]) -> str:
    """The figures of load.py."""
    lines = [
        "| Tokens from | Processes | Requests/s | p50, ms | p99, ms | CPU, ms | Of bare aiohttp |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {each['kind']} | {each['processes']} | {each['rate']:,.0f} | {each['p50']:.1f} "
        f"| {each['p99']:.1f} | {each['cpu']:.2f} | {each['share']:.0%} |"
        for each in results["figures"]
    ]
    return "\n".join(lines)


def needs(results: dict[str, Any]) -> str:
    """What a million users a day need, if every request asks Redis and PostgreSQL."""
    cpu = max(each["cpu"] for each in results["figures"] if each["kind"] == KIND)
    entry = results["redis_entry_bytes"]
    average = USERS * ASKS / 86_400
    peak = average * PEAK
    machines = math.ceil(peak * cpu / 1000 / (CORES * UTILISATION))
    issues = USERS / 86_400 * PEAK
    allowed = LIMIT * (1 - RESERVE) / WINDOW
    ask_for = math.ceil(issues * WINDOW / (1 - RESERVE) / 100) * 100
    rows = {
        "Requests a second, average and peak": f"{average:.0f}, {peak:.0f}",
        "CPU for a request that asks Redis and PostgreSQL": f"{cpu:.1f} ms",
        f"Machines of {CORES} cores, half busy at the peak": f"{machines}, and one to spare",
        "Redis for a token, and for all": f"{entry / 1000:.1f} KB, {entry * USERS / 1e9:.1f} GB",
        "Tokens issued a second, average and peak": f"{USERS / 86_400:.0f}, {issues:.0f}",
        "Issued at most by the default limit": f"{allowed:.0f} a second",
        "Ask Azure for": f"{ask_for} tokens in 30 seconds",
        "New people a day within the default limit": f"{allowed * 86_400 / PEAK:,.0f}",
    }
    lines = [f"| {name} | {value} |" for name, value in rows.items()]
    return "\n".join(["| | |", "|---|---|", *lines])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    results = json.loads(parser.parse_args().results.read_text(encoding="utf-8"))
    print(speed(results), needs(results), sep="\n\n")


if __name__ == "__main__":
    main()
