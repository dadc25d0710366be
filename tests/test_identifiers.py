"""The identifiers as objects: repr, comparison, hash, copies and pickles."""

import copy
import dataclasses
import json
import pickle
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, NamedTuple
from unittest.mock import ANY, Mock

import pytest

from azure.communication.identity import (
    CommunicationCloudEnvironment,
    CommunicationIdentifier,
    CommunicationIdentifierKind,
    CommunicationUserIdentifier,
    MicrosoftTeamsAppIdentifier,
    MicrosoftTeamsUserIdentifier,
    PhoneNumberIdentifier,
    TeamsExtensionUserIdentifier,
    UnknownIdentifier,
    identifier_from_raw_id,
)
from azure.communication.identity._shared.models import _MicrosoftBotIdentifier

PUBLIC, DOD, GCCH = CommunicationCloudEnvironment


class Case(NamedTuple):
    identifier: Any
    raw_id: str
    kind: CommunicationIdentifierKind
    properties: Mapping[str, Any]
    text: str


CASES = {
    "communication user": Case(
        CommunicationUserIdentifier("8:acs:resource_user"),
        "8:acs:resource_user",
        CommunicationIdentifierKind.COMMUNICATION_USER,
        {"id": "8:acs:resource_user"},
        "CommunicationUserIdentifier(raw_id='8:acs:resource_user')",
    ),
    "communication user with a raw id": Case(
        CommunicationUserIdentifier("user", raw_id="8:acs:resource_user"),
        "8:acs:resource_user",
        CommunicationIdentifierKind.COMMUNICATION_USER,
        {"id": "user"},
        "CommunicationUserIdentifier(raw_id='8:acs:resource_user')",
    ),
    "phone number": Case(
        PhoneNumberIdentifier("+14255550123"),
        "4:+14255550123",
        CommunicationIdentifierKind.PHONE_NUMBER,
        {"value": "+14255550123"},
        "PhoneNumberIdentifier(raw_id='4:+14255550123')",
    ),
    "phone number with a raw id": Case(
        PhoneNumberIdentifier("+14255550123", raw_id="4:+14255550123_desk"),
        "4:+14255550123_desk",
        CommunicationIdentifierKind.PHONE_NUMBER,
        {"value": "+14255550123", "is_anonymous": False, "asserted_id": "desk"},
        "PhoneNumberIdentifier(raw_id='4:+14255550123_desk')",
    ),
    "anonymous phone number": Case(
        PhoneNumberIdentifier("anonymous", raw_id="4:anonymous"),
        "4:anonymous",
        CommunicationIdentifierKind.PHONE_NUMBER,
        {"value": "anonymous", "is_anonymous": True},
        "PhoneNumberIdentifier(raw_id='4:anonymous')",
    ),
    "Teams user": Case(
        MicrosoftTeamsUserIdentifier("user"),
        "8:orgid:user",
        CommunicationIdentifierKind.MICROSOFT_TEAMS_USER,
        {"user_id": "user", "is_anonymous": False, "cloud": PUBLIC},
        "MicrosoftTeamsUserIdentifier(raw_id='8:orgid:user')",
    ),
    "Teams user of a cloud by its name": Case(
        MicrosoftTeamsUserIdentifier("user", cloud="gcch"),
        "8:gcch:user",
        CommunicationIdentifierKind.MICROSOFT_TEAMS_USER,
        {"user_id": "user", "is_anonymous": False, "cloud": GCCH},
        "MicrosoftTeamsUserIdentifier(raw_id='8:gcch:user')",
    ),
    "anonymous Teams user": Case(
        MicrosoftTeamsUserIdentifier("visitor", is_anonymous=True),
        "8:teamsvisitor:visitor",
        CommunicationIdentifierKind.MICROSOFT_TEAMS_USER,
        {"user_id": "visitor", "is_anonymous": True, "cloud": PUBLIC},
        "MicrosoftTeamsUserIdentifier(raw_id='8:teamsvisitor:visitor')",
    ),
    "Teams user of an unknown cloud": Case(
        MicrosoftTeamsUserIdentifier("user", cloud="moon", raw_id="8:moon:user"),
        "8:moon:user",
        CommunicationIdentifierKind.MICROSOFT_TEAMS_USER,
        {"user_id": "user", "is_anonymous": False, "cloud": "moon"},
        "MicrosoftTeamsUserIdentifier(raw_id='8:moon:user')",
    ),
    "Teams app": Case(
        MicrosoftTeamsAppIdentifier("app", cloud=DOD),
        "28:dod:app",
        CommunicationIdentifierKind.MICROSOFT_TEAMS_APP,
        {"app_id": "app", "cloud": DOD},
        "MicrosoftTeamsAppIdentifier(raw_id='28:dod:app')",
    ),
    "Teams app of an unknown cloud": Case(
        MicrosoftTeamsAppIdentifier("app", cloud="moon", raw_id="28:moon:app"),
        "28:moon:app",
        CommunicationIdentifierKind.MICROSOFT_TEAMS_APP,
        {"app_id": "app", "cloud": "moon"},
        "MicrosoftTeamsAppIdentifier(raw_id='28:moon:app')",
    ),
    "Teams extension user": Case(
        TeamsExtensionUserIdentifier(user_id="user", tenant_id="tenant", resource_id="resource"),
        "8:acs:resource_tenant_user",
        CommunicationIdentifierKind.TEAMS_EXTENSION_USER,
        {"user_id": "user", "tenant_id": "tenant", "resource_id": "resource", "cloud": PUBLIC},
        "TeamsExtensionUserIdentifier(raw_id='8:acs:resource_tenant_user')",
    ),
    "Teams extension user of a cloud": Case(
        TeamsExtensionUserIdentifier(
            user_id="user", tenant_id="tenant", resource_id="resource", cloud=GCCH
        ),
        "8:gcch-acs:resource_tenant_user",
        CommunicationIdentifierKind.TEAMS_EXTENSION_USER,
        {"user_id": "user", "tenant_id": "tenant", "resource_id": "resource", "cloud": GCCH},
        "TeamsExtensionUserIdentifier(raw_id='8:gcch-acs:resource_tenant_user')",
    ),
    "unknown": Case(
        UnknownIdentifier("48:calllogs"),
        "48:calllogs",
        CommunicationIdentifierKind.UNKNOWN,
        {},
        "UnknownIdentifier(raw_id='48:calllogs')",
    ),
}

