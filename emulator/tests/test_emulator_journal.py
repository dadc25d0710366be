"""`emulator.requests`: the calls that were answered."""

import time
from functools import partial
from types import SimpleNamespace

import pytest

from acs_identity_emulator import IdentityEmulator, JournalEntry
from acs_identity_emulator.requests import Requests
from acs_identity_emulator.state.journal import CAPACITY, Journal

from .conftest import Clock, Send

PREVIEW = "2025-03-02-preview"


@pytest.fixture(autouse=True)
def _empty(emulator: IdentityEmulator) -> None:
    emulator.reset()


def issue(send: Send, user: str, **body: object) -> SimpleNamespace:
    return send("POST", f"/identities/{user}/:issueAccessToken", {"scopes": ["chat"], **body})


def test_what_an_entry_says(emulator: IdentityEmulator, send: Send, clock: Clock) -> None:
    before = time.time()
    send("POST", "/identities", {"createTokenWithScopes": ["voip"], "expiresInMinutes": 90})
    (entry,) = emulator.requests
    (identity,) = emulator.identities()
    assert before - 1 <= entry.at <= time.time() + 1
    assert entry._replace(at=0) == (
        *(0, "create", identity.id, ("voip",), 90, "2025-06-30"),
        *(201, None, None, "POST", "/identities"),
    )


def test_count_and_matching(emulator: IdentityEmulator, send: Send, user: str) -> None:
    issue(send, user)
    issue(send, user, scopes=["voip", "chat"])
    issue(send, user, scopes=[])
    send("DELETE", f"/identities/{user}", version="2023-10-01")
    requests = emulator.requests
    assert len(requests) == 5
    assert requests.count() == 5
    assert requests.count("issue") == 3
    assert requests.count("issue", user=user) == 3
    assert requests.count("issue", user=SimpleNamespace(raw_id=user), status=200) == 2
    assert requests.count("issue", scopes=["chat", "voip"]) == 1
    assert requests.count(error="ValidationError") == requests.count(status=400) == 1
    assert requests.count(api_version="2023-10-01") == 1
    assert requests.count("revoke") == requests.count(user="8:acs:somebody") == 0
    (deleted,) = requests.matching("delete")
    assert (deleted.user, deleted.status) == (user, 204)
    assert repr(requests) == "<Requests: create 201, issue 200, issue 200, issue 400, delete 204>"


def test_clear_and_reset(emulator: IdentityEmulator, send: Send) -> None:
    for forget in (emulator.requests.clear, emulator.reset):
        send("POST", "/identities")
        assert len(emulator.requests) == 1
        forget()
        assert list(emulator.requests) == []


@pytest.mark.parametrize(
    ("arguments", "expected", "message"),
    [
        ({"operation": "issues"}, ValueError, "operation must be one of create, .*, not 'issues'"),
        ({"user": 5}, TypeError, "user must be a raw id or have one, not int"),
        ({"status": "429"}, TypeError, "status must be an int, such as 429, not str"),
        ({"status": True}, TypeError, "status must be an int, such as 429, not bool"),
        ({"status": 42}, ValueError, "status must be 0 or from 100 to 599, not 42"),
        ({"scopes": "chat"}, TypeError, r'scopes must be a list of str, such as \["chat"\]'),
        ({"scopes": [1]}, TypeError, "scopes must be a list of str"),
        ({"error": 429}, TypeError, "error must be a str, not int"),
        ({"api_version": 2023}, TypeError, "api_version must be a str, not int"),
    ],
)
def test_invalid_selections(
    emulator: IdentityEmulator,
    arguments: dict[str, object],
    expected: type[Exception],
    message: str,
) -> None:
    with pytest.raises(expected, match=message):
        emulator.requests.count(**arguments)  # type: ignore[arg-type]


def test_what_was_rejected(emulator: IdentityEmulator, send: Send, user: str) -> None:
    emulator.requests.clear()
    send("POST", f"/identities/{user}/:revokeAccessTokens", date="Mon, 01 Jan 2001 00:00:00 GMT")
    send("GET", "/nowhere/at/all")
    send("POST", "/identities", version="2001-01-01")
    by_date, by_path, by_version = emulator.requests
    assert (by_date.operation, by_date.user, by_date.status, by_date.error) == (
        *("revoke", user),
        *(401, "Denied"),
    )
    assert by_date.reason is not None
    assert by_date.reason.startswith("date: x-ms-date is ")
    assert (by_path.operation, by_path.status) == (None, 404)
    assert (by_version.operation, by_version.api_version, by_version.status) == (
        *("create", None),
        400,
    )


