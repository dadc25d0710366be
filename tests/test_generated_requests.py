"""The request builders: pure, and every URL they build goes out as it was built."""

import inspect
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

import pytest
import requests
from hypothesis import example, given, settings
from hypothesis import strategies as st

from azure.communication.identity import CommunicationTokenScope
from azure.communication.identity._generated import _request_builders as builders
from azure.communication.identity._generated._messages import segment
from azure.communication.identity._generated.models import (
    CommunicationIdentityAccessTokenRequest,
    TokenExchangeRequest,
)

ROOT = Path(__file__).resolve().parent.parent
PATHS = json.loads((ROOT / "swagger" / "communication_identity.json").read_text("utf-8"))["paths"]
DEFAULT = "2025-06-30"
ENDPOINT = "https://resource.communication.azure.com"
BODY = {"scopes": ["chat"]}
BODY_TEXT = '{"scopes": ["chat"]}'

ASSIGNMENT = "/access/teamsExtension/tenants/tenant/assignments/object"
ENTRA = "/access/entra/assignments"
# The name of the builder, its arguments, a body; the request line and the content.
REQUESTS: list[tuple[str, tuple[str, ...], Any, str, str | None]] = [
    ("communication_identity_create", (), None, "POST /identities", None),
    ("communication_identity_create", (), BODY, "POST /identities", BODY_TEXT),
    ("communication_identity_get", ("8:acs:1",), None, "GET /identities/8:acs:1", None),
    ("communication_identity_delete", ("8:acs:1",), None, "DELETE /identities/8:acs:1", None),
    (
        "communication_identity_revoke_access_tokens",
        ("8:acs:1",),
        None,
        "POST /identities/8:acs:1/:revokeAccessTokens",
        None,
    ),
    (
        "communication_identity_issue_access_token",
        ("8:acs:1",),
        BODY,
        "POST /identities/8:acs:1/:issueAccessToken",
        BODY_TEXT,
    ),
    (
        "communication_identity_exchange_teams_user_access_token",
        (),
        BODY,
        "POST /teamsUser/:exchangeAccessToken",
        BODY_TEXT,
    ),
    (
        "entra_exchange_token",
        (),
        None,
        "POST /access/entra/:exchangeAccessToken",
        "{}",
    ),
    (
        "teams_extension_exchange_token",
        (),
        None,
        "POST /access/teamsExtension/:exchangeAccessToken",
        "{}",
    ),
    ("teams_extension_get_assignment", ("tenant", "object"), None, f"GET {ASSIGNMENT}", None),
    (
        "teams_extension_upsert_assignment",
        ("tenant", "object"),
        BODY,
        f"PUT {ASSIGNMENT}",
        BODY_TEXT,
    ),
    ("teams_extension_delete_assignment", ("tenant", "object"), None, f"DELETE {ASSIGNMENT}", None),
    ("entra_list_assignments", (), None, f"GET {ENTRA}", None),
    ("entra_update_assignments", (), BODY, f"PATCH {ENTRA}", BODY_TEXT),
    ("entra_get_assignment", ("object",), None, f"GET {ENTRA}/object", None),
    ("entra_upsert_assignment", ("object",), BODY, f"PUT {ENTRA}/object", BODY_TEXT),
    ("entra_delete_assignment", ("object",), None, f"DELETE {ENTRA}/object", None),
]


@pytest.mark.parametrize(("name", "arguments", "body", "request_line", "content"), REQUESTS)
def test_a_builder_makes_the_request_of_its_operation(
    name: str, arguments: tuple[str, ...], body: Any, request_line: str, content: str | None
) -> None:
    build = getattr(builders, f"build_{name}_request")
    takes_body = "json" in inspect.signature(build).parameters
    request = build(*arguments, **({"json": body} if takes_body else {}))
    assert f"{request.method} {request.url}" == f"{request_line}?api-version={DEFAULT}"
    assert request.content == content
    headers = {"Accept": "application/json"}
    if takes_body:
        patch = "merge-patch+" if request.method == "PATCH" else ""
        headers["Content-Type"] = f"application/{patch}json"
    if content is not None:
        headers["Content-Length"] = str(len(content))
    assert dict(request.headers) == headers


def test_every_operation_of_the_description_has_a_builder_and_no_other_has() -> None:
    described = {
        f"{method.upper()} {re.sub(r'{.+?}', '{}', path)}"
        for path, methods in PATHS.items()
        for method in methods
    }
    built = {re.sub(r"/(8:acs:1|tenant|object)(?=/|$)", "/{}", line) for *_, line, _ in REQUESTS}
    assert built == described
    in_module = {name for name in vars(builders) if re.fullmatch(r"build_\w+_request", name)}
    assert {f"build_{name}_request" for name, *_ in REQUESTS} == in_module


def test_a_builder_changes_nothing_that_it_is_given() -> None:
    body = {"scopes": ["chat"]}
    headers = {"x-a": "1"}
    params = {"a": "1"}
    urls = {
        builders.build_communication_identity_issue_access_token_request(
            "8:acs:1", json=body, headers=headers, params=params, api_version="2023-10-01"
        ).url
        for _ in range(2)
    }
    assert urls == {"/identities/8:acs:1/:issueAccessToken?a=1&api-version=2023-10-01"}
    assert (body, headers, params) == ({"scopes": ["chat"]}, {"x-a": "1"}, {"a": "1"})