each_case = pytest.mark.parametrize("case", [pytest.param(c, id=name) for name, c in CASES.items()])


@each_case
def test_an_identifier_says_what_it_is(case: Case) -> None:
    assert case.identifier.raw_id == case.raw_id
    assert case.identifier.kind is case.kind
    assert case.identifier.properties == case.properties
    assert repr(case.identifier) == case.text
    assert isinstance(case.identifier, CommunicationIdentifier)


@each_case
@pytest.mark.parametrize("name", ["raw_id", "properties"])
def test_the_parts_of_an_identifier_cannot_be_replaced(case: Case, name: str) -> None:
    with pytest.raises(AttributeError):
        setattr(case.identifier, name, "another")
    assert case.identifier.raw_id == case.raw_id
    assert case.identifier.properties == case.properties


@each_case
def test_an_identifier_takes_other_attributes_as_any_object(case: Case) -> None:
    identifier: Any = copy.copy(case.identifier)
    identifier.display_name = "Ada"
    assert identifier.display_name == "Ada"


@each_case
def test_vars_and_asdict_show_the_raw_id_and_the_properties(case: Case) -> None:
    shown = {"raw_id": case.raw_id, "properties": case.properties}
    assert vars(case.identifier) == shown
    assert dataclasses.asdict(case.identifier) == shown
    assert dataclasses.asdict(Meeting(case.identifier)) == {"host": shown}


@dataclasses.dataclass
class Meeting:
    host: CommunicationIdentifier


@each_case
def test_json_shows_the_raw_id_and_the_properties_or_the_raw_id_alone(case: Case) -> None:
    whole = json.loads(json.dumps([case.identifier], default=vars))
    assert whole == [{"raw_id": case.raw_id, "properties": case.properties}]
    assert json.loads(json.dumps([case.identifier], default=attrgetter("raw_id"))) == [case.raw_id]


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (CommunicationUserIdentifier, "id"),
        (PhoneNumberIdentifier, "value"),
        (MicrosoftTeamsUserIdentifier, "user_id"),
        (MicrosoftTeamsAppIdentifier, "app_id"),
        (UnknownIdentifier, "identifier"),
    ],
)
def test_the_first_argument_may_be_named_and_the_others_must_be(make: Any, name: str) -> None:
    assert make(**{name: "x"}) == make("x")
    with pytest.raises(TypeError, match="positional argument"):
        make("x", "y")


