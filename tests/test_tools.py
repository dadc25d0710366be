"""The programs for developers that no other test runs."""

import json
from pathlib import Path

import code_size
import figures
import pytest
import retry_table

SOURCE = b'''"""A docstring
of two lines."""

# A comment.
LIMIT = 1
"""A docstring of an attribute."""


def double(number: int) -> int:
    """One more."""
    return (
        2 * number  # on a line of code
    )
'''


def test_docstrings_comments_and_blank_lines_are_no_code() -> None:
    assert code_size.lines_of_code(SOURCE) == 5


def test_generated_code_does_not_count() -> None:
    names = {str(path.relative_to(code_size.LIBRARY)) for path in code_size.modules()}
    assert "_pipeline/retries.py" in names
    assert not any("_generated" in name for name in names)


def test_the_table_of_retries_says_what_creations_are_repeated_after() -> None:
    rows = retry_table.table().splitlines()
    assert rows[2].startswith("| create a user with a custom_id | `POST /identities` |")
    assert rows[2].endswith("no connection, no complete response, 408, 429, 500, 502, 503, 504 |")
    assert rows[3].endswith("| no connection, 429, 503 |")
    assert rows[-1] == "| anything else |  | no connection, 429, 503 |"


def test_another_table_in_the_document_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    document = tmp_path / "timeouts-and-retries.md"
    monkeypatch.setattr(retry_table, "DOCUMENT", document)
    document.write_text(f"# Retries\n\n{retry_table.table()}\nMore.\n", encoding="utf-8")
    assert retry_table.main(["--check"]) == 0
    document.write_text(retry_table.table().replace("503", "500"), encoding="utf-8")
    assert retry_table.main(["--check"]) == 1


def test_the_figures_of_a_document_are_those_of_the_results(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    document, results = tmp_path / "README.md", tmp_path / "results.json"
    monkeypatch.setattr(figures, "DOCUMENTS", [document])
    monkeypatch.setattr(figures, "RESULTS", results)
    names = ["sync", "8 threads", "async, 1 task", "async, 64 tasks"]
    answers = {"official": [{"cpu": 0.6}, {"cpu": 0.5}, {"cpu": 0.4}], "ours": [{"cpu": 0.25}]}
    rows = [
        {
            "name": f"{name}, against official",
            "figure": 2.04,
            "target": 3,
            "at_least": True,
            "unit": "\u00d7",
            "is_met": False,
        }
        for name in names
    ]
    raw = {name: {"calls": 1000, "answers": answers} for name in names}
    results.write_text(json.dumps({"python": "3.13.0", "rows": rows, "raw": raw}), encoding="utf-8")
    document.write_text(
        "<!-- figures: cpu -->\nold\n<!-- end of figures -->\n"
        "<!-- figures: targets -->\n<!-- end of figures -->\nMore.\n",
        encoding="utf-8",
    )
    assert figures.main(["--check"]) == 1
    assert figures.main([]) == 0
    text = document.read_text(encoding="utf-8")
    assert "| async, 1 task | 500 µs | 250 µs | 2.0\u00d7 |" in text
    assert "| sync, against official | 2.04\u00d7 | ≥ 3\u00d7 | missed |" in text
    assert "old" not in text
    assert text.endswith("More.\n")
    assert figures.main(["--check"]) == 0
