"""The kinds of identifiers, their clouds, and the prefixes of raw ids."""

import warnings
from collections.abc import Mapping
from enum import Enum
from typing import Any

from azure.core import CaseInsensitiveEnumMeta


class _KindMeta(CaseInsensitiveEnumMeta):
    def __getattr__(cls, name: str) -> Any:
        if name.upper() == "MICROSOFT_BOT":
            warnings.warn(
                "CommunicationIdentifierKind.MICROSOFT_BOT is deprecated: use MICROSOFT_TEAMS_APP.",
                DeprecationWarning,
                stacklevel=2,
            )
            name = "MICROSOFT_TEAMS_APP"
        return super().__getattr__(name)


class CommunicationIdentifierKind(str, Enum, metaclass=_KindMeta):
    """The kind of an identifier.

    An identifier that is ``UNKNOWN`` in this version may get a kind in the next one:
    rely on its raw id instead.
    """

    UNKNOWN = "unknown"
    COMMUNICATION_USER = "communication_user"
    PHONE_NUMBER = "phone_number"
    MICROSOFT_TEAMS_USER = "microsoft_teams_user"
    MICROSOFT_TEAMS_APP = "microsoft_teams_app"
    TEAMS_EXTENSION_USER = "teams_extension_user"


class CommunicationCloudEnvironment(str, Enum, metaclass=CaseInsensitiveEnumMeta):
    """The Azure cloud that an identifier belongs to."""

    PUBLIC = "PUBLIC"
    DOD = "DOD"
    GCCH = "GCCH"


_PUBLIC = CommunicationCloudEnvironment.PUBLIC
_DOD = CommunicationCloudEnvironment.DOD
_GCCH = CommunicationCloudEnvironment.GCCH

TEAMS_USER_PREFIXES = {_PUBLIC: "8:orgid:", _DOD: "8:dod:", _GCCH: "8:gcch:"}
TEAMS_APP_PREFIXES = {_PUBLIC: "28:orgid:", _DOD: "28:dod:", _GCCH: "28:gcch:"}
RESOURCE_USER_PREFIXES = {_PUBLIC: "8:acs:", _DOD: "8:dod-acs:", _GCCH: "8:gcch-acs:"}


def known_cloud(cloud: str | None) -> CommunicationCloudEnvironment | str:
    """The member with this name, in any case; the public cloud if it is None."""
    if isinstance(cloud, CommunicationCloudEnvironment):
        return cloud
    if cloud is None:
        return _PUBLIC
    if not isinstance(cloud, str):
        raise TypeError(
            f"cloud must be a CommunicationCloudEnvironment or a str, not {type(cloud).__name__}."
        )
    try:
        return CommunicationCloudEnvironment(cloud.upper())
    except ValueError:
        return cloud


def prefix_of(
    prefixes: Mapping[CommunicationCloudEnvironment, str],
    cloud: CommunicationCloudEnvironment | str,
) -> str:
    if isinstance(cloud, CommunicationCloudEnvironment):
        return prefixes[cloud]
    raise ValueError(
        f"cloud must be one of {', '.join(known.value for known in prefixes)} when no raw_id is "
        f"given, not {cloud!r}."
    )
