"""Applies to all tests, those of the emulator and the token service included."""

import gc
import sys
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--heavy",
        action="store_true",
        help="also run the tests in folders named heavy*, and those marked heavy: "
        "they need dev_requirements_full.txt, and some of them PostgreSQL, Redis or Chromium",
    )


def pytest_configure(config: pytest.Config) -> None:
    if sys.version_info < (3, 11):
        # asyncio of 3.10 does not close the transports and the socket of a TLS connection that
        # breaks. The garbage collector finds them in any later test.
        for unclosed in ("transport", "<socket"):
            config.addinivalue_line("filterwarnings", f"ignore:unclosed {unclosed}:ResourceWarning")


def pytest_collection_finish() -> None:
    # A test that collects garbage does not go through the thousands of collected tests.
    gc.collect()
    gc.freeze()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    # Heavy modules import what a light environment does not have.
    is_left_out = collection_path.name.startswith("heavy") and not config.getoption("--heavy")
    return True if is_left_out else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--heavy"):
        return
    heavy = [item for item in items if item.get_closest_marker("heavy")]
    if heavy:
        config.hook.pytest_deselected(items=heavy)
        items[:] = [item for item in items if item not in set(heavy)]
