"""Makes the table of docs/timeouts-and-retries.md that says which operations are repeated.

python tools/retry_table.py           prints it
python tools/retry_table.py --check   exits with 1 if the document differs
"""

import sys
from pathlib import Path

from table_in_document import print_or_check

from azure.communication.identity._pipeline.retry_rules import (
    OPERATIONS,
    REJECTING_STATUSES,
    TRANSIENT_STATUSES,
    Operation,
)

DOCUMENT = Path(__file__).parents[1] / "docs" / "timeouts-and-retries.md"
_HEAD = """\
| Operation | Request | Repeated after |
|---|---|---|
"""


def table() -> str:
    """The table, in Markdown."""
    return _HEAD + "".join(f"{_row(operation)}\n" for operation in OPERATIONS)


def _row(operation: Operation) -> str:
    request = " ".join(part for part in (operation.method, operation.path) if part != ".*")
    request = request.replace("|", ", ").replace("[^/]+", "{id}")
    name = f"| {operation.name} | {f'`{request}`' if request else ''} |"
    return f"{name} {_failures(operation.is_repeatable)} |"


def _failures(is_repeatable: bool) -> str:
    statuses = sorted(TRANSIENT_STATUSES if is_repeatable else REJECTING_STATUSES)
    response = "no complete response, " if is_repeatable else ""
    return f"no connection, {response}{', '.join(map(str, statuses))}"


def main(arguments: list[str] | None = None) -> int:
    """Prints or checks the table.

    :param arguments: Those of the command line.
    :return: The exit code.
    """
    return print_or_check(table(), DOCUMENT, "retry_table.py", arguments)


if __name__ == "__main__":
    sys.exit(main())
