"""Parses raw ids: the strings that name identifiers in every service and language.

The prefix of a raw id says what it identifies:

=====================================  ===============================================
``8:acs:`` ``8:dod-acs:``              communication user, or Teams extension user
``8:gcch-acs:``                        when three parts joined by ``_`` follow
``8:spool:``                           communication user
``8:orgid:`` ``8:dod:`` ``8:gcch:``    Microsoft Teams user
``8:teamsvisitor:``                    anonymous Microsoft Teams user
``28:orgid:`` ``28:dod:`` ``28:gcch:`` Microsoft Teams app
``4:``                                 phone number
=====================================  ===============================================

Anything else is an unknown identifier, and kept unchanged.
"""

from collections.abc import Callable

from .enums import (
    RESOURCE_USER_PREFIXES,
    TEAMS_APP_PREFIXES,
    TEAMS_USER_PREFIXES,
    CommunicationCloudEnvironment,
)
from .identifier_base import CommunicationIdentifier, not_a_str
from .identifiers import (
    CommunicationUserIdentifier,
    MicrosoftTeamsAppIdentifier,
    MicrosoftTeamsUserIdentifier,
    PhoneNumberIdentifier,
    TeamsExtensionUserIdentifier,
    UnknownIdentifier,
)

_Parser = Callable[[str, str], CommunicationIdentifier]
"""Takes a raw id, and the part after its prefix."""


def _resource_user(cloud: CommunicationCloudEnvironment) -> _Parser:
    def parse(raw_id: str, rest: str) -> CommunicationIdentifier:
        if rest.count("_") != 2:
            return CommunicationUserIdentifier(raw_id)
        resource_id, tenant_id, user_id = rest.split("_")
        return TeamsExtensionUserIdentifier(
            user_id=user_id,
            tenant_id=tenant_id,
            resource_id=resource_id,
            cloud=cloud,
            raw_id=raw_id,
        )

    return parse


def _teams_user(cloud: CommunicationCloudEnvironment, is_anonymous: bool = False) -> _Parser:
    return lambda raw_id, rest: MicrosoftTeamsUserIdentifier(
        rest, is_anonymous=is_anonymous, cloud=cloud, raw_id=raw_id
    )


def _teams_app(cloud: CommunicationCloudEnvironment) -> _Parser:
    return lambda raw_id, rest: MicrosoftTeamsAppIdentifier(rest, cloud=cloud, raw_id=raw_id)


_PARSERS: dict[str, _Parser] = {
    "8:spool:": lambda raw_id, rest: CommunicationUserIdentifier(raw_id),
    "8:teamsvisitor:": _teams_user(CommunicationCloudEnvironment.PUBLIC, is_anonymous=True),
    **{prefix: _resource_user(cloud) for cloud, prefix in RESOURCE_USER_PREFIXES.items()},
    **{prefix: _teams_user(cloud) for cloud, prefix in TEAMS_USER_PREFIXES.items()},
    **{prefix: _teams_app(cloud) for cloud, prefix in TEAMS_APP_PREFIXES.items()},
}


def identifier_from_raw_id(raw_id: str) -> CommunicationIdentifier:
    """Creates the identifier that a raw id names.

    :param str raw_id: The raw id of any identifier, from a database for example.
    :return: The identifier, with this ``raw_id``. An :class:`UnknownIdentifier` if this version
        does not know the kind.
    :rtype: ~azure.communication.identity.CommunicationIdentifier
    :raises TypeError: If the raw id is not a str.
    """
    if not isinstance(raw_id, str):
        raise not_a_str("raw_id", raw_id)
    if raw_id.startswith("4:"):
        return PhoneNumberIdentifier(raw_id[2:], raw_id=raw_id)
    # A prefix ends at its second colon; the first one is no later than in "28:".
    end_of_prefix = raw_id.find(":", len("28:")) + 1
    parse = _PARSERS.get(raw_id[:end_of_prefix])
    return parse(raw_id, raw_id[end_of_prefix:]) if parse else UnknownIdentifier(raw_id)
