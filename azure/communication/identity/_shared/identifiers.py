"""Identifiers of the people, phone numbers and apps that take part in a communication."""

import warnings
from collections.abc import Mapping
from typing import Any, Literal

# Before Python 3.12, pydantic rejects the TypedDict of typing.
from typing_extensions import NotRequired, TypedDict

from .enums import (
    RESOURCE_USER_PREFIXES,
    TEAMS_APP_PREFIXES,
    TEAMS_USER_PREFIXES,
    CommunicationCloudEnvironment,
    CommunicationIdentifierKind,
    known_cloud,
    prefix_of,
)
from .identifier_base import Identifier, not_a_str


class CommunicationUserProperties(TypedDict):
    """The parts of a :class:`CommunicationUserIdentifier`."""

    id: str
    """The id of the user, as the identity service returned it."""


class CommunicationUserIdentifier(Identifier):
    """A user of an Azure Communication Services resource.

    :param str id: The id of the user, as the identity service returned it.
    :keyword str raw_id: The raw id, if it differs from the id.
    :raises TypeError: If an argument is not a str.
    """

    kind: Literal[CommunicationIdentifierKind.COMMUNICATION_USER] = (
        CommunicationIdentifierKind.COMMUNICATION_USER
    )
    properties: CommunicationUserProperties
    __match_args__ = ("identifier",)

    def __init__(self, id: str, *, raw_id: str | None = None) -> None:
        if not isinstance(id, str):
            raise not_a_str("id", id)
        self._fill(id if raw_id is None else raw_id, {"id": id})

    @property
    def identifier(self) -> str:
        """The id of the user: the same as ``properties["id"]``."""
        return self.properties["id"]


class PhoneNumberProperties(TypedDict):
    """The parts of a :class:`PhoneNumberIdentifier`. The optional ones are read from the raw id."""

    value: str
    """The phone number, in E.164 format."""
    is_anonymous: NotRequired[bool]
    """Whether the caller withheld the number: the raw id is ``4:anonymous``."""
    asserted_id: NotRequired[str]
    """Distinguishes callers that share a number: the text after the last ``_``."""


class PhoneNumberIdentifier(Identifier):
    """A phone number.

    :param str value: The phone number, in E.164 format, which the service validates.
    :keyword str raw_id: The raw id, if it is not ``4:`` and the value.
    :raises TypeError: If an argument is not a str.
    """

    kind: Literal[CommunicationIdentifierKind.PHONE_NUMBER] = (
        CommunicationIdentifierKind.PHONE_NUMBER
    )
    properties: PhoneNumberProperties
    __match_args__ = ("value",)

    def __init__(self, value: str, *, raw_id: str | None = None) -> None:
        if not isinstance(value, str):
            raise not_a_str("value", value)
        properties: PhoneNumberProperties = {"value": value}
        self._fill("4:" + value if raw_id is None else raw_id, properties)
        if raw_id is not None:
            properties["is_anonymous"] = raw_id == "4:anonymous"
            if "_" in raw_id and (asserted_id := raw_id.rpartition("_")[2]):
                properties["asserted_id"] = asserted_id

    @property
    def value(self) -> str:
        """The phone number: the same as ``properties["value"]``."""
        return self.properties["value"]


class UnknownIdentifier(Identifier):
    """An identifier of a kind that this version does not know.

    :param str identifier: The raw id.
    :raises TypeError: If the raw id is not a str.
    """

    kind: Literal[CommunicationIdentifierKind.UNKNOWN] = CommunicationIdentifierKind.UNKNOWN
    properties: Mapping[str, Any]
    __match_args__ = ("raw_id",)

    def __init__(self, identifier: str) -> None:
        if not isinstance(identifier, str):
            raise not_a_str("identifier", identifier)
        self._fill(identifier, {})


class MicrosoftTeamsUserProperties(TypedDict):
    """The parts of a :class:`MicrosoftTeamsUserIdentifier`."""

    user_id: str
    """The id of the user: the Entra object id, unless the user is anonymous."""
    is_anonymous: bool
    """Whether the user joined without signing in, by a meeting link for example."""
    cloud: CommunicationCloudEnvironment | str
    """The cloud that the user belongs to."""


class MicrosoftTeamsUserIdentifier(Identifier):
    """A Microsoft Teams user.

    :param str user_id: The id of the user: the Entra object id, unless the user is anonymous.
    :keyword bool is_anonymous: Whether the user joined without signing in. Defaults to False.
    :keyword cloud: The cloud that the user belongs to. Defaults to the public one.
    :paramtype cloud: str or ~azure.communication.identity.CommunicationCloudEnvironment
    :keyword str raw_id: The raw id. Defaults to the one made of the other arguments.
    :raises TypeError: If an id or the cloud is not a str, or ``is_anonymous`` is not a bool.
    :raises ValueError: If ``raw_id`` is omitted and the cloud is unknown, unless ``is_anonymous``.
    """

    kind: Literal[CommunicationIdentifierKind.MICROSOFT_TEAMS_USER] = (
        CommunicationIdentifierKind.MICROSOFT_TEAMS_USER
    )
    properties: MicrosoftTeamsUserProperties
    __match_args__ = ("user_id",)

    def __init__(
        self,
        user_id: str,
        *,
        is_anonymous: bool = False,
        cloud: CommunicationCloudEnvironment | str | None = None,
        raw_id: str | None = None,
    ) -> None:
        if not isinstance(user_id, str):
            raise not_a_str("user_id", user_id)
        if not isinstance(is_anonymous, bool):
            raise TypeError(f"is_anonymous must be a bool, not {type(is_anonymous).__name__}.")
        cloud = known_cloud(cloud)
        if raw_id is None:
            prefix = "8:teamsvisitor:" if is_anonymous else prefix_of(TEAMS_USER_PREFIXES, cloud)
            raw_id = prefix + user_id
        self._fill(raw_id, {"user_id": user_id, "is_anonymous": is_anonymous, "cloud": cloud})

    @property
    def user_id(self) -> str:
        """The id of the user: the same as ``properties["user_id"]``."""
        return self.properties["user_id"]


