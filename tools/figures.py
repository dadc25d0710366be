"""Writes the figures of benchmarks/results.json into the documents that quote them.

python tools/figures.py           writes them
python tools/figures.py --check   exits with 1 if a document has other figures
"""

import argparse
import json
import re
import sys
from pathlib import Path
from statistics import median
from typing import Any

CHECKOUT = Path(__file__).parents[1]
RESULTS = CHECKOUT / "benchmarks" / "results.json"
DOCUMENTS = [CHECKOUT / "README.md", CHECKOUT / "benchmarks" / "README.md"]
_TABLE = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- end of figures -->)", re.DOTALL)


def cpu(results: dict[str, Any]) -> str:
    """The CPU time of a call, of each client, as a table in Markdown."""
    lines = [
        f"| Python {results['python']} | 1.5.0 | this library | 1.5.0 / this library |",
        "|---|---|---|---|",
    ]
    ratios = {row["name"]: row["figure"] for row in results["rows"]}
    for name in ("sync", "8 threads", "async, 1 task", "async, 64 tasks"):
        official, ours = (_microseconds(results["raw"][name], who) for who in ("official", "ours"))
        ratio = ratios[f"{name}, against official"]
        lines.append(f"| {name} | {official:.0f} µs | {ours:.0f} µs | {ratio:.1f}\u00d7 |")
    return "\n".join(lines) + "\n"


def targets(results: dict[str, Any]) -> str:
    """Every figure with its target, as a table in Markdown."""
    lines = ["| Figure | Measured | Target | |", "|---|---|---|---|"]
    for row in results["rows"]:
        bound = "≥" if row["at_least"] else "≤"
        unit = row["unit"] if row["unit"] == "\u00d7" else f" {row['unit']}"
        lines.append(
            f"| {row['name']} | {row['figure']:.2f}{unit} | {bound} {row['target']:g}{unit} "
            f"| {'met' if row['is_met'] else 'missed'} |"
        )
    return "\n".join(lines) + "\n"


def _microseconds(measured: dict[str, Any], client: str) -> float:
    calls: int = measured["calls"]
    seconds: list[float] = [answer["cpu"] for answer in measured["answers"][client]]
    return 1e6 * median(seconds) / calls


def with_figures(text: str, results: dict[str, Any]) -> str:
    """A document with the figures of these results.

    :raises KeyError: If a marker names an unknown table, or the results lack a figure.
    """
    tables = {"cpu": cpu, "targets": targets}
    return _TABLE.sub(lambda found: found[1] + tables[found[2]](results) + found[3], text)


def main(arguments: list[str] | None = None) -> int:
    """Writes or checks the figures.

    :param arguments: Those of the command line.
    :return: The exit code.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    is_check = parser.parse_args(arguments).check
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    outdated = []
    for document in DOCUMENTS:
        before = document.read_text(encoding="utf-8")
        after = with_figures(before, results)
        if after != before:
            outdated.append(document)
            if not is_check:
                document.write_text(after, encoding="utf-8")
    if is_check and outdated:
        names = ", ".join(str(document) for document in outdated)
        print(f"other figures in {names}: run python tools/figures.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
