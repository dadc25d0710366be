"""From a request and its outcome to an entry of the journal."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from ..authentication.authenticators import WireRequest
from ..contract.errors import ServiceError
from ..contract.guids import RAW_ID
from ..contract.reasons import shown_path
from ..operations.calls import Answer
from ..state.journal import JournalEntry
from .routing import find_route, operation_at

_LONGEST_BODY = 2048  # bytes that an entry keeps at most
_LONGEST_SCOPE = 40  # characters; a longer one may be a token
_IDENTITIES = ("/identities", "//identities")


class _Record(NamedTuple):
    """What is kept of a call until its entry is read."""

    at: float
    method: str
    target: str
    body: bytes
    status: int
    error: str | None
    reason: str | None
    created: str | None


def entry_of(
    at: float, request: WireRequest, outcome: Answer | ServiceError | None
) -> Callable[[], JournalEntry]:
    """Builds the entry of a call when it is read.

    :param at: When it was answered: Unix time in seconds.
    :param outcome: None if the connection was reset without an answer.
    """
    status, error, reason, created = 0, None, None, None
    if isinstance(outcome, ServiceError):
        status, error = outcome.status, outcome.code
        reason = None if outcome.reason is None else str(outcome.reason)
    elif outcome is not None:
        status, created = outcome.status, _created(outcome)
    target = request.target
    # Other bodies may hold tokens.
    is_kept = target.startswith(_IDENTITIES) and len(request.body) <= _LONGEST_BODY
    body = request.body if is_kept else b""
    return partial(
        _entry, _Record(at, request.method, target, body, status, error, reason, created)
    )


def _created(answer: Answer) -> str | None:
    """The id of the identity that the call has created."""
    identity = answer.payload.get("identity") if isinstance(answer.payload, Mapping) else None
    return str(identity.get("id")) if isinstance(identity, Mapping) else None


def _entry(record: _Record) -> JournalEntry:
    user, version = record.created, None
    found = operation_at(record.method, record.target)
    operation = None if found is None else found[0].value
    try:
        route = find_route(record.method, record.target, "")
    except ServiceError:
        pass
    else:
        version = route.version
        # A client may put a token in the place of the id.
        if len(route.path_parameters) == 1 and RAW_ID.fullmatch(route.path_parameters[0]):
            user = route.path_parameters[0].lower()
    asked = _json_object(record.body)
    scopes = asked.get("scopes") or asked.get("createTokenWithScopes")
    minutes = asked.get("expiresInMinutes")
    return JournalEntry(
        at=record.at,
        operation=operation,
        user=user,
        scopes=tuple(map(_shown_scope, scopes)) if isinstance(scopes, list) else (),
        expires_in_minutes=minutes if isinstance(minutes, int) else None,
        api_version=version,
        status=record.status,
        error=record.error,
        reason=record.reason,
        method=record.method,
        path=shown_path(record.target.partition("?")[0]),
    )


def _shown_scope(scope: object) -> str:
    shown = str(scope)
    return shown if len(shown) <= _LONGEST_SCOPE else "..."


def _json_object(body: bytes) -> Mapping[str, object]:
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
