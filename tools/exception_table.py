"""Makes the table of TROUBLESHOOTING.md that says which failure is which exception.

python tools/exception_table.py           prints it
python tools/exception_table.py --check   exits with 1 if TROUBLESHOOTING.md has another one

The rows are those of tests/faults/, whose matrix provokes each failure on each transport.
"""

import argparse
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
DOCUMENT = CHECKOUT / "TROUBLESHOOTING.md"
sys.path.insert(0, str(CHECKOUT / "tests"))

from faults.endings import Ending  # noqa: E402 - found by the line above
from faults.matrix import FAULTS  # noqa: E402

_HEAD = """\
| Failure | Exception | Repeated | Seen after |
|---|---|---|---|
"""
_EXAMPLES = 6


def table() -> str:
    """The table, in Markdown."""
    return _HEAD + "".join(f"{_row(ending)}\n" for ending in Ending if ending.value.error)


def _row(ending: Ending) -> str:
    title, error, repeated = ending.value
    names = [fault.name for fault in FAULTS.values() if fault.endings == (ending,)]
    shown = "; ".join(names[:: max(1, -(-len(names) // _EXAMPLES))])
    return f"| {title} | `{'' if error is None else error.__name__}` | {repeated.value} | {shown} |"


def main(arguments: list[str] | None = None) -> int:
    """Prints or checks the table.

    :param arguments: Those of the command line.
    :return: The exit code.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare, and print nothing")
    if not parser.parse_args(arguments).check:
        print(table(), end="")
        return 0
    if table() in DOCUMENT.read_text(encoding="utf-8"):
        return 0
    print(
        f"{DOCUMENT.name} has another table: run python tools/exception_table.py", file=sys.stderr
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
