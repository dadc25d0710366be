"""The figures of the README are those of the file that load.py wrote."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "benchmarks" / "token_service"
RESULTS = FOLDER / "results.json"


def test_the_tables_of_the_readme_are_printed_from_the_results() -> None:
    readme = (ROOT / "token_service" / "README.md").read_text(encoding="utf-8")
    printed = subprocess.run(
        [sys.executable, str(FOLDER / "million.py"), str(RESULTS)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    speed, needs = printed.rstrip().split("\n\n")
    assert speed in readme
    assert needs in readme


def test_the_plot_shows_every_rate_of_the_results() -> None:
    plot = (ROOT / "docs" / "token-service-load.svg").read_text(encoding="utf-8")
    for each in json.loads(RESULTS.read_text(encoding="utf-8"))["figures"]:
        assert f"<!-- {each['rate']:.0f} -->" in plot
