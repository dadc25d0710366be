"""The description of the REST API has all operations of the service: versions, fields, statuses.

The description is compared with the table below and, where it exists, with
``../shared/facts/operations.json``. In both, ``?`` marks an optional field, and parentheses hold
the versions of a field, if they are not those of its operation.
"""

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PUBLISHED = ROOT.parent / "shared" / "facts" / "operations.json"
API: dict[str, Any] = json.loads((ROOT / "swagger" / "communication_identity.json").read_text())
VERSIONS: list[str] = API["info"]["x-acs-api-versions"]
PREVIEW = "2025-03-02-preview"

MINUTES = {"expiresInMinutes? (2022-10-01+)": "int32 60..1440, default 1440"}
TOKEN = "{token, expiresOn}"
IDENTITY_AND_TOKEN = f"{{identity: {{id}}, accessToken?: {TOKEN}}}"
TEAMS_PATH = "/access/teamsExtension/tenants/{tenantId}/assignments/{objectId}"
TEAMS_ASSIGNMENT = "{objectId, tenantId, principalType, clientIds?}"
ENTRA_PATH = "/access/entra/assignments"
ENTRA_ASSIGNMENT = "{objectId, tenantId, principalType, clientIds}"
ENTRA_PAGE = f"{{value: [{ENTRA_ASSIGNMENT}], nextLink?}}"

ERROR = "CommunicationErrorResponse {error: {code, message, target?, details?, innererror?}}"
TYPES = {
    **dict.fromkeys(["code", "message", "target", "token", "nextLink"], "string"),
    **dict.fromkeys(["id", "customId", "objectId", "tenantId"], "string"),
    **dict.fromkeys(["expiresOn", "lastTokenIssuedAt"], "date-time"),
    "clientIds": "[string]",
}
"""The types of fields that a response may have."""


class Row(NamedTuple):
    """An operation of the table."""

    id: str
    method: str
    path: str
    since: str
    request: dict[str, str] | None
    success: dict[str, str | None]


TABLE = [
    Row(
        "create",
        "POST",
        "/identities",
        "2021-03-07+",
        {"createTokenWithScopes?": "[scope]", **MINUTES, f"customId? ({PREVIEW})": "string 1..256"},
        {
            "201": "{identity: {id, customId? (preview), lastTokenIssuedAt? (preview)}, "
            f"accessToken?: {TOKEN}}}"
        },
    ),
    Row(
        "get",
        "GET",
        "/identities/{id}",
        PREVIEW,
        None,
        {"200": "{id, customId?, lastTokenIssuedAt?}"},
    ),
    Row("delete", "DELETE", "/identities/{id}", "2021-03-07+", None, {"204": None}),
    Row(
        "revoke_access_tokens",
        "POST",
        "/identities/{id}/:revokeAccessTokens",
        "2021-03-07+",
        None,
        {"204": None},
    ),
    Row(
        "issue_access_token",
        "POST",
        "/identities/{id}/:issueAccessToken",
        "2021-03-07+",
        {"scopes": "[scope]", **MINUTES},
        {"200": TOKEN},
    ),
    Row(
        "exchange_teams_user_access_token",
        "POST",
        "/teamsUser/:exchangeAccessToken",
        "2022-06-01+",
        dict.fromkeys(["token", "appId", "userId"], "string"),
        {"200": TOKEN},
    ),
    Row(
        "teams_extension.exchange_token",
        "POST",
        "/access/teamsExtension/:exchangeAccessToken",
        f"{PREVIEW}+",
        {},
        {"200": IDENTITY_AND_TOKEN},
    ),
    Row(
        "teams_extension.get_assignment",
        "GET",
        TEAMS_PATH,
        f"{PREVIEW}+",
        None,
        {"200": TEAMS_ASSIGNMENT},
    ),
    Row(
        "teams_extension.upsert_assignment",
        "PUT",
        TEAMS_PATH,
        f"{PREVIEW}+",
        {
            "principalType": "open enum user, resourceAccount, teamsResourceAccount",
            "clientIds?": "[string]",
        },
        dict.fromkeys(["200", "201"], TEAMS_ASSIGNMENT),
    ),
    Row(
        "teams_extension.delete_assignment",
        "DELETE",
        TEAMS_PATH,
        f"{PREVIEW}+",
        None,
        {"204": None},
    ),
    Row(
        "entra.exchange_token",
        "POST",
        "/access/entra/:exchangeAccessToken",
        PREVIEW,
        {},
        {"200": IDENTITY_AND_TOKEN},
    ),
    Row("entra.list_assignments", "GET", ENTRA_PATH, PREVIEW, None, {"200": ENTRA_PAGE}),
    Row(
        "entra.update_assignments",
        "PATCH",
        ENTRA_PATH,
        PREVIEW,
        {"{objectId}": "{tenantId, principalType, clientIds} or null"},
        {"200": ENTRA_PAGE, "204": None},
    ),
    Row(
        "entra.get_assignment",
        "GET",
        f"{ENTRA_PATH}/{{objectId}}",
        PREVIEW,
        None,
        {"200": ENTRA_ASSIGNMENT},
    ),
    Row(
        "entra.upsert_assignment",
        "PUT",
        f"{ENTRA_PATH}/{{objectId}}",
        PREVIEW,
        {
            "tenantId": "string",
            "principalType": "open enum user, group, tenant",
            "clientIds": "[string]",
        },
        dict.fromkeys(["200", "201"], ENTRA_ASSIGNMENT),
    ),
    Row(
        "entra.delete_assignment",
        "DELETE",
        f"{ENTRA_PATH}/{{objectId}}",
        PREVIEW,
        None,
        {"204": None},
    ),
]
DESCRIBED = {
    node["operationId"]: (method.upper(), path, node)
    for path, methods in API["paths"].items()
    for method, node in methods.items()
}


