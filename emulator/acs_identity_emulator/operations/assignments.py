"""Teams extension assignments: which Teams users and resource accounts may get tokens."""

from collections.abc import Collection

from ..contract import errors
from ..contract.guids import is_guid
from ..contract.versions import Operation
from ..state.assignments import Assignment, AssignmentTable
from . import bodies
from .calls import Answer, Call, Handler, Payload

# The specification says resourceAccount, the public reference teamsResourceAccount.
_PRINCIPAL_TYPES = ("user", "resourceAccount", "teamsResourceAccount")


class TeamsAssignments:
    """The Teams extension assignments of one resource, by tenant and object."""

    def __init__(self, table: AssignmentTable) -> None:
        self._table = table
        self.operations: dict[Operation, Handler] = {
            Operation.GET_ASSIGNMENT: self._get,
            Operation.PUT_ASSIGNMENT: self._put,
            Operation.DELETE_ASSIGNMENT: self._delete,
        }

    def _get(self, call: Call) -> Answer:
        return found(self._table.of_teams(*_path_ids(call)))

    def _put(self, call: Call) -> Answer:
        if not call.body:
            raise errors.body_required()
        body = bodies.json_object(call.body)
        principal_type = bodies.required_string(body, "principalType")
        client_ids = bodies.strings(body, "clientIds")
        tenant_id, object_id = _path_ids(call)
        check_principal_type(principal_type, _PRINCIPAL_TYPES)
        clients = checked_clients(client_ids)
        assignment = Assignment(tenant_id, object_id, principal_type, clients)
        replaced = self._table.put_teams(assignment)
        return Answer(200 if replaced else 201, shown(assignment))

    def _delete(self, call: Call) -> Answer:
        self._table.delete_teams(*_path_ids(call))
        return Answer(204)


def _path_ids(call: Call) -> tuple[str, str]:
    """Tenant and object of the path.

    :raises ServiceError: If one of them is not a GUID.
    """
    tenant_id, object_id = call.path_parameters
    return checked_guid("tenantId", tenant_id), checked_guid("objectId", object_id)


def checked_guid(field: str, value: str) -> str:
    """The GUID in lower case.

    :raises ServiceError: If the value is not a GUID.
    """
    if not is_guid(value):
        raise errors.malformed_guid(field)
    return value.lower()


def checked_clients(client_ids: list[str] | None) -> tuple[str, ...] | None:
    """:raises ServiceError: If one of them is not a GUID."""
    if client_ids is None:
        return None
    if not all(map(is_guid, client_ids)):
        raise errors.malformed_guid("clientIds")
    return tuple(client_ids)


def check_principal_type(given: str, known: Collection[str]) -> None:
    """Accepts a known type in any case: a public sample sends `User`.

    :raises ServiceError: If the type is unknown.
    """
    if given.lower() not in map(str.lower, known):
        raise errors.unknown_principal_type(given, known)


def found(assignment: Assignment | None) -> Answer:
    """:raises ServiceError: If there is no assignment."""
    if assignment is None:
        raise errors.no_assignment()
    return Answer(200, shown(assignment))


def shown(assignment: Assignment) -> Payload:
    payload: dict[str, object] = {
        "objectId": assignment.object_id,
        "tenantId": assignment.tenant_id,
        "principalType": assignment.principal_type,
    }
    if assignment.client_ids is not None:
        payload["clientIds"] = assignment.client_ids
    return payload
