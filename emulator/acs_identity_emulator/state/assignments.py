"""Assignments, Teams extension and Entra, in the database of the resource."""

import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

TEAMS = "teams"
ENTRA = "entra"
SCHEMA = """
CREATE TABLE assignment (
    serial INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    tenant_id TEXT NOT NULL,
    object_id TEXT NOT NULL,
    principal_type TEXT NOT NULL COLLATE NOCASE,
    client_ids TEXT
);
CREATE UNIQUE INDEX teams_assignment ON assignment (tenant_id, object_id) WHERE kind = 'teams';
CREATE UNIQUE INDEX entra_assignment ON assignment (object_id) WHERE kind = 'entra';
CREATE INDEX assignment_of_tenant ON assignment (tenant_id, principal_type) WHERE kind = 'entra';
"""
_SELECT = "SELECT serial, tenant_id, object_id, principal_type, client_ids FROM assignment "
_REPLACE = {
    TEAMS: "UPDATE assignment SET principal_type = ?, client_ids = ? "
    "WHERE kind = 'teams' AND tenant_id = ? AND object_id = ?",
    ENTRA: "UPDATE assignment SET principal_type = ?, client_ids = ?, tenant_id = ? "
    "WHERE kind = 'entra' AND object_id = ?",
}


class Assignment(NamedTuple):
    """Allows a user, group or tenant to get tokens through the applications `client_ids`.

    :param client_ids: None if they were not given.
    :param serial: Set by the database. A replaced assignment keeps its serial; one that is deleted
        and put again has another.
    """

    tenant_id: str
    object_id: str
    principal_type: str
    client_ids: tuple[str, ...] | None
    serial: int = 0

    def has_client(self, client_id: str) -> bool:
        return client_id in map(str.lower, self.client_ids or ())


class AssignmentTable:
    """What a method writes is committed when it returns."""

    def __init__(self, access: Callable[[], AbstractContextManager[sqlite3.Connection]]) -> None:
        """:param access: Gives the connection to one thread at a time."""
        self._access = access

    def has(self, serial: int) -> bool:
        """Whether the assignment with this serial still exists."""
        return bool(self._all("WHERE serial = ?", serial))

    def of_teams(self, tenant_id: str, object_id: str) -> Assignment | None:
        where = "WHERE kind = 'teams' AND tenant_id = ? AND object_id = ?"
        return next(iter(self._all(where, tenant_id, object_id)), None)

    def of_entra(self, object_id: str) -> Assignment | None:
        found = self._all("WHERE kind = 'entra' AND object_id = ?", object_id)
        return next(iter(found), None)

    def of_entra_tenant(self, tenant_id: str) -> list[Assignment]:
        """The Entra assignments of a tenant as a whole."""
        where = "WHERE kind = 'entra' AND tenant_id = ? AND principal_type = 'tenant'"
        return self._all(where, tenant_id)

    def entra_page(self, after: str, size: int) -> list[Assignment]:
        """Entra assignments in the order of their object ids, from the first one after `after`."""
        where = "WHERE kind = 'entra' AND object_id > ? ORDER BY object_id LIMIT ?"
        return self._all(where, after, size)

    def put_teams(self, assignment: Assignment) -> bool:
        """Returns whether the assignment replaces another one."""
        with self._access() as connection:
            return _put(connection, TEAMS, assignment)

    def delete_teams(self, tenant_id: str, object_id: str) -> None:
        with self._access() as connection:
            connection.execute(
                "DELETE FROM assignment WHERE kind = 'teams' AND tenant_id = ? AND object_id = ?",
                (tenant_id, object_id),
            )

    def put_entra(self, assignment: Assignment) -> bool:
        """Returns whether the assignment replaces another one."""
        with self._access() as connection:
            return _put(connection, ENTRA, assignment)

    def delete_entra(self, object_id: str) -> None:
        with self._access() as connection:
            connection.execute(
                "DELETE FROM assignment WHERE kind = 'entra' AND object_id = ?", (object_id,)
            )

    def update_entra(self, changes: Mapping[str, Assignment | None]) -> None:
        """Puts and deletes (None) Entra assignments by their object ids: all of them, or none."""
        with self._access() as connection, connection:  # commits, or rolls back
            connection.execute("BEGIN IMMEDIATE")
            for object_id, assignment in changes.items():
                if assignment is None:
                    self.delete_entra(object_id)
                else:
                    self.put_entra(assignment)

    def _all(self, where: str, *values: object) -> list[Assignment]:
        with self._access() as connection:
            rows = connection.execute(_SELECT + where, values).fetchall()
        return [_assignment(row) for row in rows]


def _put(connection: sqlite3.Connection, kind: str, assignment: Assignment) -> bool:
    tenant_id, object_id, principal_type, client_ids, _ = assignment
    kept = None if client_ids is None else json.dumps(client_ids)
    updated = connection.execute(_REPLACE[kind], (principal_type, kept, tenant_id, object_id))
    if updated.rowcount:
        return True
    connection.execute(
        "INSERT INTO assignment (kind, tenant_id, object_id, principal_type, client_ids) "
        "VALUES (?, ?, ?, ?, ?)",
        (kind, tenant_id, object_id, principal_type, kept),
    )
    return False


def _assignment(row: tuple[Any, ...]) -> Assignment:
    serial, tenant_id, object_id, principal_type, client_ids = row
    clients = None if client_ids is None else tuple(json.loads(client_ids))
    return Assignment(tenant_id, object_id, principal_type, clients, serial)
