"""Runs the matrix of faults, and prints it.

python -m tests.faults                       all faults
python -m tests.faults "gzip bomb" closed    these faults
python -m tests.faults --broken              only cells that break a rule
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from faults.emulator import secrets_shown
from faults.matrix import FAULTS, Result, cells_of, run_all


def main() -> int:
    """Prints the table.

    :return: The exit code: 1 if a rule is broken.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("faults", nargs="*", metavar="FAULT", help="the name of a fault")
    parser.add_argument("--broken", action="store_true", help="print broken rules only")
    parser.add_argument("--processes", type=int, default=8, help="default: %(default)s")
    options = parser.parse_args()
    names = options.faults or list(FAULTS)
    cells = [cell for name in names for cell in cells_of(FAULTS[name])]
    began = time.monotonic()
    broken = count = 0
    for result in run_all(cells, options.processes):
        is_broken = bool(result[1].complaints)
        count += 1
        broken += is_broken
        if is_broken or not options.broken:
            print(_line(result), flush=True)  # noqa: T201
    if not options.faults:
        with tempfile.TemporaryDirectory() as folder:
            looked_for, found = secrets_shown(Path(folder))
        broken += len(found)
        print(*(f"emulator: {each}" for each in found), sep="\n", end="")  # noqa: T201
        print(f"emulator: {looked_for} secrets, {len(found)} of which are shown")  # noqa: T201
    seconds = time.monotonic() - began
    summary = f"{len(names)} faults, {count} cells, {broken} of which break a rule, {seconds:.0f} s"
    print(summary)  # noqa: T201
    return 1 if broken else 0


def _line(result: Result) -> str:
    cell, outcome = result
    columns = [
        f"{cell.fault.name:36}",
        f"{cell.operation:12}",
        f"{cell.transport.name:21}",
        "retries  " if cell.is_repeated else "no retries",
        f"{outcome.ended:28}",
        f"{outcome.seconds:6.2f} s",
        f"{outcome.attempts} sent",
        outcome.left_open or "nothing open",
        "; ".join(outcome.complaints),
    ]
    return "  ".join(columns).rstrip()


if __name__ == "__main__":
    sys.exit(main())