@pytest.mark.parametrize("make", [TeamsExtensionUserIdentifier, _MicrosoftBotIdentifier])
def test_the_arguments_must_be_named(make: Any) -> None:
    with pytest.raises(TypeError, match="positional argument"):
        make("x", "y", "z")


def test_identifiers_are_sorted_by_raw_id() -> None:
    # Any: the type of these is the protocol, which has no order.
    made: list[Any] = [identifier_from_raw_id(case.raw_id) for case in CASES.values()]
    ordered = sorted(made)
    raw_ids = [identifier.raw_id for identifier in ordered]
    assert raw_ids == sorted(case.raw_id for case in CASES.values())
    # Their classes are not sorted by themselves.
    foreign: Any = ForeignUser("5:foreign")
    assert sorted([*ordered, foreign])[raw_ids.index("8:acs:resource_tenant_user")] is foreign
    user = CommunicationUserIdentifier("8:acs:1")
    assert not user < copy.copy(user)
    assert user <= copy.copy(user)
    with pytest.raises(TypeError, match="not supported between"):
        CommunicationUserIdentifier("8:acs:1") < "8:acs:2"  # type: ignore[operator]  # noqa: B015


def parts(identifier: CommunicationIdentifier) -> Any:
    match identifier:
        case CommunicationUserIdentifier(user_id):
            return user_id
        case PhoneNumberIdentifier(value):
            return value
        case MicrosoftTeamsUserIdentifier(user_id, properties={"is_anonymous": True}):
            return "anonymous", user_id
        case MicrosoftTeamsUserIdentifier(user_id):
            return user_id
        case MicrosoftTeamsAppIdentifier(app_id):
            return app_id
        case TeamsExtensionUserIdentifier(user_id, tenant_id, resource_id):
            return user_id, tenant_id, resource_id
        case UnknownIdentifier(raw_id):
            return raw_id
    raise AssertionError(identifier)


def test_patterns_match_the_arguments_by_position() -> None:
    assert {name: parts(case.identifier) for name, case in CASES.items()} == {
        "communication user": "8:acs:resource_user",
        "communication user with a raw id": "user",
        "phone number": "+14255550123",
        "phone number with a raw id": "+14255550123",
        "anonymous phone number": "anonymous",
        "Teams user": "user",
        "Teams user of a cloud by its name": "user",
        "anonymous Teams user": ("anonymous", "visitor"),
        "Teams user of an unknown cloud": "user",
        "Teams app": "app",
        "Teams app of an unknown cloud": "app",
        "Teams extension user": ("user", "tenant", "resource"),
        "Teams extension user of a cloud": ("user", "tenant", "resource"),
        "unknown": "48:calllogs",
    }


def pickled(protocol: int) -> Callable[[Any], Any]:
    return lambda identifier: pickle.loads(pickle.dumps(identifier, protocol))


COPIES: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{
        f"pickle protocol {protocol}": pickled(protocol)
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    },
}


@each_case
@pytest.mark.parametrize("copied_by", COPIES.values(), ids=COPIES)
def test_a_copy_is_the_same_identifier(case: Case, copied_by: Callable[[Any], Any]) -> None:
    copied = copied_by(case.identifier)
    assert type(copied) is type(case.identifier)
    assert copied is not case.identifier
    assert copied == case.identifier
    assert hash(copied) == hash(case.identifier)
    assert copied.properties == case.properties
    assert copied.kind is case.kind


def test_identifiers_are_equal_by_raw_id_alone() -> None:
    user = CommunicationUserIdentifier("8:acs:1")
    assert user == CommunicationUserIdentifier("another", raw_id="8:acs:1")
    assert user != CommunicationUserIdentifier("8:acs:2")
    assert user == UnknownIdentifier("8:acs:1")
    assert CommunicationUserIdentifier("8:acs:r_t_u") == identifier_from_raw_id("8:acs:r_t_u")
    for other in ("8:acs:1", None, object(), Mock(), Mock(raw_id="8:acs:2")):
        assert user != other
        assert other != user
    assert user == ANY


def test_no_two_cases_are_equal_unless_their_raw_ids_are() -> None:
    for first in CASES.values():
        for second in CASES.values():
            assert (first.identifier == second.identifier) is (first.raw_id == second.raw_id)


