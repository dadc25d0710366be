"""Every fault has a known end: here some cells, by ``python -m tests.faults`` all of them."""

import random

import exception_table
from faults.endings import Ending
from faults.matrix import FAULTS, cells_of, run_cells

SEED = 14
# Their end is that of a timeout: they last.
SLOW = {Ending.NO_CONNECTION_IN_TIME, Ending.NO_RESPONSE_IN_TIME}


def test_there_are_faults_of_each_ending() -> None:
    assert {ending for fault in FAULTS.values() for ending in fault.endings} == set(Ending)
    assert len(FAULTS) > 150


def test_some_cells_of_each_fault() -> None:
    chosen = random.Random(SEED)
    cells = []
    for fault in FAULTS.values():
        is_slow = fault.own_only or SLOW & set(fault.endings)
        own = [c for c in cells_of(fault) if c.transport.is_own and not (is_slow and c.is_repeated)]
        cells.append(chosen.choice(own))
        if not is_slow and chosen.random() < 0.3:
            cells.append(chosen.choice(cells_of(fault)))
    outcomes = zip(cells, run_cells(cells), strict=True)
    broken = {
        (cell.fault.name, cell.operation, cell.transport.name, cell.is_repeated): outcome
        for cell, outcome in outcomes
        if outcome.complaints
    }
    assert broken == {}


def test_the_table_of_exceptions_is_the_one_of_the_document() -> None:
    assert exception_table.main(["--check"]) == 0
