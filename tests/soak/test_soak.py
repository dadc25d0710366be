"""A short soak: no user is lost, created twice, or mistaken for another."""

from pathlib import Path

import pytest
from soak.running import soak


@pytest.mark.heavy
def test_twenty_seconds(tmp_path: Path) -> None:
    # Memory grows in a process that has just started, and files until all tasks are connected.
    grows = ("megabytes", "files")
    assert [each for each in soak(20, tmp_path) if not each.startswith(grows)] == []
