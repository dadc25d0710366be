"""Identifiers of the people, phones and apps that take part in a communication."""

import warnings
from collections.abc import Mapping
from typing import Any, Literal, Protocol, TypedDict, cast, runtime_checkable

from .enums import (
    RESOURCE_USER_PREFIXES,
    TEAMS_APP_PREFIXES,
    TEAMS_USER_PREFIXES,
    CommunicationCloudEnvironment,
    CommunicationIdentifierKind,
    known_cloud,
    prefix_of,
)


@runtime_checkable
class CommunicationIdentifier(Protocol):
    """What all identifiers have in common, those of other Azure packages included.

    ``raw_id`` names the identifier, ``kind`` says what it identifies, and ``properties`` are the
    parts that the raw id is made of.
    """

    @property
    def raw_id(self) -> str: ...

    @property
    def kind(self) -> CommunicationIdentifierKind: ...

    @property
    def properties(self) -> Mapping[str, Any]: ...


class _Identifier:
    """Identity by kind and raw id; the raw id never changes."""

    kind: Any  # the Literal of each class

    def __init__(self, raw_id: str) -> None:
        require_str("raw_id", raw_id)
        self._raw_id = raw_id

    @property
    def raw_id(self) -> str:
        """The raw id: the string that names this identifier everywhere."""
        return self._raw_id

    def __eq__(self, other: object) -> bool:
        # By kind and not by class, so that the same user compares equal when it comes from another
        # Azure package, each of which has a class of its own for it.
        if not isinstance(other, _Identifier | CommunicationIdentifier):
            return NotImplemented
        return self._raw_id == other.raw_id and self.kind == other.kind

    def __hash__(self) -> int:
        return hash(self._raw_id)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(raw_id={self._raw_id!r})"


class CommunicationUserProperties(TypedDict):
    """The parts of a :class:`CommunicationUserIdentifier`."""

    id: str
    """The id of the user, as the identity service returned it."""


class CommunicationUserIdentifier(_Identifier):
    """A user of an Azure Communication Services resource.

    :param str id: The id of the user, as the identity service returned it.
    :keyword str raw_id: The raw id, when it is not the id.
    :raises TypeError: An argument is not a str.
    """

    kind: Literal[CommunicationIdentifierKind.COMMUNICATION_USER] = (
        CommunicationIdentifierKind.COMMUNICATION_USER
    )
    properties: CommunicationUserProperties

    def __init__(self, id: str, *, raw_id: str | None = None) -> None:
        require_str("id", id)
        super().__init__(id if raw_id is None else raw_id)
        self.properties = {"id": id}

    @property
    def identifier(self) -> str:
        """The id of the user: the same as ``properties["id"]``."""
        return self.properties["id"]


class PhoneNumberProperties(TypedDict):
    """The parts of a :class:`PhoneNumberIdentifier`."""

    value: str
    """The phone number, in E.164 format."""
    is_anonymous: bool
    """Whether this is the caller that withheld the number, ``4:anonymous``."""
    asserted_id: str | None
    """What tells callers apart that share a number: what follows the last ``_``, if anything."""


class PhoneNumberIdentifier(_Identifier):
    """A phone number.

    :param str value: The phone number, in E.164 format. It is kept as it is: its format is for the
        service to judge.
    :keyword str raw_id: The raw id, when it is not ``4:`` and the value.
    :raises TypeError: An argument is not a str.
    """

    kind: Literal[CommunicationIdentifierKind.PHONE_NUMBER] = (
        CommunicationIdentifierKind.PHONE_NUMBER
    )
    properties: PhoneNumberProperties

    def __init__(self, value: str, *, raw_id: str | None = None) -> None:
        require_str("value", value)
        super().__init__("4:" + value if raw_id is None else raw_id)
        _, separator, asserted_id = self._raw_id.rpartition("_")
        self.properties = {
            "value": value,
            "is_anonymous": self._raw_id == "4:anonymous",
            "asserted_id": (separator and asserted_id) or None,
        }


class UnknownIdentifier(_Identifier):
    """An identifier of a kind that this version does not know.

    :param str identifier: The raw id.
    :raises TypeError: The raw id is not a str.
    """

    kind: Literal[CommunicationIdentifierKind.UNKNOWN] = CommunicationIdentifierKind.UNKNOWN
    properties: Mapping[str, Any]

    def __init__(self, identifier: str) -> None:
        super().__init__(identifier)
        self.properties = {}


class MicrosoftTeamsUserProperties(TypedDict):
    """The parts of a :class:`MicrosoftTeamsUserIdentifier`."""

    user_id: str
    """The id of the user: its Entra object id, unless it is anonymous."""
    is_anonymous: bool
    """Whether the user joined without signing in, by a meeting link for example."""
    cloud: CommunicationCloudEnvironment | str
    """The cloud that the user belongs to."""


