"""Which api version knows which operation, field and scope."""

from collections.abc import Iterable
from enum import Enum

PREVIEW = "2025-03-02-preview"
_FIRST = "2020-07-20-preview2"
_TEAMS_PREVIEW = "2021-10-31-preview"
API_VERSIONS = (
    _FIRST,
    "2021-03-07",
    _TEAMS_PREVIEW,
    "2021-11-01",
    "2022-06-01",
    "2022-10-01",
    "2023-10-01",
    PREVIEW,
    "2025-06-30",
    "2026-09-23",
)


class Operation(Enum):
    """An operation of the REST API, by the name the request log shows."""

    CREATE = "create"
    GET = "get"
    DELETE = "delete"
    REVOKE = "revoke"
    ISSUE = "issue"
    EXCHANGE_TEAMS_USER = "exchange-teams-user"
    EXCHANGE_TEAMS_EXTENSION = "exchange-teams-extension"
    EXCHANGE_ENTRA = "exchange-entra"
    GET_ASSIGNMENT = "get-assignment"
    PUT_ASSIGNMENT = "put-assignment"
    DELETE_ASSIGNMENT = "delete-assignment"
    LIST_ENTRA_ASSIGNMENTS = "list-entra-assignments"
    UPDATE_ENTRA_ASSIGNMENTS = "update-entra-assignments"
    GET_ENTRA_ASSIGNMENT = "get-entra-assignment"
    PUT_ENTRA_ASSIGNMENT = "put-entra-assignment"
    DELETE_ENTRA_ASSIGNMENT = "delete-entra-assignment"


OPERATIONS = tuple(operation.value for operation in Operation)


def check_operation(name: str) -> None:
    """:raises ValueError: If it is not the name of an operation."""
    if name not in OPERATIONS:
        raise ValueError(f"operation must be one of {', '.join(OPERATIONS)}, not {name!r}")


class Field(Enum):
    """A field of a request body that some versions ignore."""

    APP_AND_USER_ID = "appId, userId"
    EXPIRES_IN_MINUTES = "expiresInMinutes"
    CUSTOM_ID = "customId"


def _since(version: str) -> frozenset[str]:
    return frozenset(API_VERSIONS[API_VERSIONS.index(version) :])


_PREVIEW_ONLY = frozenset([PREVIEW])

_VERSIONS_OF: dict[Operation | Field, frozenset[str]] = {
    Operation.CREATE: _since(_FIRST),
    Operation.DELETE: _since(_FIRST),
    Operation.REVOKE: _since(_FIRST),
    Operation.ISSUE: _since(_FIRST),
    Operation.EXCHANGE_TEAMS_USER: _since("2022-06-01") | {_TEAMS_PREVIEW},
    Operation.GET: _PREVIEW_ONLY,
    Operation.EXCHANGE_ENTRA: _PREVIEW_ONLY,
    Operation.EXCHANGE_TEAMS_EXTENSION: _since(PREVIEW),
    Operation.GET_ASSIGNMENT: _since(PREVIEW),
    Operation.PUT_ASSIGNMENT: _since(PREVIEW),
    Operation.DELETE_ASSIGNMENT: _since(PREVIEW),
    Operation.LIST_ENTRA_ASSIGNMENTS: _PREVIEW_ONLY,
    Operation.UPDATE_ENTRA_ASSIGNMENTS: _PREVIEW_ONLY,
    Operation.GET_ENTRA_ASSIGNMENT: _PREVIEW_ONLY,
    Operation.PUT_ENTRA_ASSIGNMENT: _PREVIEW_ONLY,
    Operation.DELETE_ENTRA_ASSIGNMENT: _PREVIEW_ONLY,
    Field.APP_AND_USER_ID: _since("2022-06-01"),
    Field.EXPIRES_IN_MINUTES: _since("2022-10-01"),
    Field.CUSTOM_ID: _PREVIEW_ONLY,
}

_VERSIONS_OF_SCOPE = {
    "chat": _since(_FIRST),
    "voip": _since(_FIRST),
    "chat.join": _since("2023-10-01"),
    "chat.join.limited": _since("2023-10-01"),
    "voip.join": _since("2023-10-01"),
}


def knows(version: str, what: Operation | Field) -> bool:
    """Whether `version` has the operation, or reads the field."""
    return version in _VERSIONS_OF[what]


def knows_scope(version: str, scope: str) -> bool:
    """Whether `version` knows the scope."""
    return version in _VERSIONS_OF_SCOPE.get(scope, ())


def supported_versions(operations: Iterable[Operation]) -> str:
    """The header `api-supported-versions` of a path that has these operations."""
    known = frozenset[str]().union(*(_VERSIONS_OF[operation] for operation in operations))
    return ", ".join(version for version in API_VERSIONS if version in known)
