"""Users with custom ids, and the details of a user."""

import asyncio
import copy
import pickle
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    ResourceNotFoundError,
)
from either_client import ClientFactory, EitherClient
from scripted_service import ScriptedService

from acs_identity_emulator import IdentityEmulator
from azure.communication.identity import (
    ApiVersion,
    CommunicationUserDetail,
    CommunicationUserIdentifier,
)

PREVIEW = ApiVersion.V2025_03_02_PREVIEW
AT_ONCE = 8


@pytest.fixture
def client(make_client: ClientFactory, emulator: IdentityEmulator) -> EitherClient:
    return make_client.from_connection_string(emulator.connection_string, api_version=PREVIEW)


@pytest.fixture
def detail_client(make_client: ClientFactory, service: ScriptedService) -> EitherClient:
    return make_client(service.endpoint, api_version=PREVIEW)


@pytest.fixture
def custom_id() -> str:
    """A custom id that no other test uses, since the emulator serves all tests."""
    return f"custom-{uuid.uuid4()}"


def users_of(emulator: IdentityEmulator, custom_id: str) -> list[str]:
    return [identity.id for identity in emulator.identities() if identity.custom_id == custom_id]


def test_the_same_custom_id_gives_the_same_user(
    client: EitherClient, emulator: IdentityEmulator, custom_id: str
) -> None:
    user = client.create_user(custom_id=custom_id)
    assert isinstance(user, CommunicationUserIdentifier)
    assert client.create_user(custom_id=custom_id) == user
    again, token = client.create_user_and_token(
        ["chat"], custom_id=custom_id, token_expires_in=timedelta(hours=2)
    )

    assert again == user
    assert emulator.is_token_valid(token.token)
    assert token.expires_on == pytest.approx(time.time() + 2 * 3600, abs=30)
    assert users_of(emulator, custom_id) == [user.raw_id]


def test_another_custom_id_or_none_gives_another_user(client: EitherClient, custom_id: str) -> None:
    users = [
        client.create_user(custom_id=custom_id),
        client.create_user(custom_id=custom_id + " "),
        client.create_user(custom_id=None),
        client.create_user(),
    ]
    assert len(set(users)) == 4


def test_a_deleted_user_leaves_its_custom_id_to_another(
    client: EitherClient, custom_id: str
) -> None:
    user = client.create_user(custom_id=custom_id)
    client.delete_user(user)
    assert client.create_user(custom_id=custom_id) != user


def test_first_calls_at_once_give_one_user(
    client: EitherClient,
    flavour: str,
    loop: asyncio.AbstractEventLoop,
    emulator: IdentityEmulator,
    custom_id: str,
) -> None:
    def by_threads() -> list[Any]:
        barrier = threading.Barrier(AT_ONCE)

        def create(_: int) -> Any:
            barrier.wait()
            return client.wrapped.create_user(custom_id=custom_id)

        with ThreadPoolExecutor(AT_ONCE) as threads:
            return list(threads.map(create, range(AT_ONCE)))

    async def by_tasks() -> list[Any]:
        calls = (client.wrapped.create_user(custom_id=custom_id) for _ in range(AT_ONCE))
        return await asyncio.gather(*calls)

    users = by_threads() if flavour == "sync" else loop.run_until_complete(by_tasks())

    assert len(users) == AT_ONCE
    assert {user.raw_id for user in users} == set(users_of(emulator, custom_id))
    assert len(set(users)) == 1


@pytest.mark.parametrize(
    "characters", ["a", " ", "\x00", "ä/?#%+&", "用户", "🧑‍🚀" * 20, "x" * 256]
)
def test_any_characters_make_a_custom_id(client: EitherClient, characters: str) -> None:
    user = client.create_user(custom_id=characters)
    assert client.get_user_detail(user).custom_id == characters


def test_the_length_of_a_custom_id_is_for_the_service_to_judge(client: EitherClient) -> None:
    for call, arguments in ((client.create_user, ()), (client.create_user_and_token, (["chat"],))):
        with pytest.raises(HttpResponseError) as raised:
            call(*arguments, custom_id="x" * 257)
        assert raised.value.error is not None
        assert (raised.value.error.code, raised.value.error.target) == (
            "ValidationError",
            "CustomId",
        )


def test_the_bodies_hold_what_was_asked_for_and_no_more(
    make_client: ClientFactory, service: ScriptedService
) -> None:
    token = {"token": "t", "expiresOn": "2026-11-24T20:00:00+00:00"}
    service.will_answer(201, {"identity": {"id": "8:acs:x"}, "accessToken": token})
    client = make_client(service.endpoint, api_version=PREVIEW)

    client.create_user()
    client.create_user(custom_id="mine")
    client.create_user_and_token(["chat"])
    client.create_user_and_token(
        ["chat"], custom_id="mine", token_expires_in=timedelta(hours=1, seconds=59)
    )

    assert [request.body for request in service.requests] == [
        b"",
        b'{"customId": "mine"}',
        b'{"createTokenWithScopes": ["chat"]}',
        b'{"createTokenWithScopes": ["chat"], "expiresInMinutes": 60, "customId": "mine"}',
    ]