class MicrosoftTeamsUserIdentifier(_Identifier):
    """A Microsoft Teams user.

    :param str user_id: The id of the user: its Entra object id, unless it is anonymous.
    :keyword bool is_anonymous: Whether the user joined without signing in. Defaults to False.
    :keyword cloud: The cloud that the user belongs to. Defaults to the public one.
    :paramtype cloud: str or ~azure.communication.identity.CommunicationCloudEnvironment
    :keyword str raw_id: The raw id, when it is not made of the other arguments.
    :raises TypeError: An id or the cloud is not a str.
    :raises ValueError: The raw id is not given, and the cloud is none whose raw ids are known.
    """

    kind: Literal[CommunicationIdentifierKind.MICROSOFT_TEAMS_USER] = (
        CommunicationIdentifierKind.MICROSOFT_TEAMS_USER
    )
    properties: MicrosoftTeamsUserProperties

    def __init__(
        self,
        user_id: str,
        *,
        is_anonymous: bool = False,
        cloud: CommunicationCloudEnvironment | str | None = None,
        raw_id: str | None = None,
    ) -> None:
        require_str("user_id", user_id)
        cloud = known_cloud(cloud)
        if raw_id is None:
            prefix = "8:teamsvisitor:" if is_anonymous else prefix_of(TEAMS_USER_PREFIXES, cloud)
            raw_id = prefix + user_id
        super().__init__(raw_id)
        self.properties = {"user_id": user_id, "is_anonymous": is_anonymous, "cloud": cloud}


class MicrosoftTeamsAppProperties(TypedDict):
    """The parts of a :class:`MicrosoftTeamsAppIdentifier`."""

    app_id: str
    """The id of the app."""
    cloud: CommunicationCloudEnvironment | str
    """The cloud that the app belongs to."""


class _TeamsAppProperties(dict[str, Any]):
    """Answers the keys of the time when a Teams app was called a bot, without listing them."""

    def __missing__(self, key: str) -> Any:
        if key == "bot_id":
            return self["app_id"]
        if key == "is_resource_account_configured":
            return True
        raise KeyError(key)


class MicrosoftTeamsAppIdentifier(_Identifier):
    """A Microsoft Teams app.

    :param str app_id: The id of the app.
    :keyword cloud: The cloud that the app belongs to. Defaults to the public one.
    :paramtype cloud: str or ~azure.communication.identity.CommunicationCloudEnvironment
    :keyword str raw_id: The raw id, when it is not made of the other arguments.
    :raises TypeError: An id or the cloud is not a str.
    :raises ValueError: The raw id is not given, and the cloud is none whose raw ids are known.
    """

    kind: Literal[CommunicationIdentifierKind.MICROSOFT_TEAMS_APP] = (
        CommunicationIdentifierKind.MICROSOFT_TEAMS_APP
    )
    properties: MicrosoftTeamsAppProperties

    def __init__(
        self,
        app_id: str,
        *,
        cloud: CommunicationCloudEnvironment | str | None = None,
        raw_id: str | None = None,
    ) -> None:
        require_str("app_id", app_id)
        cloud = known_cloud(cloud)
        super().__init__(
            prefix_of(TEAMS_APP_PREFIXES, cloud) + app_id if raw_id is None else raw_id
        )
        self.properties = cast(
            MicrosoftTeamsAppProperties, _TeamsAppProperties(app_id=app_id, cloud=cloud)
        )


class _MicrosoftBotIdentifier(MicrosoftTeamsAppIdentifier):
    """Deprecated: the former name of :class:`MicrosoftTeamsAppIdentifier`."""

    def __init__(
        self,
        bot_id: str,
        *,
        is_resource_account_configured: bool = True,
        cloud: CommunicationCloudEnvironment | str | None = None,
        raw_id: str | None = None,
    ) -> None:
        warnings.warn(
            "MicrosoftBotIdentifier is deprecated: use MicrosoftTeamsAppIdentifier.",
            DeprecationWarning,
            stacklevel=2,
        )
        super().__init__(bot_id, cloud=cloud, raw_id=raw_id)


class TeamsExtensionUserProperties(TypedDict):
    """The parts of a :class:`TeamsExtensionUserIdentifier`."""

    user_id: str
    """The Entra object id of the user."""
    tenant_id: str
    """The Entra tenant of the user."""
    resource_id: str
    """The Azure Communication Services resource that extends the user's Teams."""
    cloud: CommunicationCloudEnvironment | str
    """The cloud that the user belongs to."""


class TeamsExtensionUserIdentifier(_Identifier):
    """A Microsoft Teams Phone user that is reached through a communication resource.

    :param str user_id: The Entra object id of the user.
    :param str tenant_id: The Entra tenant of the user.
    :param str resource_id: The Azure Communication Services resource.
    :keyword cloud: The cloud that the user belongs to. Defaults to the public one.
    :paramtype cloud: str or ~azure.communication.identity.CommunicationCloudEnvironment
    :keyword str raw_id: The raw id, when it is not made of the other arguments.
    :raises TypeError: An id or the cloud is not a str.
    :raises ValueError: The raw id is not given, and the cloud is none whose raw ids are known.
    """

    kind: Literal[CommunicationIdentifierKind.TEAMS_EXTENSION_USER] = (
        CommunicationIdentifierKind.TEAMS_EXTENSION_USER
    )
    properties: TeamsExtensionUserProperties

    def __init__(
        self,
        user_id: str,
        tenant_id: str,
        resource_id: str,
        *,
        cloud: CommunicationCloudEnvironment | str | None = None,
        raw_id: str | None = None,
    ) -> None:
        require_str("user_id", user_id)
        require_str("tenant_id", tenant_id)
        require_str("resource_id", resource_id)
        cloud = known_cloud(cloud)
        if raw_id is None:
            prefix = prefix_of(RESOURCE_USER_PREFIXES, cloud)
            raw_id = f"{prefix}{resource_id}_{tenant_id}_{user_id}"
        super().__init__(raw_id)
        self.properties = {
            "user_id": user_id,
            "tenant_id": tenant_id,
            "resource_id": resource_id,
            "cloud": cloud,
        }


def require_str(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {type(value).__name__}.")
