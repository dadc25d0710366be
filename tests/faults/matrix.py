"""All cells, run by several processes."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import groupby
from multiprocessing import get_context

from faults import bad_answers, broken_http
from faults.cells import OPERATIONS, TRANSPORTS, Cell, Transport
from faults.endings import Ending
from faults.running import Outcome, Place, run
from faults.shown import trace_this_process
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
SLOW = {Ending.NO_CONNECTION_IN_TIME, Ending.NO_RESPONSE_IN_TIME, Ending.DEADLINE}
"""A call ends so when a timeout has passed."""

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")

Result = tuple[Cell, Outcome]


def cells_of(fault: Fault) -> list[Cell]:
    """The cells of a fault, in a fixed order."""
    cells = [
        Cell(fault, operation, transport, is_repeated)
        for transport in TRANSPORTS
        for operation in OPERATIONS
        for is_repeated in (True, False)
        if _adds_something(fault, operation, transport, is_repeated)
    ]
    return [cell for cell in cells if cell.applies]


def _adds_something(fault: Fault, operation: str, transport: Transport, is_repeated: bool) -> bool:
    if operation == "exchange":
        return not is_repeated  # it is repeated as issuing a token is
    if transport.is_secure and operation not in ("issue", "delete"):
        return False
    # Without retries, operations do not differ.
    return is_repeated or bool(fault.operations) or operation in ("create", "delete")


def run_all(cells: Iterable[Cell], processes: int) -> Iterator[Result]:
    """The outcomes of cells, in their order.

    :param cells: The cells. Those of a fault and a transport should follow one another.
    :param int processes: How many processes to use. Most cells wait most of the time.
    """
    batches = [
        list(batch) for _, batch in groupby(cells, lambda cell: (cell.fault.name, cell.transport))
    ]
    with ProcessPoolExecutor(processes, get_context("spawn"), trace_this_process) as pool:
        # The slowest first, so that nothing waits for them at the end.
        order = sorted(range(len(batches)), key=lambda number: -_patience(batches[number]))
        started = {
            number: pool.submit(_run_batch, _as_numbers(batches[number])) for number in order
        }
        for number, batch in enumerate(batches):
            yield from zip(batch, started[number].result(), strict=True)


def _patience(batch: list[Cell]) -> float:
    """About how long some cells wait, in seconds."""
    is_slow = bool(SLOW & set(batch[0].endings))
    return sum((4 if cell.is_repeated else 1) * is_slow for cell in batch) + len(batch) / 100


def _as_numbers(batch: list[Cell]) -> tuple[str, list[int]]:
    """Cells without their scripts, which cannot be sent to another process."""
    fault = batch[0].fault
    all_cells = cells_of(fault)
    return fault.name, [all_cells.index(cell) for cell in batch]


def _run_batch(batch: tuple[str, list[int]]) -> list[Outcome]:
    name, numbers = batch
    all_cells = cells_of(FAULTS[name])
    return run_cells(all_cells[number] for number in numbers)


def run_cells(cells: Iterable[Cell]) -> list[Outcome]:
    """The outcomes of some cells, run one after the other in this process."""
    for variable in _PROXIES:
        os.environ.pop(variable, None)
        os.environ.pop(variable.lower(), None)
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder)
        try:
            return [run(cell, place) for cell in cells]
        finally:
            place.close()
