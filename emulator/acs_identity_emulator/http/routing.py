"""From the request target to an operation: the path is split as sent, then decoded."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

from ..contract import errors
from ..contract.versions import API_VERSIONS, Operation, knows, supported_versions

_ABSOLUTE_FORM = re.compile(r"https?://[^/?#]*", re.IGNORECASE)


class _Resource:
    """The operations of one path template, by method."""

    def __init__(self, operations: dict[str, Operation]) -> None:
        self.operations = operations
        self.supported_versions = supported_versions(operations.values())


_IDENTITIES = _Resource({"POST": Operation.CREATE})
_IDENTITY = _Resource({"GET": Operation.GET, "DELETE": Operation.DELETE})
_ACTIONS_ON_IDENTITY = {
    ":issueAccessToken": _Resource({"POST": Operation.ISSUE}),
    ":revokeAccessTokens": _Resource({"POST": Operation.REVOKE}),
}
_TEAMS_USER = _Resource({"POST": Operation.EXCHANGE_TEAMS_USER})
_TEAMS_EXTENSION = _Resource({"POST": Operation.EXCHANGE_TEAMS_EXTENSION})
_ENTRA = _Resource({"POST": Operation.EXCHANGE_ENTRA})
_EXCHANGES = {
    ("teamsUser",): _TEAMS_USER,
    ("access", "teamsExtension"): _TEAMS_EXTENSION,
    ("access", "entra"): _ENTRA,
}
_ASSIGNMENT = _Resource(
    {
        "GET": Operation.GET_ASSIGNMENT,
        "PUT": Operation.PUT_ASSIGNMENT,
        "DELETE": Operation.DELETE_ASSIGNMENT,
    }
)
_ENTRA_ASSIGNMENTS = _Resource(
    {
        "GET": Operation.LIST_ENTRA_ASSIGNMENTS,
        "PATCH": Operation.UPDATE_ENTRA_ASSIGNMENTS,
    }
)
_ENTRA_ASSIGNMENT = _Resource(
    {
        "GET": Operation.GET_ENTRA_ASSIGNMENT,
        "PUT": Operation.PUT_ENTRA_ASSIGNMENT,
        "DELETE": Operation.DELETE_ENTRA_ASSIGNMENT,
    }
)


class Route(NamedTuple):
    """A matched request; `path_parameters` are decoded, in the order of the path."""

    operation: Operation
    version: str
    path_parameters: tuple[str, ...]
    supported_versions: str


def find_route(method: str, target: str, origin: str) -> Route:
    """The operation that `method` and `target` name.

    :param origin: Scheme and authority of the request, for the text of errors.
    :raises ServiceError: If the path, the method or the api version is unknown.
    """
    path, _, query = target.partition("?")
    resource, path_parameters = _resource(path)
    version = _version(query, origin + path)
    operation = resource.operations.get(method)
    if operation is None or not knows(version, operation):
        allowed = [name for name, known in resource.operations.items() if knows(version, known)]
        if not allowed:
            raise errors.unsupported_version(origin + path, version)
        raise errors.wrong_method(method, ", ".join(allowed))
    return Route(operation, version, path_parameters, resource.supported_versions)


def operation_at(method: str, target: str) -> tuple[Operation, str] | None:
    """The operation of a request, which may be invalid otherwise.

    :returns: The operation and the supported versions of its path; None if no operation has it.
    """
    try:
        resource, _ = _resource(target.partition("?")[0])
    except errors.ServiceError:
        return None
    operation = resource.operations.get(method)
    return None if operation is None else (operation, resource.supported_versions)


def origin_form(target: str) -> str:
    """Path and query of a target, without the scheme and host that a proxy's client sends."""
    if target.startswith("/"):
        return target
    authority = _ABSOLUTE_FORM.match(target)
    return target[authority.end() :] or "/" if authority else target


def _resource(path: str) -> tuple[_Resource, tuple[str, ...]]:
    # The path of a client that appends "/identities" to an endpoint that ends in "/".
    segments = path.removeprefix("/").split("/") if path.startswith("//") else path.split("/")
    if segments[-1] == "":
        segments.pop()
    match segments:
        case ["", "identities"]:
            return _IDENTITIES, ()
        case ["", "identities", quoted_id] if quoted_id:
            return _IDENTITY, (unquote(quoted_id),)
        case ["", "identities", quoted_id, quoted_action] if quoted_id:
            action = _ACTIONS_ON_IDENTITY.get(unquote(quoted_action))
            if action is not None:
                return action, (unquote(quoted_id),)
        case ["", *exchange, quoted_action] if unquote(quoted_action) == ":exchangeAccessToken":
            resource = _EXCHANGES.get(tuple(exchange))
            if resource is not None:
                return resource, ()
        case ["", "access", "teamsExtension", "tenants", tenant, "assignments", object_id] if (
            tenant and object_id
        ):
            return _ASSIGNMENT, (unquote(tenant), unquote(object_id))
        case ["", "access", "entra", "assignments"]:
            return _ENTRA_ASSIGNMENTS, ()
        case ["", "access", "entra", "assignments", object_id] if object_id:
            return _ENTRA_ASSIGNMENT, (unquote(object_id),)
    raise errors.unknown_path(path)


def _version(query: str, uri: str) -> str:
    match _versions_in(query):
        case []:
            raise errors.unspecified_version()
        case [version]:
            if version not in API_VERSIONS:
                raise errors.unsupported_version(uri, version)
            return version
        case versions:
            raise errors.ambiguous_version(versions)


@lru_cache(maxsize=256)
def _versions_in(query: str) -> Sequence[str]:
    """The different api versions that the query asks for."""
    try:
        pairs = parse_qsl(query, max_num_fields=100)
    except ValueError:
        return ()
    return tuple(dict.fromkeys(value for name, value in pairs if name.lower() == "api-version"))