@pytest.mark.parametrize(
    ("body", "content"),
    [
        (
            {"createTokenWithScopes": [CommunicationTokenScope.VOIP_JOIN]},
            '{"createTokenWithScopes": ["voip.join"]}',
        ),
        (
            CommunicationIdentityAccessTokenRequest(
                scopes=[CommunicationTokenScope.CHAT, "sms"], expires_in_minutes=60
            ),
            '{"scopes": ["chat", "sms"], "expiresInMinutes": 60}',
        ),
        (CommunicationIdentityAccessTokenRequest(scopes=["é"]), '{"scopes": ["\\u00e9"]}'),
        (TokenExchangeRequest(), "{}"),
        ({}, "{}"),
    ],
)
def test_a_body_is_a_mapping_or_a_model(body: Any, content: str) -> None:
    assert builders.build_communication_identity_create_request(json=body).content == content


@pytest.mark.parametrize("name", ["Accept", "accept", "Content-Type", "content-type"])
def test_headers_of_the_caller_replace_the_builders_own_in_any_case(name: str) -> None:
    request = builders.build_communication_identity_create_request(json={}, headers={name: "a/b"})
    assert [value for key, value in request.headers.items() if key.lower() == name.lower()] == [
        "a/b"
    ]
    assert len(request.headers) == 3


def test_a_query_of_the_caller_goes_first_and_does_not_replace_the_version() -> None:
    request = builders.build_communication_identity_get_request(
        "1", params={"a&b": "c=d e", "api-version": "1"}, api_version="2&3"
    )
    # A query that names the version keeps its place, but not its value.
    assert request.url == "/identities/1?a%26b=c%3Dd%20e&api-version=2%263"


LITERAL = "8:acs:1_2-3.4~5@6!$&'()*+,;=7"
QUOTED = {
    LITERAL: LITERAL,
    "a b": "a%20b",
    "a/b": "a%2Fb",
    "a?b#c": "a%3Fb%23c",
    "100%": "100%25",
    "8%3Aacs": "8%253Aacs",
    "%zz": "%25zz",
    "..a": "..a",
    "./..": ".%2F..",
    "...": "...",
    "é": "%C3%A9",
    "🙂": "%F0%9F%99%82",
    'a"<>[]\\^`{|}': "a%22%3C%3E%5B%5D%5C%5E%60%7B%7C%7D",
    "\r\n\t\0\x7f": "%0D%0A%09%00%7F",
}


@pytest.mark.parametrize(("value", "quoted"), QUOTED.items(), ids=map(repr, QUOTED))
def test_a_segment_quotes_what_cannot_stand_in_it(value: str, quoted: str) -> None:
    assert segment(value) == quoted


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_a_segment_that_leads_to_another_path_is_refused(value: str) -> None:
    for build in (
        builders.build_communication_identity_delete_request,
        lambda value: builders.build_teams_extension_delete_assignment_request("tenant", value),
        lambda value: builders.build_teams_extension_delete_assignment_request(value, "object"),
    ):
        with pytest.raises(ValueError, match="cannot be a segment of a path") as caught:
            build(value)
        assert repr(value) in str(caught.value)


# Whatever can be encoded and does not lead elsewhere; marks of URLs more often than by chance.
HOSTILE = st.text(
    st.sampled_from("%/?#&=+:;@ .~\\\"'<>[]{}|^`\r\n\0é🙂2Ff")
    | st.characters(exclude_categories=["Cs"])
).filter(lambda text: text not in ("", ".", ".."))


@given(HOSTILE, HOSTILE, HOSTILE)
@example("%2e%2e", "a", "b")
@example("%2E", "..%2f", "b+c d")
@settings(max_examples=150, deadline=None)
def test_a_url_is_sent_by_requests_as_it_was_built(id: str, name: str, value: str) -> None:
    request = builders.build_communication_identity_revoke_access_tokens_request(
        id, params={name: value}, api_version=value
    )
    url = ENDPOINT + request.url
    path, _, query = request.url.partition("?")
    assert unquote(path.split("/")[2]) == id
    assert path.split("/")[3:] == [":revokeAccessTokens"]
    assert ("api-version", value) in parse_qsl(query, keep_blank_values=True, strict_parsing=True)
    assert requests.Request("POST", url).prepare().url == url


@given(HOSTILE, HOSTILE, HOSTILE)
@settings(max_examples=150, deadline=None)
def test_a_url_is_sent_by_aiohttp_as_it_was_built(id: str, name: str, value: str) -> None:
    yarl = pytest.importorskip("yarl", reason="it comes with aiohttp")
    request = builders.build_communication_identity_delete_request(id, params={name: value})
    assert str(yarl.URL(ENDPOINT + request.url)) == ENDPOINT + request.url
    assert yarl.URL(ENDPOINT + request.url).raw_path_qs == request.url


def test_a_long_id_is_sent_as_it_was_built() -> None:
    id = "8:acs:" + "é /%" * 512
    url = ENDPOINT + builders.build_communication_identity_delete_request(id).url
    assert requests.Request("DELETE", url).prepare().url == url
    assert quote(id, safe=":") in url