def test_faults(emulator: IdentityEmulator, send: Send, user: str) -> None:
    emulator.requests.clear()
    for fault, status in {"status:429": 429, "html": 503, "truncated": 200, "reset": 0}.items():
        emulator.inject("issue", fault)
        if status:
            assert issue(send, user).status == status
        else:
            with pytest.raises(ConnectionError):
                issue(send, user)
    assert [entry.status for entry in emulator.requests] == [429, 503, 200, 0]
    assert emulator.requests.count("issue", user=user) == 4


def test_no_token_is_kept(emulator: IdentityEmulator, send: Send, user: str) -> None:
    """Not even one that a client puts in the place of an id, a scope or an api version."""
    guid = "00000000-0000-0000-0000-000000000001"
    token = emulator.issue_entra_token(user_object_id=guid, client_id=guid)
    body = {"token": token, "appId": guid, "userId": guid}
    assert send("POST", "/teamsUser/:exchangeAccessToken", body).status == 200
    assert issue(send, token).status == 400
    assert issue(send, user, scopes=[token]).status == 400
    assert send("DELETE", f"/identities/{token}").status == 400
    assert send("GET", f"/access/entra/assignments/{token}", version=PREVIEW).status == 400
    assert send("GET", f"/{token}").status == 404
    assert send("POST", "/identities", version=token).status == 400
    requests = emulator.requests.matching()[-7:]
    secret = token.rpartition(".")[2]
    assert secret not in repr(requests)
    assert requests[1][1:4] == ("issue", None, ("chat",))
    assert requests[2][1:4] == ("issue", user, ("...",))
    assert [entry.path for entry in requests[3:]] == [
        "/identities/...",
        "/access/entra/assignments/...",
        "/...",
        "/identities",
    ]


@pytest.mark.parametrize("cloud", ["acs", "dod-acs", "gcch-acs"])
def test_the_user_is_a_raw_id(emulator: IdentityEmulator, send: Send, cloud: str) -> None:
    guid = "00000000-0000-0000-0000-000000000001"
    users = [f"8:{cloud}:{guid}_{guid}", f"8:{cloud}:{guid}_{guid}_{guid}"]
    for user in users:
        assert send("DELETE", f"/identities/{user}").status == 401
    assignment = {"principalType": "group", "tenantId": guid, "clientIds": [guid]}
    path = f"/access/entra/assignments/{guid}"
    assert send("PUT", path, assignment, version=PREVIEW).status == 201
    assert [entry.user for entry in emulator.requests] == [*users, None]


def test_the_case_of_a_raw_id_does_not_matter(
    emulator: IdentityEmulator, send: Send, user: str
) -> None:
    other_case = "8:acs:" + user.removeprefix("8:acs:").upper()
    assert issue(send, other_case).status == 200
    assert [entry.user for entry in emulator.requests] == [user, user]
    assert emulator.requests.count(user=other_case) == emulator.requests.count(user=user) == 2


def test_a_path_that_begins_with_two_slashes(
    emulator: IdentityEmulator, send: Send, user: str
) -> None:
    body = {"scopes": ["chat"], "expiresInMinutes": 90}
    assert send("POST", f"//identities/{user}/:issueAccessToken", body).status == 200
    (entry,) = emulator.requests.matching("issue", user=user)
    assert (entry.scopes, entry.expires_in_minutes) == (("chat",), 90)


def test_bounded() -> None:
    def entry(at: float) -> JournalEntry:
        return JournalEntry(at, None, None, (), None, None, 404, None, None, "GET", "/")

    journal = Journal()
    for number in range(CAPACITY + 5):
        journal.record(partial(entry, number))
    entries = list(journal)
    assert (len(entries), entries[0].at, journal.recorded) == (CAPACITY, 5, CAPACITY + 5)
    assert len(journal) == CAPACITY


def test_entries_are_built_when_they_are_read() -> None:
    built: list[int] = []

    def entry(number: int) -> JournalEntry:
        built.append(number)
        return JournalEntry(number, None, None, (), None, None, 404, None, None, "GET", "/")

    journal = Journal()
    for number in range(5):
        journal.record(partial(entry, number))
    assert (len(journal), len(Requests(journal)), built) == (5, 5, [])
    assert [entry.at for entry in journal.newest(2)] == built == [4, 3]
    assert [entry.at for entry in journal.newest(9)] == [4, 3, 2, 1, 0]
