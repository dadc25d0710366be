"""Raw ids and identifiers are inverse."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from azure.communication.identity import (
    CommunicationCloudEnvironment,
    CommunicationIdentifier,
    CommunicationUserIdentifier,
    MicrosoftTeamsAppIdentifier,
    MicrosoftTeamsUserIdentifier,
    PhoneNumberIdentifier,
    TeamsExtensionUserIdentifier,
    UnknownIdentifier,
    identifier_from_raw_id,
)

PUBLIC, DOD, GCCH = CommunicationCloudEnvironment

GUID = "6ac3d8a1-06c7-4b1c-9bd6-0f3d7c1ce3a2"
OTHER_GUID = "b4b0ad3a-7d5c-4fd6-93ab-4f2a0e2a87ff"
THIRD_GUID = "0e6a4f2c-3a57-4c53-8f0c-aa41b7e2b0c5"


def phone(value: str, *, is_anonymous: bool = False, asserted_id: str | None = None) -> Any:
    asserted = {"asserted_id": asserted_id} if asserted_id else {}
    return PhoneNumberIdentifier, {"value": value, "is_anonymous": is_anonymous, **asserted}


def teams_user(cloud: CommunicationCloudEnvironment, *, is_anonymous: bool = False) -> Any:
    return MicrosoftTeamsUserIdentifier, {
        "user_id": GUID,
        "is_anonymous": is_anonymous,
        "cloud": cloud,
    }


def teams_app(cloud: CommunicationCloudEnvironment) -> Any:
    return MicrosoftTeamsAppIdentifier, {"app_id": GUID, "cloud": cloud}


def extension_user(cloud: CommunicationCloudEnvironment) -> Any:
    return TeamsExtensionUserIdentifier, {
        "resource_id": GUID,
        "tenant_id": OTHER_GUID,
        "user_id": THIRD_GUID,
        "cloud": cloud,
    }


UNKNOWN: Any = (UnknownIdentifier, {})

TABLE = {
    # A phone number is kept exactly as it is written.
    "4:+14255550123": phone("+14255550123"),
    "4:14255550123": phone("14255550123"),
    "4:425-555-0123": phone("425-555-0123"),
    "4:tel:+14255550123;ext=7": phone("tel:+14255550123;ext=7"),
    "4:": phone(""),
    "4:anonymous": phone("anonymous", is_anonymous=True),
    "4:anonymous_7": phone("anonymous_7", asserted_id="7"),
    "4:+14255550123_7": phone("+14255550123_7", asserted_id="7"),
    "4:+14255550123_desk_7": phone("+14255550123_desk_7", asserted_id="7"),
    "4:+14255550123_": phone("+14255550123_"),
    f"8:orgid:{GUID}": teams_user(PUBLIC),
    f"8:dod:{GUID}": teams_user(DOD),
    f"8:gcch:{GUID}": teams_user(GCCH),
    f"8:teamsvisitor:{GUID}": teams_user(PUBLIC, is_anonymous=True),
    f"28:orgid:{GUID}": teams_app(PUBLIC),
    f"28:dod:{GUID}": teams_app(DOD),
    f"28:gcch:{GUID}": teams_app(GCCH),
    f"8:acs:{GUID}_{OTHER_GUID}_{THIRD_GUID}": extension_user(PUBLIC),
    f"8:dod-acs:{GUID}_{OTHER_GUID}_{THIRD_GUID}": extension_user(DOD),
    f"8:gcch-acs:{GUID}_{OTHER_GUID}_{THIRD_GUID}": extension_user(GCCH),
    # Not three parts, or not a prefix that has them.
    **{
        raw_id: (CommunicationUserIdentifier, {"id": raw_id})
        for raw_id in [
            f"8:acs:{GUID}_{OTHER_GUID}",
            f"8:dod-acs:{GUID}_{OTHER_GUID}",
            f"8:gcch-acs:{GUID}_{OTHER_GUID}",
            f"8:acs:{GUID}",
            "8:acs:",
            "8:acs:a_b_c_d",
            f"8:spool:{GUID}_{OTHER_GUID}",
            f"8:spool:{GUID}_{OTHER_GUID}_{THIRD_GUID}",
        ]
    },
    "8:echo123": UNKNOWN,
    f"8:moon:{GUID}": UNKNOWN,
    f"8:ACS:{GUID}": UNKNOWN,
    f"28:acs:{GUID}": UNKNOWN,
    f"28:{GUID}": UNKNOWN,
    "48:calllogs": UNKNOWN,
    "14:+14255550123": UNKNOWN,
    "8:acs": UNKNOWN,
    GUID: UNKNOWN,
    "": UNKNOWN,
    ":": UNKNOWN,
    "::": UNKNOWN,
}


@pytest.mark.parametrize(("raw_id", "expected"), TABLE.items(), ids=TABLE)
def test_a_raw_id_says_which_identifier_it_is(raw_id: str, expected: Any) -> None:
    kind_of_identifier, properties = expected
    identifier = identifier_from_raw_id(raw_id)
    assert type(identifier) is kind_of_identifier
    assert identifier.properties == properties
    assert identifier.raw_id == raw_id


PREFIXES = sorted(
    {raw_id[: raw_id.rfind(":") + 1] for raw_id in TABLE if raw_id.count(":") <= 2} | {"4:"}
)


@given(
    st.builds(
        "{}{}".format,
        st.sampled_from(PREFIXES),
        st.text() | st.lists(st.text(max_size=5), max_size=4).map("_".join),
    )
    | st.text()
)
@settings(max_examples=150, deadline=None)
def test_an_identifier_keeps_the_raw_id_that_it_came_from(raw_id: str) -> None:
    identifier = identifier_from_raw_id(raw_id)
    assert identifier.raw_id == raw_id
    assert identifier_from_raw_id(identifier.raw_id) == identifier


PART = st.text()
CLOUD = st.sampled_from(CommunicationCloudEnvironment)
# What joins the parts cannot be in them.
JOINED_PART = st.text(st.characters(exclude_characters="_"))

BUILT = {
    "communication user": st.builds(
        lambda prefix, resource, user: CommunicationUserIdentifier(f"{prefix}{resource}_{user}"),
        st.sampled_from(["8:acs:", "8:dod-acs:", "8:gcch-acs:", "8:spool:"]),
        JOINED_PART,
        JOINED_PART,
    ),
    "phone number": st.builds(PhoneNumberIdentifier, PART | st.just("anonymous")),
    "Teams user": st.builds(MicrosoftTeamsUserIdentifier, PART, cloud=CLOUD),
    "anonymous Teams user": st.builds(
        MicrosoftTeamsUserIdentifier, PART, is_anonymous=st.just(True)
    ),
    "Teams app": st.builds(MicrosoftTeamsAppIdentifier, PART, cloud=CLOUD),
    "Teams extension user": st.builds(
        TeamsExtensionUserIdentifier,
        user_id=JOINED_PART,
        tenant_id=JOINED_PART,
        resource_id=JOINED_PART,
        cloud=CLOUD,
    ),
    "unknown": st.builds(
        UnknownIdentifier, PART.filter(lambda text: not text.startswith(("4:", "8:", "28:")))
    ),
}


@pytest.mark.parametrize("built", BUILT.values(), ids=BUILT)
def test_an_identifier_comes_back_from_its_raw_id(
    built: st.SearchStrategy[CommunicationIdentifier],
) -> None:
    @given(built)
    @settings(max_examples=30, deadline=None)
    def comes_back(identifier: CommunicationIdentifier) -> None:
        found = identifier_from_raw_id(identifier.raw_id)
        assert type(found) is type(identifier)
        assert found == identifier
        # The optional parts of a phone number are read from the raw id.
        assert found.properties.items() >= identifier.properties.items()
        assert repr(found) == repr(identifier)

    comes_back()


@given(value=JOINED_PART, asserted_id=JOINED_PART.filter(bool))
@example(value="anonymous", asserted_id="1")
@settings(max_examples=30, deadline=None)
def test_what_follows_the_last_underscore_is_asserted(value: str, asserted_id: str) -> None:
    found = identifier_from_raw_id(f"4:{value}_{asserted_id}")
    assert isinstance(found, PhoneNumberIdentifier)
    assert found.properties == {
        "value": f"{value}_{asserted_id}",
        "asserted_id": asserted_id,
        "is_anonymous": False,
    }


@pytest.mark.parametrize("raw_id", [None, b"8:acs:1", 4])
def test_a_raw_id_is_a_str(raw_id: Any) -> None:
    with pytest.raises(TypeError, match=r"^raw_id must be a str, not "):
        identifier_from_raw_id(raw_id)
