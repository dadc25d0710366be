"""One cell of the matrix: a fault, an operation, a transport."""

from collections.abc import Callable
from typing import Any, NamedTuple

from either_client import EitherClient
from faults.endings import REDIRECTS, Ending, Repeated
from faults.shown import ENTRA_TOKEN
from faults.table import Fault

USER = "8:acs:a-user"
GUID = "11111111-2222-3333-4444-555555555555"

Operation = Callable[[EitherClient], Any]
OPERATIONS: dict[str, Operation] = {
    "create": lambda client: client.create_user().raw_id,
    "create by id": lambda client: client.create_user(custom_id="a").raw_id,
    "issue": lambda client: client.get_token(USER, ["chat"]).token,
    "exchange": lambda client: client.get_token_for_teams_user(ENTRA_TOKEN, GUID, GUID).token,
    "delete": lambda client: client.delete_user(USER),
    "list": lambda client: client.items(client.wrapped.list_entra_assignments())[0].object_id,
}


class Transport(NamedTuple):
    """How requests are sent.

    :ivar name: The name in the table.
    :ivar flavour: ``sync`` or ``async``.
    :ivar kind: ``default``, ``stock``, or ``session``.
    :ivar has_proxy: Whether a proxy is in between.
    :ivar is_secure: Whether all faults happen below TLS, to calls with an Entra credential.
    """

    name: str
    flavour: str
    kind: str
    has_proxy: bool = False
    is_secure: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """What rows call it, the most specific name first."""
        if self.flavour == "async":
            return self.name, "aiohttp"
        return self.name, "urllib3" if self.is_own else "requests"

    @property
    def is_own(self) -> bool:
        """Whether the transport is one of this library, on sessions of its own."""
        return self.kind == "default"


TRANSPORTS = (
    Transport("urllib3", "sync", "default"),
    Transport("urllib3, proxy", "sync", "default", has_proxy=True),
    Transport("urllib3, TLS, Entra", "sync", "default", is_secure=True),
    Transport("RequestsTransport", "sync", "stock"),
    Transport("requests.Session", "sync", "session"),
    Transport("aiohttp", "async", "default"),
    Transport("aiohttp, proxy", "async", "default", has_proxy=True),
    Transport("aiohttp, TLS, Entra", "async", "default", is_secure=True),
    Transport("AioHttpTransport", "async", "stock"),
    Transport("aiohttp.ClientSession", "async", "session"),
)


class Cell(NamedTuple):
    """A fault, an operation, a transport, and whether the call is repeated."""

    fault: Fault
    operation: str
    transport: Transport
    is_repeated: bool

    @property
    def applies(self) -> bool:
        """Whether there is such a cell."""
        fault, transport = self.fault, self.transport
        if fault.place == "tunnel":
            fits = transport.has_proxy
        else:
            fits = fault.place == "http" or not transport.has_proxy
        if transport.is_secure:
            # Those before the first request have cells of their own, in the place "tls".
            has_request = fault.script is not None and not fault.greets and not fault.endpoint
            fits = fault.place == "http" and has_request
        if not self.endings:
            fits = False
        if fault.needs_body and self.operation == "delete":
            fits = False  # 204 has no body
        return fits and (fault.operations is None or self.operation in fault.operations)

    @property
    def endings(self) -> tuple[Ending, ...]:
        """How the call may end; empty where a library leaves that to chance."""
        for name in self.transport.names:
            if name in self.fault.elsewhere:
                return self.fault.elsewhere[name].endings
        return self.fault.endings

    def expected_requests(self) -> range:
        """How often the request may be sent."""
        counts = {ending: self._requests_until(ending) for ending in self.endings}
        # azure-core counts failures to connect and to read separately. Where it depends on timing
        # which one is seen, a call may have both.
        kinds = {ending.value.error: count - 1 for ending, count in counts.items()}
        return range(min(counts.values()), 2 + sum(kinds.values()))

    def _requests_until(self, ending: Ending) -> int:
        if ending is Ending.LOOP:
            return 1 + REDIRECTS
        if not self.is_repeated:
            return 1
        repeated: Repeated = ending.value.repeated
        return repeated.attempts(self.operation != "create")
