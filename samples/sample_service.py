"""Which service the samples run against."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from uuid import uuid4


class TeamsUser(NamedTuple):
    """A Microsoft Teams user who has signed in to an application."""

    aad_token: str
    client_id: str
    user_object_id: str
    tenant_id: str


class Service(NamedTuple):
    """A resource, by its connection string or its endpoint, and a Teams user if there is one."""

    connection_string: str
    endpoint: str
    teams_user: TeamsUser | None


@contextmanager
def service() -> Iterator[Service]:
    """The resource that the environment names, else an emulator while the context lasts."""
    connection_string = os.environ.get("AZURE_COMMUNICATION_SERVICE_CONNECTION_STRING", "")
    endpoint = os.environ.get("AZURE_COMMUNICATION_SERVICE_ENDPOINT", "")
    if connection_string or endpoint:
        yield Service(connection_string, endpoint, _teams_user_of_environment())
        return

    from acs_identity_emulator import IdentityEmulator

    print("The environment names no resource: starting the emulator.")
    with IdentityEmulator() as emulator:
        client_id, user_object_id, tenant_id = (str(uuid4()) for _ in range(3))
        aad_token = emulator.issue_entra_token(client_id=client_id, user_object_id=user_object_id)
        teams_user = TeamsUser(aad_token, client_id, user_object_id, tenant_id)
        yield Service(emulator.connection_string, emulator.endpoint, teams_user)


def _teams_user_of_environment() -> TeamsUser | None:
    names = [f"TEAMS_USER_{name}" for name in ("AAD_TOKEN", "CLIENT_ID", "OBJECT_ID", "TENANT_ID")]
    values = [os.environ.get(name, "") for name in names]
    if all(values):
        return TeamsUser(*values)
    print(f"Left out the examples with a Teams user: {', '.join(names)} are not all set.")
    return None
