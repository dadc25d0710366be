"""Runs both clients at full speed, with faults, key rotations and restarts of the emulator.

python -m tests.soak                 10 minutes
python -m tests.soak --seconds 20    a short run, as one of the heavy tests

64 threads share a sync client, 1,000 tasks an async one. Every hundredth call has a fault, the
access keys are rotated, and the emulator is restarted twice, on the same port and database.
Afterwards each acknowledged user is looked up in the journal of the emulator. Exits with 1 if a
user is missing, was created twice, or got another user's token, or if memory, files or threads
grow. Linux only: it reads /proc.
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from soak.running import soak


def main() -> int:
    """Runs, and prints the figures.

    :return: The exit code.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=600, help="default: %(default)s")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        problems = soak(options.seconds, Path(folder))
    print(*problems[:20], f"{len(problems)} problems", sep="\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
