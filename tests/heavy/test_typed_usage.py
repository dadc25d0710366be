"""Type checkers see the clients as they are: right usages pass, and wrong ones are found."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
USAGES = ROOT / "tests" / "typed_usage.py"
MARK = re.compile(r"  # type: ignore\[([\w-]+)\]  # pyright: ignore\[(\w+)\]$", re.MULTILINE)

Findings = set[tuple[int, str]]
"""The lines that a checker reports, and the rules."""


def output_of(*command: str) -> str:
    # Nothing but the tree itself, whatever is installed.
    environment = {name: value for name, value in os.environ.items() if name != "MYPYPATH"}
    done = subprocess.run(
        [sys.executable, "-m", *command],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


def found_by_mypy(file: Path) -> Findings:
    output = output_of("mypy", "--config-file", "pyproject.toml", "--output", "json", str(file))
    found: list[dict[str, Any]] = [json.loads(line) for line in output.splitlines()]
    return {(each["line"], each["code"]) for each in found if each["severity"] == "error"}


def found_by_pyright(file: Path) -> Findings:
    project = ["--project", "pyproject.toml", "--pythonpath", sys.executable]
    output = output_of("pyright", *project, "--outputjson", str(file))
    found: list[dict[str, Any]] = json.loads(output)["generalDiagnostics"]
    # Counted from 0.
    return {(each["range"]["start"]["line"] + 1, each["rule"]) for each in found}


@pytest.mark.parametrize(("checker", "group"), [(found_by_mypy, 1), (found_by_pyright, 2)])
def test_the_wrong_usages_are_found_and_no_others(tmp_path: Path, checker: Any, group: int) -> None:
    text = USAGES.read_text("utf-8")
    marked = {
        (text.count("\n", 0, mark.start()) + 1, mark.group(group)) for mark in MARK.finditer(text)
    }
    assert len(marked) >= 40
    unmarked = tmp_path / "usages.py"
    unmarked.write_text(MARK.sub("", text), "utf-8")
    assert checker(unmarked) == marked