def test_a_repeated_request_creates_nobody_twice(
    client: EitherClient, emulator: IdentityEmulator, custom_id: str
) -> None:
    # The user is created, and the response lost: the risk of repeating a POST.
    emulator.inject("create", "truncated")
    with pytest.raises(DecodeError):
        client.create_user(custom_id=custom_id)
    user = client.create_user(custom_id=custom_id)
    assert users_of(emulator, custom_id) == [user.raw_id]


def test_a_user_is_known_in_detail(client: EitherClient, custom_id: str) -> None:
    user = client.create_user(custom_id=custom_id)
    assert client.get_user_detail(user) == CommunicationUserDetail(
        user=user, custom_id=custom_id, last_token_issued_at=None
    )

    client.get_token(user, ["chat"])
    detail = client.get_user_detail(user.raw_id)
    assert (detail.user, detail.custom_id) == (user, custom_id)
    assert detail.last_token_issued_at is not None
    assert detail.last_token_issued_at.tzinfo is timezone.utc
    assert abs(datetime.now(timezone.utc) - detail.last_token_issued_at) < timedelta(seconds=30)


def test_a_user_without_a_custom_id_has_none_in_its_detail(client: EitherClient) -> None:
    user = client.create_user()
    assert client.get_user_detail(user) == CommunicationUserDetail(user=user)


def test_users_that_are_gone_or_of_others_have_no_detail(client: EitherClient) -> None:
    user = client.create_user()
    client.delete_user(user)
    with pytest.raises(ResourceNotFoundError):
        client.get_user_detail(user)

    stranger = f"8:acs:{uuid.uuid4()}_{uuid.uuid4()}"
    with pytest.raises(ClientAuthenticationError) as raised:
        client.get_user_detail(stranger)
    assert raised.value.error is not None
    assert raised.value.error.code == "IdentityNotOwned"


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("2025-04-14T15:32:27+00:00", datetime(2025, 4, 14, 15, 32, 27, tzinfo=timezone.utc)),
        ("2025-04-14T15:32:27Z", datetime(2025, 4, 14, 15, 32, 27, tzinfo=timezone.utc)),
        ("2025-04-14T17:32:27+02:00", datetime(2025, 4, 14, 15, 32, 27, tzinfo=timezone.utc)),
        (
            "2025-04-14T15:32:27.9876543+00:00",
            datetime(2025, 4, 14, 15, 32, 27, tzinfo=timezone.utc),
        ),
        (None, None),
    ],
)
def test_the_time_of_the_last_token_is_in_utc(
    detail_client: EitherClient, service: ScriptedService, sent: Any, meant: Any
) -> None:
    service.will_answer(200, {"id": "8:acs:x", "customId": None, "lastTokenIssuedAt": sent})
    detail = detail_client.get_user_detail("8:acs:x")
    assert detail == CommunicationUserDetail(
        user=CommunicationUserIdentifier("8:acs:x"), last_token_issued_at=meant
    )
    if meant is not None:
        assert detail.last_token_issued_at.utcoffset() == timedelta(0)
        assert detail.last_token_issued_at.tzinfo is timezone.utc


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "has no id"),
        ({"identity": {"id": "8:acs:x"}}, "has no id"),
        ({"id": 7}, "has no id"),
        ({"id": "8:acs:x", "customId": 7}, "has no customId"),
        ({"id": "8:acs:x", "lastTokenIssuedAt": 1744644747}, "lastTokenIssuedAt .* is a number"),
        ({"id": "8:acs:x", "lastTokenIssuedAt": "yesterday"}, "lastTokenIssuedAt .* is not a time"),
        (
            {"id": "8:acs:x", "lastTokenIssuedAt": "2025-13-14T15:32:27Z"},
            "lastTokenIssuedAt .* is not a time",
        ),
        (
            {"id": "8:acs:x", "lastTokenIssuedAt": "0001-01-01T00:00:00+01:00"},
            "lastTokenIssuedAt .* is not a time",
        ),
    ],
)
def test_what_is_no_detail_is_an_error_that_says_so(
    detail_client: EitherClient, service: ScriptedService, body: Any, words: str
) -> None:
    service.will_answer(200, body)
    with pytest.raises(DecodeError, match=words) as raised:
        detail_client.get_user_detail("8:acs:x")
    assert raised.value.status_code == 200


def test_a_detail_is_a_value() -> None:
    user = CommunicationUserIdentifier("8:acs:x")
    at = datetime(2025, 4, 14, tzinfo=timezone.utc)
    detail = CommunicationUserDetail(user=user, custom_id="mine", last_token_issued_at=at)

    assert detail == CommunicationUserDetail(user=user, custom_id="mine", last_token_issued_at=at)
    assert detail != CommunicationUserDetail(user=user, custom_id="yours", last_token_issued_at=at)
    assert len({detail, copy.deepcopy(detail), pickle.loads(pickle.dumps(detail))}) == 1
    assert repr(detail) == (
        "CommunicationUserDetail(user=CommunicationUserIdentifier(raw_id='8:acs:x'), "
        "custom_id='mine', last_token_issued_at=datetime.datetime(2025, 4, 14, 0, 0, "
        "tzinfo=datetime.timezone.utc))"
    )
    with pytest.raises(FrozenInstanceError):
        detail.custom_id = "yours"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