class ForeignUser:
    """The user of another Azure package: same protocol, another class, a kind that is a str.

    Their classes are equal to any object with the same raw id.
    """

    def __init__(self, raw_id: str) -> None:
        self.raw_id = raw_id
        self.kind = "communication_user"
        self.properties = {"id": raw_id}

    def __eq__(self, other: object) -> bool:
        return self.raw_id == getattr(other, "raw_id", None)

    __hash__ = None  # type: ignore[assignment]


def test_a_user_of_another_package_is_the_same_user() -> None:
    user = CommunicationUserIdentifier("8:acs:1")
    assert user != ForeignUser("8:acs:2")
    for same in (user, UnknownIdentifier("8:acs:1")):
        assert same == ForeignUser("8:acs:1")
        assert ForeignUser("8:acs:1") == same


def test_identifiers_are_keys_of_dicts_and_members_of_sets() -> None:
    user = CommunicationUserIdentifier("8:acs:1")
    users = {user, CommunicationUserIdentifier("8:acs:1"), CommunicationUserIdentifier("8:acs:2")}
    assert len(users) == 2
    assert {user: "found"}[CommunicationUserIdentifier("8:acs:1")] == "found"


def test_a_communication_user_has_its_id_as_an_attribute_too() -> None:
    user = CommunicationUserIdentifier("8:acs:1", raw_id="raw")
    assert user.identifier == "8:acs:1" == user.properties["id"]
    with pytest.raises(AttributeError):
        user.identifier = "another"  # type: ignore[misc]


@pytest.mark.parametrize("cloud", ["DOD", "dod", "Dod", DOD])
@pytest.mark.parametrize(
    "make",
    [
        lambda cloud: MicrosoftTeamsUserIdentifier("user", cloud=cloud),
        lambda cloud: MicrosoftTeamsAppIdentifier("app", cloud=cloud),
        lambda cloud: TeamsExtensionUserIdentifier(
            user_id="user", tenant_id="tenant", resource_id="resource", cloud=cloud
        ),
    ],
    ids=["user", "app", "extension user"],
)
def test_a_cloud_is_known_by_its_name_in_any_case(make: Any, cloud: str) -> None:
    assert make(cloud).properties["cloud"] is DOD
    assert "dod" in make(cloud).raw_id


@pytest.mark.parametrize(
    "make",
    [
        lambda: MicrosoftTeamsUserIdentifier("user", cloud="moon"),
        lambda: MicrosoftTeamsAppIdentifier("app", cloud="moon"),
        lambda: TeamsExtensionUserIdentifier(
            user_id="user", tenant_id="tenant", resource_id="resource", cloud="moon"
        ),
        lambda: MicrosoftTeamsUserIdentifier("user", cloud=""),
    ],
)
def test_no_raw_id_is_made_for_an_unknown_cloud(make: Any) -> None:
    with pytest.raises(ValueError, match=r"cloud must be one of PUBLIC, DOD, GCCH when no raw_id"):
        make()


WRONG_TYPES = [
    ("id", lambda it: CommunicationUserIdentifier(it)),
    ("raw_id", lambda it: CommunicationUserIdentifier("id", raw_id=it)),
    ("value", lambda it: PhoneNumberIdentifier(it)),
    ("raw_id", lambda it: PhoneNumberIdentifier("+1", raw_id=it)),
    ("user_id", lambda it: MicrosoftTeamsUserIdentifier(it)),
    ("user_id", lambda it: MicrosoftTeamsUserIdentifier(it, raw_id="8:orgid:1")),
    ("cloud", lambda it: MicrosoftTeamsUserIdentifier("user", cloud=it)),
    ("raw_id", lambda it: MicrosoftTeamsUserIdentifier("user", raw_id=it)),
    ("app_id", lambda it: MicrosoftTeamsAppIdentifier(it)),
    ("cloud", lambda it: MicrosoftTeamsAppIdentifier("app", cloud=it, raw_id="28:orgid:1")),
    ("raw_id", lambda it: MicrosoftTeamsAppIdentifier("app", raw_id=it)),
    (
        "user_id",
        lambda it: TeamsExtensionUserIdentifier(
            user_id=it, tenant_id="tenant", resource_id="resource"
        ),
    ),
    (
        "tenant_id",
        lambda it: TeamsExtensionUserIdentifier(
            user_id="user", tenant_id=it, resource_id="resource"
        ),
    ),
    (
        "resource_id",
        lambda it: TeamsExtensionUserIdentifier(user_id="user", tenant_id="tenant", resource_id=it),
    ),
    (
        "cloud",
        lambda it: TeamsExtensionUserIdentifier(
            user_id="user", tenant_id="tenant", resource_id="resource", cloud=it
        ),
    ),
    (
        "raw_id",
        lambda it: TeamsExtensionUserIdentifier(
            user_id="u", tenant_id="t", resource_id="r", raw_id=it
        ),
    ),
    ("identifier", lambda it: UnknownIdentifier(it)),
]


