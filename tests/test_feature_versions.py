"""What each version of the REST API has: the table, the description of the API, and the service."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from azure.core.exceptions import HttpResponseError
from either_client import ClientFactory, EitherClient
from scripted_service import ScriptedService

from acs_identity_emulator import IdentityEmulator
from azure.communication.identity import ApiVersion
from azure.communication.identity._api_versions import DEFAULT_VERSION, VERSIONS_OF, require_version

SWAGGER = Path(__file__).parents[1] / "swagger" / "communication_identity.json"
PREVIEW = "2025-03-02-preview"
TENANT, OBJECT = str(UUID(int=1)), str(UUID(int=2))
HOUR = timedelta(hours=1)
ASSIGNMENT_METHODS: list[tuple[str, tuple[str, ...]]] = [
    ("get_teams_extension_assignment", ()),
    ("upsert_teams_extension_assignment", ("user",)),
    ("delete_teams_extension_assignment", ()),
]
ENTRA_METHODS: list[tuple[str, tuple[Any, ...]]] = [
    ("list_entra_assignments", ()),
    ("get_entra_assignment", (OBJECT,)),
    ("upsert_entra_assignment", (OBJECT, TENANT, "user", [TENANT])),
    ("delete_entra_assignment", (OBJECT,)),
    ("update_entra_assignments", ({OBJECT: None},)),
]

# A feature, and a call that asks for it.
ASKS: list[tuple[str, str, tuple[Any, ...], dict[str, Any]]] = [
    ("get_token_for_teams_user", "get_token_for_teams_user", ("token", "app", "user"), {}),
    ("token_expires_in", "get_token", ("8:acs:x", ["chat"]), {"token_expires_in": HOUR}),
    ("token_expires_in", "create_user_and_token", (["chat"],), {"token_expires_in": HOUR}),
    ("custom_id", "create_user", (), {"custom_id": "mine"}),
    ("custom_id", "create_user_and_token", (["chat"],), {"custom_id": "mine"}),
    ("get_user_detail", "get_user_detail", ("8:acs:x",), {}),
    *((method, method, (TENANT, OBJECT, *rest), {}) for method, rest in ASSIGNMENT_METHODS),
    *((method, method, arguments, {}) for method, arguments in ENTRA_METHODS),
]
asking = pytest.mark.parametrize(("feature", "method", "arguments", "options"), ASKS)


def ask(
    client: EitherClient, method: str, arguments: tuple[Any, ...], options: dict[str, Any]
) -> Any:
    result = getattr(client, method)(*arguments, **options)
    # A list is requested when its items are.
    return client.items(result) if method.startswith("list_") else result


def code_of_refusal(call: Callable[[], Any]) -> str | None:
    """The error code of the service for a call; None if it succeeds."""
    try:
        call()
    except HttpResponseError as error:
        return error.error.code if error.error else "unknown"
    return None


def test_every_feature_of_the_table_is_asked_for_here() -> None:
    assert {feature for feature, *_ in ASKS} == VERSIONS_OF.keys()


def test_the_table_says_what_the_description_of_the_api_says() -> None:
    api = json.loads(SWAGGER.read_text("utf-8"))
    assert [version.value for version in ApiVersion] == api["info"]["x-acs-api-versions"]
    assert api["info"]["version"] == DEFAULT_VERSION

    operations = {
        operation["operationId"]: operation.get("x-acs-api-versions")
        for path in api["paths"].values()
        for operation in path.values()
    }
    fields = api["definitions"]["CommunicationIdentityCreateRequest"]["properties"]
    described = {
        "get_token_for_teams_user": operations[
            "CommunicationIdentity_ExchangeTeamsUserAccessToken"
        ],
        "get_user_detail": operations["CommunicationIdentity_Get"],
        "list_entra_assignments": operations["Entra_ListAssignments"],
        "get_entra_assignment": operations["Entra_GetAssignment"],
        "upsert_entra_assignment": operations["Entra_UpsertAssignment"],
        "delete_entra_assignment": operations["Entra_DeleteAssignment"],
        "update_entra_assignments": operations["Entra_UpdateAssignments"],
        "get_teams_extension_assignment": operations["TeamsExtension_GetAssignment"],
        "upsert_teams_extension_assignment": operations["TeamsExtension_UpsertAssignment"],
        "delete_teams_extension_assignment": operations["TeamsExtension_DeleteAssignment"],
        "custom_id": fields["customId"]["x-acs-api-versions"],
        "token_expires_in": fields["expiresInMinutes"]["x-acs-api-versions"],
    }
    assert {feature: list(versions) for feature, versions in VERSIONS_OF.items()} == described


@pytest.mark.parametrize("version", list(ApiVersion))
@asking
def test_a_version_has_what_the_table_says_and_the_service_agrees(
    make_client: ClientFactory,
    emulator: IdentityEmulator,
    feature: str,
    method: str,
    arguments: tuple[Any, ...],
    options: dict[str, Any],
    version: ApiVersion,
) -> None:
    client = make_client.from_connection_string(emulator.connection_string, api_version=version)

    def call() -> Any:
        return ask(client, method, arguments, options)

    if version.value in VERSIONS_OF[feature]:
        # Only the error of the arguments.
        assert code_of_refusal(call) in (
            None,
            "ValidationError",
            "InvalidAccessToken",
            "AssignmentNotFound",
        )
    else:
        with pytest.raises(ValueError, match=f"^{feature} needs api_version ") as raised:
            call()
        assert repr(VERSIONS_OF[feature][0]) in str(raised.value)
        assert str(raised.value).endswith(f"and this call asks for {version.value!r}.")


@pytest.mark.parametrize(
    ("feature", "words"),
    [
        ("get_token_for_teams_user", "'2022-06-01' or later,"),
        ("token_expires_in", "'2022-10-01' or later,"),
        ("custom_id", "'2025-03-02-preview', the only one that has it,"),
        ("get_teams_extension_assignment", "'2025-06-30' or later, or '2025-03-02-preview',"),
    ],
)
def test_the_error_names_the_version_to_ask_for(feature: str, words: str) -> None:
    with pytest.raises(ValueError, match="api_version") as raised:
        require_version(feature, "2021-03-07")
    assert str(raised.value) == (
        f"{feature} needs api_version {words} and this call asks for '2021-03-07'."
    )


@pytest.mark.parametrize("version", ["2031-01-01", "2031-01-01-preview", "2020-01-01", "next"])
@asking
def test_a_version_that_the_table_does_not_have_counts_as_newer_than_all(
    scripted_client: EitherClient,
    service: ScriptedService,
    feature: str,
    method: str,
    arguments: tuple[Any, ...],
    options: dict[str, Any],
    version: str,
) -> None:
    service.will_answer(400, {"error": {"code": "UnsupportedApiVersion", "message": "no"}})
    refusal = code_of_refusal(
        lambda: ask(scripted_client, method, arguments, {**options, "api_version": version})
    )
    assert refusal == "UnsupportedApiVersion"
    assert service.requests[0].target.endswith(f"?api-version={version}")


@pytest.mark.parametrize("preview", [PREVIEW, ApiVersion.V2025_03_02_PREVIEW])
def test_the_version_of_a_call_goes_before_that_of_its_client(
    make_client: ClientFactory, emulator: IdentityEmulator, preview: Any
) -> None:
    stable = make_client.from_connection_string(emulator.connection_string)
    user = stable.create_user(custom_id="of-a-call", api_version=preview)
    assert stable.get_user_detail(user, api_version=preview).custom_id == "of-a-call"
    with pytest.raises(ValueError, match=f"custom_id needs api_version '{PREVIEW}'"):
        stable.create_user(custom_id="of-a-call")

    newest = make_client.from_connection_string(emulator.connection_string, api_version=preview)
    assert newest.create_user(custom_id="of-a-call") == user
    with pytest.raises(ValueError, match=f"get_user_detail needs api_version '{PREVIEW}'"):
        newest.get_user_detail(user, api_version=ApiVersion.V2026_09_23)


@pytest.mark.parametrize("version", ["2021-03-07", "2022-10-01"])
def test_what_every_version_has_asks_for_none(
    make_client: ClientFactory, emulator: IdentityEmulator, version: str
) -> None:
    client = make_client.from_connection_string(emulator.connection_string, api_version=version)
    user, _ = client.create_user_and_token(["chat"], custom_id=None, token_expires_in=None)
    client.get_token(user, ["chat"], token_expires_in=None)
    client.revoke_tokens(user)
    client.delete_user(user)
    assert client.create_user(custom_id=None).raw_id
