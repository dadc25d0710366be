"""The command line of the programs that print a table of a document, or compare it."""

import argparse
import sys
from pathlib import Path


def print_or_check(
    table: str, document: Path, program: str, arguments: list[str] | None = None
) -> int:
    """Prints the table, or with ``--check`` tells whether the document has it.

    :param table: The table, in Markdown.
    :param document: The document.
    :param program: The name of the program in tools/.
    :param arguments: Those of the command line.
    :return: The exit code.
    """
    parser = argparse.ArgumentParser(description=f"Makes the table of {document.name}.")
    parser.add_argument("--check", action="store_true", help="compare, and print nothing")
    if not parser.parse_args(arguments).check:
        print(table, end="")
        return 0
    if table in document.read_text(encoding="utf-8"):
        return 0
    print(f"{document.name} has another table: run python tools/{program}", file=sys.stderr)
    return 1
