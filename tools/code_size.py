"""Counts the lines of code of the hand-written library.

    python tools/code_size.py    prints each module; exits with 1 if a limit is exceeded

Blank lines, comments and docstrings do not count as code. The length of a module counts all lines.
"""

import ast
import sys
import tokenize
from io import BytesIO
from pathlib import Path

LIBRARY = Path(__file__).parents[1] / "azure" / "communication" / "identity"
# What there is, rounded up: new code takes the place of old code, or moves the limit with a reason.
MOST_CODE = 5590
LONGEST_MODULE = 350
_NO_CODE = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}


def modules(library: Path = LIBRARY) -> list[Path]:
    """The hand-written modules."""
    found = library.rglob("*.py")
    return sorted(path for path in found if "_generated" not in path.relative_to(library).parts)


def lines_of_code(source: bytes) -> int:
    """The lines of a module that hold code."""
    lines: set[int] = set()
    for token in tokenize.tokenize(BytesIO(source).readline):
        if token.type not in _NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Constant):
            continue
        if isinstance(node.value.value, str):
            lines.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)


def main() -> int:
    """Prints the sizes.

    :return: The exit code.
    """
    total, too_long = 0, []
    for path in modules():
        source = path.read_bytes()
        code, length = lines_of_code(source), source.count(b"\n")
        total += code
        name = path.relative_to(LIBRARY)
        print(f"{code:>5} of {length:>4}  {name}")
        if length > LONGEST_MODULE:
            too_long.append(str(name))
    print(f"{total:>5} lines of code, of at most {MOST_CODE}")
    if too_long:
        print(f"longer than {LONGEST_MODULE} lines: {', '.join(too_long)}")
    return int(total > MOST_CODE or bool(too_long))


if __name__ == "__main__":
    sys.exit(main())
