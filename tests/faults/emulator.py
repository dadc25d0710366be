"""What the emulator shows and stores while its faults happen: no token, signature or key."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from azure.core.exceptions import AzureError
from either_client import KEY
from faults.shown import Shown

from acs_identity_emulator import IdentityEmulator
from azure.communication.identity import CommunicationIdentityClient

FAULTS = (
    "",
    "status:401",
    "status:429:1",
    "status:500",
    "html",
    "reset",
    "reset-in-body",
    "truncated",
    "no-fields",
    "clock:100000",
    "clock:-100000",
)
GUID = "11111111-2222-3333-4444-555555555555"
Call = Callable[[str], str | None]


def secrets_shown(folder: Path) -> tuple[int, list[str]]:
    """Calls all operations with each fault of the emulator.

    :param folder: Where to put its database.
    :return: How many secrets were looked for, and those that were found, with the place.
    """
    shown = Shown()
    secrets = {"access key": KEY}
    database = folder / "database"
    with (
        shown.watching(),
        IdentityEmulator(database=database, access_key=KEY) as emulator,
        CommunicationIdentityClient(
            emulator.endpoint,
            KEY,
            retry_total=0,
            logging_enable=True,
            raw_response_hook=lambda response: secrets.update(_signature_of(response)),
        ) as client,
    ):
        entra_token = emulator.issue_entra_token(user_object_id=GUID, client_id=GUID)
        secrets["Entra token"] = _end_of(entra_token)
        calls: dict[str, Call] = {
            "create": lambda user: client.create_user_and_token(["chat"])[1].token,
            "issue": lambda user: client.get_token(user, ["chat"]).token,
            "exchange-teams-user": lambda _: (
                client.get_token_for_teams_user(entra_token, GUID, GUID).token
            ),
            "revoke": client.revoke_tokens,
            "delete": client.delete_user,
        }
        for fault in FAULTS:
            for operation, call in calls.items():
                user = client.create_user().raw_id
                with suppress(ValueError):  # a response without a body cannot be cut short
                    if fault:
                        emulator.inject(operation, fault)
                with suppress(AzureError):
                    if token := call(user):
                        secrets[f"token of {operation} after {fault}"] = _end_of(token)
    shown.texts["database"] = [database.read_bytes().decode("latin-1")]
    return len(secrets), [
        f"{name} in {place}"
        for place, texts in shown.texts.items()
        for name, secret in secrets.items()
        # The database has the keys: only its owner may read the file.
        if (place, name) != ("database", "access key") and any(secret in text for text in texts)
    ]


def _end_of(token: str) -> str:
    return token[-40:]


def _signature_of(response: Any) -> dict[str, str]:
    signature = response.http_request.headers["Authorization"].partition("Signature=")[2]
    return {f"signature {signature[:8]}": signature}
