"""The versions of the REST API, and that the description of the API agrees with them."""

import json
from pathlib import Path
from typing import Any

import pytest

from azure.communication.identity import ApiVersion, CommunicationTokenScope
from azure.communication.identity._api_versions import (
    DEFAULT_VERSION,
    require_version,
    version_string,
)

ROOT = Path(__file__).resolve().parent.parent
DESCRIPTION = json.loads(
    (ROOT / "swagger" / "communication_identity.json").read_text(encoding="utf-8")
)
VERSIONS = [
    "2021-03-07",
    "2022-06-01",
    "2022-10-01",
    "2023-10-01",
    "2025-03-02-preview",
    "2025-06-30",
    "2026-09-23",
]


def test_the_versions_are_those_of_the_description() -> None:
    assert [version.value for version in ApiVersion] == VERSIONS
    assert DESCRIPTION["info"]["x-acs-api-versions"] == VERSIONS
    assert DEFAULT_VERSION.value == DESCRIPTION["info"]["version"] == "2025-06-30"


def test_a_version_is_found_by_its_value_and_by_its_name_in_any_case() -> None:
    for version in ApiVersion:
        assert ApiVersion(version.value) is version
        assert version == version.value
        name = "V" + version.value.replace("-", "_").upper()
        assert ApiVersion[name.lower()] is version


def test_the_scopes_are_those_of_the_description() -> None:
    scopes = {scope.name: scope.value for scope in CommunicationTokenScope}
    assert scopes == {
        "CHAT": "chat",
        "VOIP": "voip",
        "CHAT_JOIN": "chat.join",
        "CHAT_JOIN_LIMITED": "chat.join.limited",
        "VOIP_JOIN": "voip.join",
    }
    assert DESCRIPTION["definitions"]["CommunicationTokenScope"]["enum"] == list(scopes.values())


@pytest.mark.parametrize("version", [*ApiVersion, *VERSIONS, "2099-01-01", "9999-12-31-preview.1"])
def test_a_version_is_taken_whether_it_is_known_or_not(version: str) -> None:
    found = version_string(version)
    assert found == (version.value if isinstance(version, ApiVersion) else version)
    assert type(found) is str


@pytest.mark.parametrize(
    "version", ["", " ", " 2025-06-30", "2025-06-30\n", "2025/06/30", "a&b=c", "-1", "2025-06-30é"]
)
def test_what_cannot_be_a_version_is_refused(version: str) -> None:
    with pytest.raises(ValueError, match="api_version must be like '2025-06-30' or") as caught:
        version_string(version)
    assert repr(version) in str(caught.value)


@pytest.mark.parametrize("version", [None, 20250630, b"2025-06-30"])
def test_a_version_of_another_type_is_a_type_error(version: Any) -> None:
    with pytest.raises(TypeError, match=r"^api_version must be an ApiVersion or a str, not "):
        version_string(version)


ADDED_IN = {
    "get_token_for_teams_user": (
        "2022-06-01",
        DESCRIPTION["paths"]["/teamsUser/:exchangeAccessToken"]["post"],
    ),
    "token_expires_in": (
        "2022-10-01",
        DESCRIPTION["definitions"]["CommunicationIdentityAccessTokenRequest"]["properties"][
            "expiresInMinutes"
        ],
    ),
}


@pytest.mark.parametrize(
    ("feature", "added_in", "described"),
    [(feature, *expected) for feature, expected in ADDED_IN.items()],
    ids=ADDED_IN,
)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_version_has_what_it_or_an_older_one_added(
    feature: str, added_in: str, described: Any, version: str
) -> None:
    if version in described["x-acs-api-versions"]:
        require_version(feature, version)
    else:
        with pytest.raises(ValueError, match=f"{feature} needs api_version '{added_in}'") as old:
            require_version(feature, version)
        assert repr(version) in str(old.value)


@pytest.mark.parametrize("feature", ADDED_IN)
@pytest.mark.parametrize("version", ["2020-01-01", "2099-01-01", "unheard-of"])
def test_a_version_that_is_not_known_has_everything(feature: str, version: str) -> None:
    require_version(feature, version)