@pytest.mark.parametrize("value", ["no", 1, None])
@pytest.mark.parametrize("raw_id", [None, "8:orgid:user"])
def test_whether_a_teams_user_is_anonymous_is_a_bool(value: Any, raw_id: str | None) -> None:
    with pytest.raises(
        TypeError, match=rf"^is_anonymous must be a bool, not {type(value).__name__}"
    ):
        MicrosoftTeamsUserIdentifier("user", is_anonymous=value, raw_id=raw_id)


def test_an_anonymous_user_of_an_unknown_cloud_has_a_raw_id() -> None:
    visitor = MicrosoftTeamsUserIdentifier("user", is_anonymous=True, cloud="moon")
    assert visitor.raw_id == "8:teamsvisitor:user"


@pytest.mark.parametrize(("name", "make"), WRONG_TYPES)
@pytest.mark.parametrize("value", [b"8:acs:1", 1, ["8:acs:1"]], ids=lambda value: repr(value))
def test_an_id_of_another_type_is_a_type_error(name: str, make: Any, value: object) -> None:
    with pytest.raises(TypeError, match=rf"^{name} must be .*str, not {type(value).__name__}\.$"):
        make(value)


@pytest.mark.parametrize(
    "make",
    [
        CommunicationUserIdentifier,
        PhoneNumberIdentifier,
        MicrosoftTeamsUserIdentifier,
        MicrosoftTeamsAppIdentifier,
        UnknownIdentifier,
    ],
)
def test_none_is_no_id(make: Any) -> None:
    with pytest.raises(TypeError, match=r"must be a str, not NoneType"):
        make(None)


def test_the_bot_identifier_is_a_deprecated_teams_app() -> None:
    with pytest.warns(DeprecationWarning, match="use MicrosoftTeamsAppIdentifier") as warned:
        bot = _MicrosoftBotIdentifier("bot", is_resource_account_configured=False, cloud="DOD")
    assert warned[0].filename == __file__
    assert isinstance(bot, MicrosoftTeamsAppIdentifier)
    assert bot == MicrosoftTeamsAppIdentifier("bot", cloud=DOD)
    assert bot.raw_id == "28:dod:bot"


def test_a_teams_app_answers_the_keys_of_a_bot_without_listing_them() -> None:
    app = identifier_from_raw_id("28:orgid:app")
    properties = app.properties
    assert properties["bot_id"] == "app"
    assert properties["is_resource_account_configured"] is True
    assert set(properties) == {"app_id", "cloud"}
    with pytest.raises(KeyError, match="unheard_of"):
        properties["unheard_of"]


@pytest.mark.parametrize("cloud", [PUBLIC, DOD, GCCH])
def test_a_teams_extension_user_answers_the_key_of_a_user_without_listing_it(
    cloud: CommunicationCloudEnvironment,
) -> None:
    user = TeamsExtensionUserIdentifier(user_id="u", tenant_id="t", resource_id="r", cloud=cloud)
    properties: Any = user.properties
    assert properties["id"] == user.raw_id
    assert "id" not in properties
    with pytest.raises(KeyError, match="unheard_of"):
        properties["unheard_of"]


@pytest.mark.parametrize("name", ["MICROSOFT_BOT", "microsoft_bot"])
def test_the_bot_kind_is_deprecated(name: str) -> None:
    with pytest.warns(DeprecationWarning, match="use MICROSOFT_TEAMS_APP") as warned:
        kind = getattr(CommunicationIdentifierKind, name)
    assert warned[0].filename == __file__
    assert kind is CommunicationIdentifierKind.MICROSOFT_TEAMS_APP
    assert len(CommunicationIdentifierKind) == 6


def test_members_of_the_enums_are_found_in_any_case_and_no_others() -> None:
    assert CommunicationIdentifierKind["phone_number"] is CommunicationIdentifierKind.PHONE_NUMBER
    assert CommunicationCloudEnvironment["gcch"] is GCCH
    with pytest.raises(AttributeError):
        CommunicationIdentifierKind.unheard_of  # noqa: B018
