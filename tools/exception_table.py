"""Makes the table of TROUBLESHOOTING.md that says which failure is which exception.

python tools/exception_table.py           prints it
python tools/exception_table.py --check   exits with 1 if TROUBLESHOOTING.md has another one

The rows are those of tests/faults/, whose matrix provokes each failure on each transport.
"""

import sys
from pathlib import Path

from table_in_document import print_or_check

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
    return print_or_check(table(), DOCUMENT, "exception_table.py", arguments)


if __name__ == "__main__":
    sys.exit(main())
