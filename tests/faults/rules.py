"""The rules that every call keeps, whatever goes wrong."""

from collections.abc import Iterator

from azure.core import exceptions
from faults.cells import Cell
from transports.raw_server import PATIENCE

_SLACK = 3.0
"""Seconds by which a call may outlast its deadline."""


def documented(error: BaseException) -> type[BaseException]:
    """The class by which azure-core documents an exception, or its own class."""
    for kind in type(error).__mro__:
        if kind.__module__ == exceptions.__name__:
            return kind
    return type(error)


def most_requests(cell: Cell) -> int:
    """How often a server may see the request of an attempt."""
    is_post = cell.operation not in ("delete", "list")
    is_foreign = cell.transport.flavour == "async" and not cell.transport.is_own
    # aiohttp repeats GET and DELETE itself, unless the connector is the one of this library.
    return 2 if is_foreign and not is_post else 1


def broken(cell: Cell, error: BaseException | None, seconds: float, attempts: int) -> Iterator[str]:
    """The rules that a call breaks.

    :param cell: The cell.
    :param error: The exception of the call.
    :param seconds: How long the call took.
    :param attempts: How often the request was sent.
    """
    fault = cell.fault
    yield from _about_the_class(cell, error)
    limit = fault.timeout + _SLACK
    if cell.transport.kind != "default" and cell.transport.flavour == "sync":
        # The sync transport of another library cannot interrupt a body that drips.
        limit = max(limit, PATIENCE + _SLACK)
    if seconds > limit:
        yield f"{seconds:.1f} s"
    expected = cell.expected_requests()
    if attempts not in expected:
        yield f"{attempts} requests in place of {' or '.join(map(str, expected))}"


def _about_the_class(cell: Cell, error: BaseException | None) -> Iterator[str]:
    kind = None if error is None else documented(error)
    expected = [ending.value.error for ending in cell.endings]
    if kind not in expected:
        names = sorted({"a result" if each is None else each.__name__ for each in expected})
        yield f"{'a result' if kind is None else kind.__name__} in place of {' or '.join(names)}"
