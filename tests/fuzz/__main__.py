"""Fuzzes the library and the emulator: 10 minutes in all, unless told otherwise.

python -m tests.fuzz                            all targets
python -m tests.fuzz endpoints waits            these targets
python -m tests.fuzz --seconds 60 endpoints     for a minute

With atheris, where it installs, else with hypothesis alone. A failure is printed with the smallest
input that hypothesis finds, and remembered in .hypothesis/fuzz: the next run begins with it.
"""

import argparse
import contextlib
import importlib
import importlib.util
import re
import subprocess
import sys
import time
import unittest
from pathlib import Path
from typing import Any

from hypothesis import Phase
from hypothesis.database import DirectoryBasedExampleDatabase

sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzz import targets

HAS_ATHERIS = importlib.util.find_spec("atheris") is not None

ROOT = Path(__file__).parents[2]
MODULES = ("client_inputs", "emulator_inputs", "responses")
# Of the database: so that the test of the same name finds what atheris found.
FAILURES = ROOT / ".hypothesis" / "fuzz"


def main() -> int:
    """Runs each target in a process of its own, and prints what came of it.

    :return: The exit code: 1 if a target failed.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="TARGET")
    parser.add_argument("--seconds", type=float, default=600, help="in all")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        (name,) = options.names
        return _fuzz(name, options.seconds)
    _import_targets()
    names = options.names or list(targets.TARGETS)
    failed = [name for name in names if not _run(name, options.seconds / len(names))]
    print(f"{len(names)} targets, {len(failed)} failed", *failed)  # noqa: T201
    return 1 if failed else 0


def _import_targets() -> None:
    for module in MODULES:
        importlib.import_module(f"fuzz.{module}")


def _run(name: str, seconds: float) -> bool:
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--one", name, "--seconds", str(seconds)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        errors="replace",
    )
    output = re.sub(r"^INFO: .*\n", "", done.stdout + done.stderr, flags=re.MULTILINE)
    count = re.search(r"(?:executed_units|inputs): *(\d+)", output)
    ended = "passed" if done.returncode == 0 else "FAILED"
    inputs = count[1] if count else "?"
    seconds = time.monotonic() - started
    print(f"{name:28} {ended}  {inputs:>8} inputs  {seconds:5.0f} s", flush=True)  # noqa: T201
    if done.returncode:
        print(output[-8000:])  # noqa: T201
    return done.returncode == 0


def _fuzz(name: str, seconds: float) -> int:
    database = DirectoryBasedExampleDatabase(FAILURES)
    if not HAS_ATHERIS:
        _import_targets()
        return _with_hypothesis(name, seconds, database)
    import atheris

    with atheris.instrument_imports(["azure.communication.identity", "acs_identity_emulator"]):
        _import_targets()
    _report(name, database)  # what an earlier run has found
    fuzz_one_input = targets.as_test(name, database=database).hypothesis.fuzz_one_input

    def one(octets: bytes) -> None:
        try:
            fuzz_one_input(octets)
        except BaseException:
            _report(name, database)  # raises the same again, with the smallest input
            raise

    FAILURES.mkdir(parents=True, exist_ok=True)
    libfuzzer = [f"-max_total_time={seconds:.0f}", "-timeout=120", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *libfuzzer, f"-artifact_prefix={FAILURES}/"], one)
    atheris.Fuzz()
    return 0


def _report(name: str, database: Any) -> None:
    with contextlib.suppress(unittest.SkipTest):  # the database is empty
        targets.as_test(name, database=database, phases=[Phase.reuse, Phase.shrink])()


def _with_hypothesis(name: str, seconds: float, database: Any) -> int:
    ends, count = time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        targets.as_test(name, database=database, max_examples=200)()
        count += 200
    print(f"inputs: {count}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
