"""A short, seeded part of fuzzing. ``python -m tests.fuzz`` is the long one."""

from collections.abc import Iterator

import pytest
from fuzz import client_inputs, emulator_inputs, responses  # noqa: F401 # they add the targets
from fuzz.targets import OPEN, TARGETS, as_test


@pytest.fixture(scope="module", autouse=True)
def _closed() -> Iterator[None]:
    with OPEN:
        yield


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_seeded(name: str) -> None:
    as_test(name, derandomize=True, database=None, max_examples=10)()
