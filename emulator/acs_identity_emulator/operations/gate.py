"""Which users may exchange their Entra tokens: the assignments decide."""

from collections.abc import Iterator

from ..authentication.entra import EntraToken
from ..contract import errors
from ..contract.versions import Operation
from ..state.assignments import Assignment, AssignmentTable


class Gate:
    """Lets a user through if an assignment allows the application of the token."""

    def __init__(self, table: AssignmentTable, *, is_open: bool) -> None:
        """:param is_open: Whether every user may pass, assigned or not."""
        self._table = table
        self._is_open = is_open

    def grant(self, operation: Operation, user: EntraToken) -> int:
        """The serial of the assignment that lets the user through; 0 if the gate is open.

        :raises ServiceError: If no assignment lets the user through.
        """
        if self._is_open:
            return 0
        if operation is Operation.EXCHANGE_TEAMS_EXTENSION:
            kind, assignments = "Teams extension", self._of_teams_user(user)
        else:
            kind, assignments = "Entra", self._of_entra_user(user)
        found = False
        for assignment in assignments:
            if assignment.has_client(user.client_id):
                return assignment.serial
            found = True
        _, tenant_id, object_id, client_id, _, _ = user
        of = f"user {object_id} of tenant {tenant_id}"
        if found:
            raise errors.not_assigned(f"no {kind} assignment of {of} has client {client_id}")
        raise errors.not_assigned(f"no {kind} assignment is for {of}")

    def holds(self, grant: int) -> bool:
        """Whether the assignment still exists: its tokens are valid as long as it does."""
        return grant == 0 or self._table.has(grant)

    def _of_teams_user(self, user: EntraToken) -> Iterator[Assignment]:
        assignment = self._table.of_teams(user.tenant_id, user.object_id)
        if assignment is not None:
            yield assignment

    def _of_entra_user(self, user: EntraToken) -> Iterator[Assignment]:
        """The assignments of the user, then of its groups, then of its tenant."""
        candidates = [("user", user.object_id), *(("group", group) for group in user.groups)]
        for principal_type, object_id in candidates:
            assignment = self._table.of_entra(object_id)
            if (
                assignment is not None
                and assignment.tenant_id == user.tenant_id
                and assignment.principal_type.lower() == principal_type
            ):
                yield assignment
        yield from self._table.of_entra_tenant(user.tenant_id)
