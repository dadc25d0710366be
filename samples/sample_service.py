"""The service that the samples run against."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple, NoReturn
from uuid import uuid4

from azure.core.exceptions import AzureError

# The second is the name in Microsoft's quickstarts, the third that of the Azure CLI.
CONNECTION_STRINGS = (
    "AZURE_COMMUNICATION_SERVICE_CONNECTION_STRING",
    "COMMUNICATION_SERVICES_CONNECTION_STRING",
    "AZURE_COMMUNICATION_CONNECTION_STRING",
)
ENDPOINT = "AZURE_COMMUNICATION_SERVICE_ENDPOINT"


class TeamsUser(NamedTuple):
    """A Microsoft Teams user who has signed in to an application."""

    aad_token: str
    client_id: str
    user_object_id: str
    tenant_id: str


class Service(NamedTuple):
    """A resource by its connection string or its endpoint, and perhaps a Teams user."""

    connection_string: str
    endpoint: str
    teams_user: TeamsUser | None


def setting_of_environment() -> str:
    """The name of the variable that selects the resource; empty if none of them is set."""
    return next(filter(os.environ.get, (*CONNECTION_STRINGS, ENDPOINT)), "")


@contextmanager
def service() -> Iterator[Service]:
    """The resource that the environment names, or else an emulator while the context lasts.

    An error of the service ends the program with its message.
    """
    try:
        with _service() as chosen:
            yield chosen
    except AzureError as error:
        sys.exit(f"Stopped: {error}")


@contextmanager
def _service() -> Iterator[Service]:
    if name := setting_of_environment():
        setting = os.environ[name]
        connection_string, endpoint = ("", setting) if name == ENDPOINT else (setting, "")
        yield Service(connection_string, endpoint, _teams_user_of_environment())
        return

    try:
        from acs_identity_emulator import IdentityEmulator
    except ImportError:
        _stop(
            f"Set {CONNECTION_STRINGS[0]} or {ENDPOINT}, or run python -m pip install -e ./emulator"
        )

    print("The environment names no resource: starting the emulator.")
    with IdentityEmulator() as emulator:
        client_id, user_object_id, tenant_id = (str(uuid4()) for _ in range(3))
        aad_token = emulator.issue_entra_token(client_id=client_id, user_object_id=user_object_id)
        teams_user = TeamsUser(aad_token, client_id, user_object_id, tenant_id)
        yield Service(emulator.connection_string, emulator.endpoint, teams_user)


@contextmanager
def said_in_one_line() -> Iterator[None]:
    """While a client is created: an error ends the program without a traceback."""
    try:
        yield
    except ValueError as error:
        _stop(f"{setting_of_environment()}: {error}")
    except ModuleNotFoundError as error:
        _stop(f"{error.name} is not installed. Run python -m pip install azure-identity")
    except ImportError as error:
        _stop(str(error))


def _stop(message: str) -> NoReturn:
    print("error:", message, file=sys.stderr)
    sys.exit(2)


def _teams_user_of_environment() -> TeamsUser | None:
    names = [f"TEAMS_USER_{name}" for name in ("AAD_TOKEN", "CLIENT_ID", "OBJECT_ID", "TENANT_ID")]
    values = [os.environ.get(name, "") for name in names]
    if all(values):
        return TeamsUser(*values)
    print(f"Left out the examples with a Teams user: {', '.join(names)} are not all set.")
    return None
