"""All cells, run by several processes."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from faults import bad_answers, broken_http
from faults.cells import OPERATIONS, TRANSPORTS, Cell
from faults.running import Outcome, Place, run
from faults.table import Fault

FAULTS: dict[str, Fault] = {
    fault.name: fault
    for faults in (
        broken_http.CONNECTION,
        broken_http.TLS,
        broken_http.TUNNEL,
        broken_http.STATUS_LINE,
        broken_http.HEADERS,
        broken_http.LENGTHS,
        broken_http.CHUNKS,
        bad_answers.CODINGS,
        bad_answers.BODIES,
        bad_answers.STATUSES,
        bad_answers.WAITS,
        bad_answers.REDIRECTS,
        bad_answers.ANSWERS,
    )
    for fault in faults
}
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")

Result = tuple[Cell, Outcome]


def cells_of(fault: Fault) -> list[Cell]:
    """The cells of a fault, in a fixed order."""
    cells = [
        Cell(fault, operation, transport, is_repeated)
        for transport in TRANSPORTS
        for operation in OPERATIONS
        for is_repeated in (True, False)
        # Without retries, operations do not differ.
        if is_repeated or fault.operations or operation in ("create", "delete")
    ]
    return [cell for cell in cells if cell.applies]


def run_all(names: Iterable[str], processes: int) -> Iterator[Result]:
    """The outcomes of all cells of some faults, fault by fault.

    :param names: The names of the faults.
    :param int processes: How many processes to use. Most cells wait most of the time.
    """
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        for name, outcomes in zip(names, pool.map(_run_fault, names), strict=True):
            yield from zip(cells_of(FAULTS[name]), outcomes, strict=True)


def _run_fault(name: str) -> list[Outcome]:
    return run_cells(cells_of(FAULTS[name]))


def run_cells(cells: Iterable[Cell]) -> list[Outcome]:
    """The outcomes of some cells, run one after the other."""
    for variable in _PROXIES:
        os.environ.pop(variable, None)
        os.environ.pop(variable.lower(), None)
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder)
        try:
            return [run(cell, place) for cell in cells]
        finally:
            place.close()
