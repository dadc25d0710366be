"""Every fault has a known end: here some cells, by ``python -m tests.faults`` all of them."""

import random
from collections.abc import Iterable, Iterator
from pathlib import Path

import exception_table
import pytest
from faults.cells import Cell
from faults.emulator import secrets_shown
from faults.endings import Ending
from faults.matrix import FAULTS, SLOW, Result, cells_of, run_all, run_cells

SEED = 14
QUICK, HEAVY = 60, 2000


def broken(results: Iterable[Result]) -> dict[str, tuple[str, ...]]:
    """What is wrong, by cell."""
    return {
        ", ".join((cell.fault.name, cell.operation, cell.transport.name)): complaints
        for cell, (*_, complaints) in results
        if complaints
    }


def in_order(cells: Iterable[Cell], count: int) -> list[Cell]:
    """Some of the cells, in their order."""
    everything = list(cells)
    chosen = random.Random(SEED).sample(range(len(everything)), count)
    return [everything[number] for number in sorted(chosen)]


def all_cells() -> Iterator[Cell]:
    """The cells of all faults."""
    return (cell for fault in FAULTS.values() for cell in cells_of(fault))


def test_there_are_faults_of_each_ending() -> None:
    assert {ending for fault in FAULTS.values() for ending in fault.endings} == set(Ending)
    assert len(FAULTS) > 150


def test_what_is_not_the_same_everywhere_has_a_reason() -> None:
    for fault in FAULTS.values():
        assert bool(fault.race) is (len(fault.endings) > 1), fault.name
        for reason, endings in fault.elsewhere.values():
            assert reason
            assert endings != fault.endings


def test_some_cells() -> None:
    fast = (cell for cell in all_cells() if not SLOW & set(cell.endings))
    cells = in_order(fast, QUICK)
    assert broken(zip(cells, run_cells(cells), strict=True)) == {}


@pytest.mark.heavy
def test_many_cells() -> None:
    assert broken(run_all(in_order(all_cells(), HEAVY), 8)) == {}


@pytest.mark.heavy
def test_the_emulator_shows_no_secret(tmp_path: Path) -> None:
    looked_for, found = secrets_shown(tmp_path)
    assert looked_for > 30
    assert found == []


def test_the_table_of_exceptions_is_the_one_of_the_document() -> None:
    assert exception_table.main(["--check"]) == 0
