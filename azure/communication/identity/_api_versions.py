"""The versions of the REST API, and the features of each."""

import re
from collections.abc import Mapping
from enum import Enum

from azure.core import CaseInsensitiveEnumMeta


class ApiVersion(str, Enum, metaclass=CaseInsensitiveEnumMeta):
    """The versions of the REST API that this library knows."""

    V2021_03_07 = "2021-03-07"
    V2022_06_01 = "2022-06-01"
    V2022_10_01 = "2022-10-01"
    V2023_10_01 = "2023-10-01"
    V2025_03_02_PREVIEW = "2025-03-02-preview"
    V2025_06_30 = "2025-06-30"
    V2026_09_23 = "2026-09-23"


DEFAULT_VERSION = ApiVersion.V2025_06_30


def _since(first: ApiVersion) -> tuple[str, ...]:
    return tuple(version.value for version in ApiVersion if version.value >= first.value)


_PREVIEW_ONLY = (ApiVersion.V2025_03_02_PREVIEW.value,)

# The methods and parameters that not all versions support, with the versions that do. Versions are
# dates: they sort as strings.
VERSIONS_OF: Mapping[str, tuple[str, ...]] = {
    "get_token_for_teams_user": _since(ApiVersion.V2022_06_01),
    "token_expires_in": _since(ApiVersion.V2022_10_01),
    "custom_id": _PREVIEW_ONLY,
    "get_user_detail": _PREVIEW_ONLY,
    "get_teams_extension_assignment": _since(ApiVersion.V2025_03_02_PREVIEW),
    "upsert_teams_extension_assignment": _since(ApiVersion.V2025_03_02_PREVIEW),
    "delete_teams_extension_assignment": _since(ApiVersion.V2025_03_02_PREVIEW),
    "list_entra_assignments": _PREVIEW_ONLY,
    "get_entra_assignment": _PREVIEW_ONLY,
    "upsert_entra_assignment": _PREVIEW_ONLY,
    "delete_entra_assignment": _PREVIEW_ONLY,
    "update_entra_assignments": _PREVIEW_ONLY,
}

_KNOWN = frozenset(version.value for version in ApiVersion)
_FORM = re.compile(r"[0-9A-Za-z][0-9A-Za-z.-]*")


def version_string(api_version: str | ApiVersion) -> str:
    """Checks the format of a version. The service judges whether an unknown version exists.

    :raises TypeError: If the version is not a str.
    :raises ValueError: If the version has an invalid format.
    """
    if not isinstance(api_version, str):
        raise TypeError(
            f"api_version must be an ApiVersion or a str, not {type(api_version).__name__}."
        )
    version = str.__str__(api_version)
    if not _FORM.fullmatch(version):
        raise ValueError(
            f"api_version must be like {DEFAULT_VERSION.value!r} or "
            f"{ApiVersion.V2025_03_02_PREVIEW.value!r}, not {version!r}."
        )
    return version


def require_version(feature: str, api_version: str) -> None:
    """Checks that a version supports a feature. An unknown version counts as the newest.

    :param str feature: The name of a method or parameter.
    :param str api_version: The version of the request.
    :raises ValueError: If the version does not support the feature. The message names the versions
        that do.
    """
    having = VERSIONS_OF[feature]
    if api_version in _KNOWN and api_version not in having:
        raise ValueError(
            f"{feature} needs api_version {_wanted(having)}, and this call asks for "
            f"{api_version!r}."
        )


def _wanted(having: tuple[str, ...]) -> str:
    lowest = having[0]
    stable = [version for version in having if not version.endswith("-preview")]
    if not stable:
        return f"{lowest!r}, the only one that has it"
    if lowest in stable:
        return f"{lowest!r} or later"
    return f"{stable[0]!r} or later, or {lowest!r}"
