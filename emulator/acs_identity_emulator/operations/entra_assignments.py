"""Entra assignments: which users, groups and tenants may get tokens, listed in pages."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from ..contract import errors
from ..contract.versions import Operation
from ..state.assignments import Assignment, AssignmentTable
from . import bodies
from .assignments import check_principal_type, checked_clients, checked_guid, found, shown
from .calls import Answer, Call, Handler

_PRINCIPAL_TYPES = ("user", "group", "tenant")
_SKIP = "skipToken"


class EntraAssignments:
    """The Entra assignments of one resource, by object."""

    def __init__(self, table: AssignmentTable, page_size: int) -> None:
        self._table = table
        self._page_size = page_size
        self.operations: dict[Operation, Handler] = {
            Operation.LIST_ENTRA_ASSIGNMENTS: self._list,
            Operation.UPDATE_ENTRA_ASSIGNMENTS: self._update,
            Operation.GET_ENTRA_ASSIGNMENT: self._get,
            Operation.PUT_ENTRA_ASSIGNMENT: self._put,
            Operation.DELETE_ENTRA_ASSIGNMENT: self._delete,
        }

    def _list(self, call: Call) -> Answer:
        return Answer(200, self._page(call, _skipped(call.url)))

    def _update(self, call: Call) -> Answer:
        """A merge patch: an assignment is added or replaced, null deletes it."""
        if not call.body:
            raise errors.body_required()
        body = bodies.json_object(call.body)
        changes = {
            checked_guid("objectId", object_id): _change(object_id, change)
            for object_id, change in body.items()
        }
        self._table.update_entra(changes)
        page = self._page(call, "")
        return Answer(200, page) if page["value"] else Answer(204)

    def _get(self, call: Call) -> Answer:
        return found(self._table.of_entra(_path_id(call)))

    def _put(self, call: Call) -> Answer:
        if not call.body:
            raise errors.body_required()
        assignment = _assignment(_path_id(call), bodies.json_object(call.body))
        replaced = self._table.put_entra(assignment)
        return Answer(200 if replaced else 201, shown(assignment))

    def _delete(self, call: Call) -> Answer:
        self._table.delete_entra(_path_id(call))
        return Answer(204)

    def _page(self, call: Call, after: str) -> dict[str, object]:
        found = self._table.entra_page(after, self._page_size + 1)
        page = found[: self._page_size]
        payload: dict[str, object] = {"value": [shown(assignment) for assignment in page]}
        if len(found) > len(page):
            path = call.url.partition("?")[0]
            query = f"api-version={call.version}&{_SKIP}={page[-1].object_id}"
            payload["nextLink"] = f"{path}?{query}"
        return payload


def _path_id(call: Call) -> str:
    (object_id,) = call.path_parameters
    return checked_guid("objectId", object_id)


def _skipped(url: str) -> str:
    """The object id that the previous page ended with, as `nextLink` has it; empty if none did.

    :raises ServiceError: If it is not a GUID.
    """
    after = dict(parse_qsl(url.partition("?")[2])).get(_SKIP)
    return checked_guid(_SKIP, after) if after else ""


def _change(object_id: str, change: object) -> Assignment | None:
    if change is None:
        return None
    if not isinstance(change, dict):
        raise errors.body_not_object()
    return _assignment(object_id.lower(), change)


def _assignment(object_id: str, body: Mapping[str, object]) -> Assignment:
    """:raises ServiceError: If a field is missing or invalid; all of them are required."""
    tenant_id = bodies.required_string(body, "tenantId")
    principal_type = bodies.required_string(body, "principalType")
    client_ids = bodies.strings(body, "clientIds")
    if client_ids is None:
        raise errors.field_required("ClientIds")
    tenant_id = checked_guid("tenantId", tenant_id)
    check_principal_type(principal_type, _PRINCIPAL_TYPES)
    return Assignment(tenant_id, object_id, principal_type, checked_clients(client_ids))
