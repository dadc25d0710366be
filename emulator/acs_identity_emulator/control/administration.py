"""The endpoints that control and inspect the emulator: `IdentityEmulator` over HTTP."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from .._version import __version__
from ..authentication.access_keys import SLOTS, AccessKeys, pasted_key
from ..contract.errors import unknown_path
from ..contract.faults import ANY, PATTERN, FaultQueue
from ..contract.lifetimes import FARTHEST, TOKEN_SECONDS
from ..contract.versions import OPERATIONS, check_operation
from ..operations import bodies
from ..operations.calls import Answer
from ..operations.service import Service
from ..state.clock import ServiceClock
from ..state.journal import STATUSES, Journal
from .endpoints import FILLED, TEXT, ControlCall, Endpoint, camel, invalid, nullable, number
from .entra_administration import EntraAdministration

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEXTS = {"type": "array", "items": TEXT}
_NUMBER = {"type": "number"}
_COUNT = {"type": "integer"}
_FLAG = {"type": "boolean"}
_PAGE = 1000  # entries in an answer at most
_LIMIT = {"type": "integer", "minimum": 1, "maximum": _PAGE}
_BASE64 = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)$"
_STATUS = {"anyOf": [{**_COUNT, "enum": [0]}, {**_COUNT, "minimum": 100, "maximum": 599}]}


def _object(**properties: "Mapping[str, object]") -> dict[str, object]:
    return {"type": "object", "properties": properties}


def _list(name: str, item: "Mapping[str, object]") -> dict[str, object]:
    return _object(**{name: {"type": "array", "items": item}})


class Administration:
    """Handles the requests to the endpoints."""

    def __init__(
        self,
        *,
        resource_id: str,
        tenant_id: str,
        service: Service,
        keys: AccessKeys,
        entra: EntraAdministration,
        faults: FaultQueue,
        clock: ServiceClock,
        journal: Journal,
        reset: Callable[[], None],
    ) -> None:
        self._ids = {"resourceId": resource_id, "tenantId": tenant_id}
        self._service = service
        self._keys = keys
        self._entra = entra
        self._faults = faults
        self._clock = clock
        self._journal = journal
        self._reset = reset

    def endpoints(self) -> Sequence[Endpoint]:
        """The table of endpoints."""
        return [
            *self._endpoints_of_the_resource(),
            Endpoint(
                "GET",
                "identities",
                "The identities, in the order of their ids.",
                self._identities,
                query={"limit": _LIMIT, "after": TEXT},
                response=_list(
                    "identities",
                    _object(id=TEXT, customId=nullable(TEXT), lastTokenIssuedAt=nullable(_COUNT)),
                ),
            ),
            Endpoint(
                "POST",
                "tokens/validate",
                "Whether the service issued a token that is neither expired nor revoked.",
                self._validate_token,
                request={"token": FILLED},
                required=("token",),
                response=_object(valid=_FLAG),
            ),
            *self._entra.endpoints(),
            *self._endpoints_of_time(),
            *self._endpoints_of_faults(),
            *self._endpoints_of_calls(),
        ]

    def _endpoints_of_the_resource(self) -> Sequence[Endpoint]:
        return [
            Endpoint(
                "GET",
                "health",
                "Whether the emulator serves requests.",
                self._health,
                response=_object(status=TEXT, version=TEXT, resourceId=TEXT, tenantId=TEXT),
                is_public=True,
            ),
            Endpoint(
                "GET",
                "connection-strings",
                "The connection strings of both access keys.",
                self._connection_strings,
                response=_object(primary=TEXT, secondary=TEXT),
            ),
            Endpoint(
                "POST",
                "keys/{slot}/rotate",
                "Replaces an access key; tokens issued with the old key are revoked.",
                self._rotate_key,
                parameter={**TEXT, "enum": list(SLOTS)},
                request={"key": nullable({**TEXT, "pattern": _BASE64})},
                response=_object(key=TEXT),
            ),
        ]

    def _endpoints_of_time(self) -> Sequence[Endpoint]:
        shown = _object(now=TEXT, advancedSeconds=_NUMBER, tokenLifetimeSeconds=nullable(_COUNT))
        return [
            Endpoint("GET", "clock", "The time of the service.", self._clock_now, response=shown),
            Endpoint(
                "POST",
                "clock",
                "Advances the clock, or sets the lifetime of the tokens to come.",
                self._set_clock,
                request={
                    "advanceSeconds": nullable(
                        {**_NUMBER, "minimum": 0, "maximum": FARTHEST.total_seconds()}
                    ),
                    "tokenLifetimeSeconds": nullable(
                        {**_COUNT, "minimum": TOKEN_SECONDS[0], "maximum": TOKEN_SECONDS[-1]}
                    ),
                },
                response=shown,
            ),
        ]

    def _endpoints_of_faults(self) -> Sequence[Endpoint]:
        fault = _object(operation=TEXT, fault=TEXT, times=_COUNT, used=_COUNT)
        return [
            Endpoint(
                "GET",
                "faults",
                "The faults that wait for their requests.",
                self._list_faults,
                response=_list("faults", fault),
            ),
            Endpoint(
                "POST",
                "faults",
                "Makes the next requests of an operation fail.",
                self._inject_fault,
                request={
                    "operation": {**TEXT, "enum": [ANY, *OPERATIONS]},
                    "fault": {**TEXT, "pattern": PATTERN},
                    "times": nullable({**_COUNT, "minimum": 1, "maximum": 2**31 - 1}),
                },
                required=("operation", "fault"),
            ),
            Endpoint("DELETE", "faults", "Forgets the faults that wait.", self._clear_faults),
        ]

    def _endpoints_of_calls(self) -> Sequence[Endpoint]:
        entry = _object(
            at=_NUMBER,
            operation=nullable(TEXT),
            user=nullable(TEXT),
            scopes=_TEXTS,
            expiresInMinutes=nullable(_COUNT),
            apiVersion=nullable(TEXT),
            status=_COUNT,
            error=nullable(TEXT),
            reason=nullable(TEXT),
            method=TEXT,
            path=TEXT,
        )
        return [
            Endpoint(
                "GET",
                "requests",
                "The newest calls that the service has answered, oldest first.",
                self._requests,
                query={
                    "operation": {**TEXT, "enum": OPERATIONS},
                    "user": TEXT,
                    "scopes": _TEXTS,
                    "status": _STATUS,
                    "error": TEXT,
                    "apiVersion": TEXT,
                    "limit": _LIMIT,
                },
                response=_list("requests", entry),
            ),
            Endpoint("DELETE", "requests", "Forgets the calls.", self._clear_requests),
            Endpoint(
                "GET",
                "limits",
                "How much of the limits per 30 seconds is used.",
                self._limits,
                response=_list("limits", _object(name=TEXT, limit=_COUNT, used=_COUNT)),
            ),
            Endpoint(
                "POST",
                "reset",
                "Removes identities, assignments, faults and calls, and puts the clock back.",
                self._reset_all,
            ),
        ]

    def _health(self, _: ControlCall) -> Answer:
        return Answer(200, {"status": "ok", "version": __version__, **self._ids})

    def _connection_strings(self, call: ControlCall) -> Answer:
        endpoint = f"endpoint={call.wire.origin}/"
        return Answer(200, {slot: f"{endpoint};accesskey={self._keys[slot]}" for slot in SLOTS})

    def _rotate_key(self, call: ControlCall) -> Answer:
        if call.path_parameter not in SLOTS:
            raise unknown_path(call.wire.target.partition("?")[0])
        key = bodies.string(call.body(), "key")
        if key is not None:
            try:
                key = pasted_key("key", key)
            except ValueError as error:
                raise invalid(str(error)) from None
        return Answer(200, {"key": self._keys.rotate(call.path_parameter, key)})

    def _identities(self, call: ControlCall) -> Answer:
        limit, after = _limit(call), call.query("after") or ""
        found = [each for each in self._service.identities() if each.id > after][:limit]
        shown = [
            {
                "id": each.id,
                "customId": each.custom_id,
                "lastTokenIssuedAt": each.last_token_issued_at,
            }
            for each in found
        ]
        return Answer(200, {"identities": shown})

    def _validate_token(self, call: ControlCall) -> Answer:
        token = bodies.required_string(call.body(), "token")
        return Answer(200, {"valid": self._service.is_token_valid(token)})

    def _clock_now(self, _: ControlCall) -> Answer:
        lifetime = self._service.token_lifetime
        now = datetime.fromtimestamp(self._clock(), timezone.utc)
        return Answer(
            200,
            {
                "now": now.isoformat(timespec="seconds"),
                "advancedSeconds": self._clock.advanced.total_seconds(),
                "tokenLifetimeSeconds": None if lifetime is None else int(lifetime.total_seconds()),
            },
        )

    def _set_clock(self, call: ControlCall) -> Answer:
        body = call.body()
        advance = number(body, "advanceSeconds")
        lifetime = number(body, "tokenLifetimeSeconds")
        if lifetime is not None and lifetime not in TOKEN_SECONDS:
            raise invalid(
                f"tokenLifetimeSeconds must be null or a whole number from {TOKEN_SECONDS[0]} to "
                f"{TOKEN_SECONDS[-1]}, not {lifetime:g}."
            )
        if advance is not None:
            try:
                # A timedelta would round a tiny negative number to zero.
                self._clock.advance(timedelta(seconds=advance if advance >= 0 else -1))
            except (ValueError, OverflowError):
                raise invalid(
                    f"advanceSeconds must be from 0 to {FARTHEST.total_seconds():.0f} (ten years) "
                    f"in all, not {advance:g}; POST reset puts the clock back."
                ) from None
        if "tokenLifetimeSeconds" in body:
            self._service.token_lifetime = None if lifetime is None else timedelta(seconds=lifetime)
        return self._clock_now(call)

    def _list_faults(self, _: ControlCall) -> Answer:
        return Answer(200, {"faults": [armed._asdict() for armed in self._faults.waiting()]})

    def _inject_fault(self, call: ControlCall) -> Answer:
        body = call.body()
        operation = bodies.required_string(body, "operation")
        fault = bodies.required_string(body, "fault")
        times = bodies.int32(body, "times")
        try:
            self._faults.inject(operation, fault, 1 if times is None else times)
        except ValueError as error:
            raise invalid(str(error)) from None
        return Answer(204)

    def _clear_faults(self, _: ControlCall) -> Answer:
        self._faults.clear()
        return Answer(204)

    def _requests(self, call: ControlCall) -> Answer:
        operation, scopes = call.query("operation"), call.query("scopes")
        if operation is not None:
            try:
                check_operation(operation)
            except ValueError as error:
                raise invalid(f"{error}.") from None
        found = self._journal.matching(
            operation=operation,
            user=call.query("user"),
            scopes=None if scopes is None else list(filter(None, scopes.split(","))),
            status=call.integer("status", STATUSES, "0, or from 100 to 599"),
            error=call.query("error"),
            api_version=call.query("apiVersion"),
        )
        shown = [
            {camel(name): value for name, value in entry._asdict().items()}
            for entry in found[-_limit(call) :]
        ]
        return Answer(200, {"requests": shown})

    def _clear_requests(self, _: ControlCall) -> Answer:
        self._journal.clear()
        return Answer(204)

    def _limits(self, _: ControlCall) -> Answer:
        return Answer(200, {"limits": [each._asdict() for each in self._service.limits()]})

    def _reset_all(self, _: ControlCall) -> Answer:
        self._reset()
        return Answer(204)


def _limit(call: ControlCall) -> int:
    """:raises ServiceError: If the limit of the query is not a number from 1 to 1000."""
    return call.integer("limit", range(1, _PAGE + 1), f"a number from 1 to {_PAGE}") or _PAGE