def described(id: str) -> tuple[str, str, dict[str, Any]]:
    group, _, name = id.rpartition(".")
    words = f"{group or 'communication_identity'}-{name}".replace("_", " ").title()
    return DESCRIBED[words.replace(" ", "").replace("-", "_")]


def since(text: str) -> list[str]:
    first = PREVIEW if text == "preview" else text.removesuffix("+")
    return VERSIONS[VERSIONS.index(first) :] if text.endswith("+") else [first]


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    target: dict[str, Any] = API["definitions"][schema["$ref"].rpartition("/")[2]]
    return target


def field_of(schema: dict[str, Any], text: str, versions: list[str]) -> tuple[str, dict[str, Any]]:
    """Checks a field such as ``customId? (preview)``. Returns its name and schema."""
    match = re.fullmatch(r"(\w+)(\?)?(?: \((.+)\))?", text)
    assert match, text
    name, optional, its_versions = match.groups()
    found = schema["properties"][name]
    assert (name not in schema.get("required", [])) is bool(optional), name
    wanted = since(its_versions) if its_versions else versions
    assert [it for it in found.get("x-acs-api-versions", versions) if it in versions] == wanted
    return name, found


def check_fields(schema: dict[str, Any], text: str, versions: list[str]) -> None:
    """Checks fields such as ``{identity: {id}, accessToken?: {token, expiresOn}}``."""
    schema = resolved(schema)
    assert schema["type"] == "object"
    seen = set()
    for item in re.findall(r"([\w? ()-]+)(?:: (\[?)({.*?})]?)?(?:, |$)", text[1:-1]):
        name, is_list, below = item[0].strip(), item[1], item[2]
        name, found = field_of(schema, name, versions)
        seen.add(name)
        if below:
            check_fields(found["items"] if is_list else found, below, versions)
    # A definition that operations share may have more, but nothing that a client must expect.
    assert set(schema.get("required", [])) <= seen


def shown(schema: dict[str, Any]) -> str:
    """A schema as the tables write it."""
    target = resolved(schema)
    if "enum" in target:
        assert target["x-ms-enum"]["modelAsString"]
        is_scope = target["x-ms-enum"]["name"] == "CommunicationTokenScope"
        return "scope" if is_scope else "open enum " + ", ".join(target["enum"])
    if target["type"] == "array":
        return f"[{shown(target['items'])}]"
    limits = [
        str(target[name])
        for name in ("minimum", "maximum", "minLength", "maxLength")
        if name in target
    ]
    text = str(target.get("format", target["type"]))
    text += f" {'..'.join(limits)}" if limits else ""
    return text + (f", default {target['default']}" if "default" in target else "")


def check_request(
    schema: dict[str, Any], fields: dict[str, str], versions: list[str], is_exact: bool
) -> None:
    seen = set()
    for text, value in fields.items():
        if text == "{objectId}":
            assert schema["additionalProperties"]["x-nullable"]
            check_fields(schema["additionalProperties"], value.removesuffix(" or null"), versions)
            continue
        name, found = field_of(schema, text, versions)
        seen.add(name)
        mine, wanted = shown(found), value
        if wanted.startswith("open enum") and not is_exact:
            # Values that the specification does not list may be known from elsewhere.
            values = (set(it.removeprefix("open enum ").split(", ")) for it in (wanted, mine))
            assert next(values) <= next(values)
        else:
            assert mine == wanted
    assert set(schema.get("properties", {})) == seen


