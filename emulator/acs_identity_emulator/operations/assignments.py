"""Teams extension assignments: which Teams users and resource accounts may use the resource."""

import json

from ..contract import errors
from ..contract.guids import is_guid
from ..contract.versions import Operation
from ..state.store import Assignment, Store
from . import bodies
from .calls import Answer, Call, Handler

_PRINCIPAL_TYPES = ("user", "resourceAccount", "teamsResourceAccount")


class Assignments:
    """The assignments of one resource, by tenant and object."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.operations: dict[Operation, Handler] = {
            Operation.GET_ASSIGNMENT: self._get,
            Operation.PUT_ASSIGNMENT: self._put,
            Operation.DELETE_ASSIGNMENT: self._delete,
        }

    def _get(self, call: Call) -> Answer:
        assignment = self._store.assignment(*_checked(call))
        if assignment is None:
            raise errors.no_assignment()
        return Answer(200, _shown(assignment))

    def _put(self, call: Call) -> Answer:
        if not call.body:
            raise errors.body_required()
        body = bodies.json_object(call.body)
        principal_type = bodies.required_string(body, "principalType")
        client_ids = bodies.strings(body, "clientIds")
        tenant_id, object_id = _checked(call)
        if principal_type not in _PRINCIPAL_TYPES:
            raise errors.unknown_principal_type(principal_type)
        if client_ids is not None and not all(map(is_guid, client_ids)):
            raise errors.malformed_guid("clientIds")
        kept = None if client_ids is None else json.dumps(client_ids)
        assignment = Assignment(tenant_id, object_id, principal_type, kept)
        replaced = self._store.put_assignment(assignment)
        return Answer(200 if replaced else 201, _shown(assignment))

    def _delete(self, call: Call) -> Answer:
        self._store.delete_assignment(*_checked(call))
        return Answer(204)


def _checked(call: Call) -> tuple[str, str]:
    """Tenant and object of the path.

    :raises ServiceError: one of them is not a GUID.
    """
    tenant_id, object_id = call.path_parameters
    for field, value in (("tenantId", tenant_id), ("objectId", object_id)):
        if not is_guid(value):
            raise errors.malformed_guid(field)
    return tenant_id.lower(), object_id.lower()


def _shown(assignment: Assignment) -> dict[str, object]:
    shown: dict[str, object] = {
        "objectId": assignment.object_id,
        "tenantId": assignment.tenant_id,
        "principalType": assignment.principal_type,
    }
    if assignment.client_ids is not None:
        shown["clientIds"] = json.loads(assignment.client_ids)
    return shown
