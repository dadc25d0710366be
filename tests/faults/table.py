"""The faults: what goes wrong, and how a call has to end."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from faults.endings import Ending
from faults.server import Script


class Elsewhere(NamedTuple):
    """How a call ends with a library that treats a fault in its own way.

    :ivar reason: What the library does.
    :ivar endings: The endings. None at all where the library leaves the call to chance.
    """

    reason: str
    endings: tuple[Ending, ...]


class Fault(NamedTuple):
    """One row of the matrix.

    :ivar name: What goes wrong.
    :ivar script: What the server does. None if there is no server to connect to.
    :ivar endings: How the call may end; more than one if that depends on timing.
    :ivar race: What it depends on.
    :ivar elsewhere: What differs, by the library or the name of the transport.
    :ivar place: ``http`` for all transports, ``direct`` for those without a proxy, ``tls`` for
        those with TLS in addition, ``tunnel`` for those with a proxy, to an https endpoint.
    :ivar needs_body: Whether only responses with a body have it.
    :ivar operations: The only operations that have it, or None.
    :ivar greets: Whether the server acts before it has read a request.
    :ivar calls: How many calls are made. The last one is looked at; those before succeed.
    :ivar pause: Seconds between two calls.
    :ivar timeout: The deadline of the call in seconds.
    :ivar options: Options of the client.
    :ivar endpoint: The endpoint, if it is not the server's.
    :ivar certificate: The name of the certificate of a TLS server.
    """

    name: str
    script: Script | None
    endings: tuple[Ending, ...]
    place: str = "http"
    needs_body: bool = False
    operations: tuple[str, ...] | None = None
    greets: bool = False
    calls: int = 1
    pause: float = 0.0
    timeout: float = 20.0
    options: Mapping[str, Any] = MappingProxyType({})
    endpoint: str | None = None
    certificate: str = "trusted"
    race: str = ""
    elsewhere: Mapping[str, Elsewhere] = MappingProxyType({})


def at(libraries: str | tuple[str, ...], reason: str, *endings: Ending) -> dict[str, Elsewhere]:
    """What differs with a library, or with some, for short."""
    names = (libraries,) if isinstance(libraries, str) else libraries
    return dict.fromkeys(names, Elsewhere(reason, endings))


STOCK = ("requests", "AioHttpTransport")
"""The transports of azure-core."""


def row(name: str, script: Script | None, *endings: Ending, **details: Any) -> Fault:
    """A fault, for short."""
    return Fault(name, script, endings, **details)
