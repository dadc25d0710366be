"""The versions of the REST API, and what each of them added."""

import re
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

_ADDED_IN = {
    "get_token_for_teams_user": ApiVersion.V2022_06_01,
    "token_expires_in": ApiVersion.V2022_10_01,
}

_KNOWN = frozenset(version.value for version in ApiVersion)
_FORM = re.compile(r"[0-9A-Za-z][0-9A-Za-z.-]*")


def version_string(api_version: str | ApiVersion) -> str:
    """Checks the form of a version. One that is not known is for the service to judge.

    :raises TypeError: The version is not a str.
    :raises ValueError: The version cannot be one.
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
    """Refuses what a version does not know. A version that is not known has everything.

    :param str feature: The name of a method or of a parameter.
    :param str api_version: The version that the request asks for.
    :raises ValueError: The version is older than the feature. The message names the one to ask for.
    """
    needed = _ADDED_IN[feature].value
    # Versions are dates, so that their order is that of the strings.
    if api_version in _KNOWN and api_version < needed:
        raise ValueError(
            f"{feature} needs api_version {needed!r} or later, and this call asks for "
            f"{api_version!r}."
        )