class MicrosoftTeamsAppProperties(TypedDict):
    """The parts of a :class:`MicrosoftTeamsAppIdentifier`."""

    app_id: str
    """The id of the app."""
    cloud: CommunicationCloudEnvironment | str
    """The cloud that the app belongs to."""


class _TeamsAppProperties(dict[str, Any]):
    """Also answers the former keys of a Teams app, then named bot, without listing them."""

    def __missing__(self, key: str) -> Any:
        if key == "bot_id":
            return self["app_id"]
        if key == "is_resource_account_configured":
            return True
        raise KeyError(key)


class MicrosoftTeamsAppIdentifier(Identifier):
    """A Microsoft Teams app.

    :param str app_id: The id of the app.
    :keyword cloud: The cloud that the app belongs to. Defaults to the public one.
    :paramtype cloud: str or ~azure.communication.identity.CommunicationCloudEnvironment
    :keyword str raw_id: The raw id. Defaults to the one made of the other arguments.
    :raises TypeError: If an id or the cloud is not a str.
    :raises ValueError: If ``raw_id`` is omitted and the cloud is unknown.
    """

    kind: Literal[CommunicationIdentifierKind.MICROSOFT_TEAMS_APP] = (
        CommunicationIdentifierKind.MICROSOFT_TEAMS_APP
    )
    properties: MicrosoftTeamsAppProperties
    __match_args__ = ("app_id",)

    def __init__(
        self,
        app_id: str,
        *,
        cloud: CommunicationCloudEnvironment | str | None = None,
        raw_id: str | None = None,
    ) -> None:
        if not isinstance(app_id, str):
            raise not_a_str("app_id", app_id)
        cloud = known_cloud(cloud)
        if raw_id is None:
            raw_id = prefix_of(TEAMS_APP_PREFIXES, cloud) + app_id
        self._fill(raw_id, _TeamsAppProperties(app_id=app_id, cloud=cloud))

    @property
    def app_id(self) -> str:
        """The id of the app: the same as ``properties["app_id"]``."""
        return self.properties["app_id"]


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


class _TeamsExtensionUserProperties(dict[str, Any]):
    """Also answers ``id``, without listing it: azure-communication-chat asks all users for it."""

    def __missing__(self, key: str) -> str:
        if key != "id":
            raise KeyError(key)
        prefix = prefix_of(RESOURCE_USER_PREFIXES, self["cloud"])
        return f"{prefix}{self['resource_id']}_{self['tenant_id']}_{self['user_id']}"


class TeamsExtensionUserIdentifier(Identifier):
    """A Microsoft Teams Phone user that is reached through a Communication Services resource.

    :keyword str user_id: The Entra object id of the user.
    :keyword str tenant_id: The Entra tenant of the user.
    :keyword str resource_id: The Azure Communication Services resource.
    :keyword cloud: The cloud that the user belongs to. Defaults to the public one.
    :paramtype cloud: str or ~azure.communication.identity.CommunicationCloudEnvironment
    :keyword str raw_id: The raw id. Defaults to the one made of the other arguments.
    :raises TypeError: If an id or the cloud is not a str.
    :raises ValueError: If ``raw_id`` is omitted and the cloud is unknown.
    """

    kind: Literal[CommunicationIdentifierKind.TEAMS_EXTENSION_USER] = (
        CommunicationIdentifierKind.TEAMS_EXTENSION_USER
    )
    properties: TeamsExtensionUserProperties
    __match_args__ = ("user_id", "tenant_id", "resource_id")

    def __init__(
        self,
        *,
        user_id: str,
        tenant_id: str,
        resource_id: str,
        cloud: CommunicationCloudEnvironment | str | None = None,
        raw_id: str | None = None,
    ) -> None:
        if not isinstance(user_id, str):
            raise not_a_str("user_id", user_id)
        if not isinstance(tenant_id, str):
            raise not_a_str("tenant_id", tenant_id)
        if not isinstance(resource_id, str):
            raise not_a_str("resource_id", resource_id)
        cloud = known_cloud(cloud)
        properties = _TeamsExtensionUserProperties()
        properties["user_id"] = user_id
        properties["tenant_id"] = tenant_id
        properties["resource_id"] = resource_id
        properties["cloud"] = cloud
        self._fill(properties["id"] if raw_id is None else raw_id, properties)

    @property
    def user_id(self) -> str:
        """The Entra object id of the user: the same as ``properties["user_id"]``."""
        return self.properties["user_id"]

    @property
    def tenant_id(self) -> str:
        """The Entra tenant of the user: the same as ``properties["tenant_id"]``."""
        return self.properties["tenant_id"]

    @property
    def resource_id(self) -> str:
        """The resource: the same as ``properties["resource_id"]``."""
        return self.properties["resource_id"]
