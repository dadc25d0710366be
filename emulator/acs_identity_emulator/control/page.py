"""The page at `/`: shows the state of the emulator and the calls to it.

It is rendered here; a script of a few lines renews it, and sends what the buttons say to the
endpoints under `/.emulator/`. Nothing secret is in it: connection strings are fetched on request.
"""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from html import escape
from importlib.resources import files
from string import Template

from .._version import __version__
from ..authentication.authenticators import WireRequest
from ..contract.faults import ANY, FaultQueue
from ..contract.versions import Operation
from ..operations.calls import Answer, Html
from ..operations.service import Service
from ..state.clock import ServiceClock
from ..state.journal import Journal, JournalEntry

_ROWS = 50


class Page:
    """Renders the page."""

    def __init__(
        self,
        resource_id: str,
        service: Service,
        faults: FaultQueue,
        clock: ServiceClock,
        journal: Journal,
    ) -> None:
        self._resource_id = resource_id
        self._service = service
        self._faults = faults
        self._clock = clock
        self._journal = journal
        self._template = Template(
            files("acs_identity_emulator.control").joinpath("page.html").read_text(encoding="utf-8")
        )

    def answer(self, _: WireRequest) -> Answer:
        """The page as of now."""
        lifetime = self._service.token_lifetime
        nonce = secrets.token_urlsafe(16)
        text = self._template.substitute(
            nonce=nonce,
            version=escape(__version__),
            resource_id=escape(self._resource_id),
            now=_time(self._clock()),
            advanced=escape(str(self._clock.advanced)),
            lifetime="as asked for" if lifetime is None else escape(str(lifetime)),
            identity_count=self._service.identity_count(),
            identities=_rows(
                (each.id, each.custom_id or "", _time(each.last_token_issued_at))
                for each in self._service.identities(_ROWS)
            ),
            call_count=self._journal.recorded,
            calls=_rows(map(_shown, self._journal.newest(_ROWS))),
            faults=_rows(self._faults.waiting()),
            limits=_rows(self._service.limits()),
            operations="".join(
                f"<option>{name}</option>" for name in (ANY, *(each.value for each in Operation))
            ),
        )
        return Answer(200, Html(text, nonce))


def _shown(call: JournalEntry) -> Sequence[object]:
    return (
        _time(call.at),
        call.operation or f"{call.method} {call.path}",
        call.user or "",
        ", ".join(call.scopes),
        call.api_version or "",
        call.status,
        " ".join(filter(None, (call.error, call.reason))),
    )


def _rows(rows: Iterable[Sequence[object]]) -> str:
    return "\n".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows
    )


def _time(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M:%S")