def check_parameters(path: str, parameters: list[dict[str, Any]]) -> None:
    """Checks that each part of the path, and the api version, is a parameter."""
    found = [
        API["parameters"][it["$ref"].rpartition("/")[2]] if "$ref" in it else it
        for it in parameters
    ]
    required = [(it["in"], it["name"]) for it in found if it["in"] != "body" and it["required"]]
    names = ["endpoint", *re.findall(r"{(\w+)}", path)]
    assert required == [*(("path", name) for name in names), ("query", "api-version")]


def check_error(responses: dict[str, Any], text: str) -> None:
    """Checks that a response without a status of its own is an error of the service."""
    name, _, fields = text.partition(" ")
    assert responses["default"] == {"$ref": "#/responses/Error"}
    assert API["responses"]["Error"]["schema"] == {"$ref": f"#/definitions/{name}"}
    assert set(API["definitions"]["CommunicationError"]["properties"]) == set(
        re.findall(r"(\w+)\??[,}]", fields)
    )
    check_fields(API["definitions"][name], fields, VERSIONS)


def check(row: Row, versions: list[str], content_type: str, is_exact: bool) -> None:
    method, path, node = described(row.id)
    assert (method, path) == (row.method, row.path)
    assert node.get("x-acs-api-versions", VERSIONS) == versions
    check_parameters(path, node["parameters"])
    bodies = [it for it in node["parameters"] if it.get("in") == "body"]
    assert len(bodies) == (row.request is not None)
    for body in bodies:
        assert node["consumes"] == [content_type]
        assert body["required"] is (row.id != "create")
        check_request(resolved(body["schema"]), row.request or {}, versions, is_exact)
    successes = {status for status in node["responses"] if status.startswith("2")}
    assert successes == set(row.success)
    for status, text in row.success.items():
        schema = node["responses"][status].get("schema")
        assert (schema is None) is (text is None)
        if schema and text:
            check_fields(schema, text, versions)
    is_paged = "nextLink" in str(row.success)
    assert node.get("x-ms-pageable", {}).get("nextLinkName") == ("nextLink" if is_paged else None)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.id)
def test_an_operation_is_described_as_in_the_table(row: Row) -> None:
    is_patch = row.method == "PATCH"
    content_type = f"application/{'merge-patch+' if is_patch else ''}json"
    check(row, since(row.since), content_type, is_exact=True)
    check_error(described(row.id)[2]["responses"], ERROR)


def test_the_fields_of_a_response_have_their_types() -> None:
    results = {
        name: definition
        for name, definition in API["definitions"].items()
        if not name.endswith("Request")
    }
    seen = {
        field: shown(found).partition(" ")[0]
        for definition in results.values()
        for field, found in definition.get("properties", {}).items()
        if resolved(found)["type"] != "object"
    }
    # An enum, and lists of objects, have a name and not a type.
    assert seen.pop("principalType") == "open"
    assert API["definitions"]["EntraAssignmentList"]["properties"]["value"]["type"] == "array"
    assert {name: kind for name, kind in seen.items() if kind != "[object]"} == TYPES


def test_the_table_has_every_operation() -> None:
    assert [DESCRIBED[described(row.id)[2]["operationId"]] for row in TABLE]
    assert len({row.id for row in TABLE}) == len(DESCRIBED) == len(TABLE)


if PUBLISHED.exists():  # they are not part of the project, and nobody else can get them

    def test_the_description_agrees_with_the_published_operations() -> None:
        published = json.loads(PUBLISHED.read_text("utf-8"))
        assert published["versions"] == VERSIONS
        operations = published["operations"]
        assert len(operations) == len(DESCRIBED)
        shapes = {
            operation["id"]: operation["success"].get("200")
            for operation in operations
            if operation["id"].endswith("get_assignment")
        }
        for operation in operations:
            group = operation["id"].partition(".")[0]
            success = {
                status: text
                and text.replace("assignment", shapes.get(f"{group}.get_assignment", ""))
                for status, text in operation["success"].items()
            }
            row = Row(
                operation["id"],
                operation["method"],
                operation["path"],
                "",
                operation.get("request"),
                success,
            )
            content_type = operation.get("content_type", "application/json")
            check(row, operation["versions"], content_type, is_exact=False)
            check_error(described(row.id)[2]["responses"], published["error"])
            assert operation.get("request_required", False) is (
                row.request is not None and row.id != "create"
            )
