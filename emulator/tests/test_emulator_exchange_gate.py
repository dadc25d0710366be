"""Assignments decide which users may exchange Entra tokens, and how long the tokens are valid."""

import itertools
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from acs_identity_emulator import IdentityEmulator

Send = Callable[..., SimpleNamespace]
Exchange = Callable[..., SimpleNamespace]

PREVIEW = "2025-03-02-preview"
TEAMS_SCOPE = "https://auth.msft.communication.azure.com/TeamsExtension.ManageCalls"
CLIENTS_SCOPE = "https://communication.azure.com/clients/.default"
APP, OTHER_APP = str(uuid.UUID(int=0xAA1)), str(uuid.UUID(int=0xAA2))
TENANT, OTHER_TENANT = str(uuid.UUID(int=0xBB1)), str(uuid.UUID(int=0xBB2))
GROUP, OTHER_GROUP = str(uuid.UUID(int=0xCC1)), str(uuid.UUID(int=0xCC2))
FORBIDDEN = {
    "code": "Forbidden",
    "message": "No assignment allows the user to get a token through the application.",
}
_users = (str(uuid.UUID(int=0xDD000 + number)) for number in itertools.count())


@pytest.fixture
def user() -> str:
    return next(_users)


def exchange(
    send: Send, emulator: IdentityEmulator, scope: str, user: str, groups: Sequence[str] = ()
) -> SimpleNamespace:
    route = "teamsExtension" if scope == TEAMS_SCOPE else "entra"
    token = emulator.issue_entra_token(
        user_object_id=user, client_id=APP, tenant_id=TENANT, scopes=[scope], groups=groups
    )
    path = f"/access/{route}/:exchangeAccessToken"
    return send("POST", path, {}, to=emulator, bearer=token, version=PREVIEW)


def assert_forbidden(reply: SimpleNamespace) -> None:
    assert (reply.status, reply.error) == (403, FORBIDDEN)
    assert "api-supported-versions" in reply.headers


class TestTeamsExtension:
    @pytest.fixture
    def exchange(self, send: Send, tls_emulator: IdentityEmulator, user: str) -> Exchange:
        return lambda: exchange(send, tls_emulator, TEAMS_SCOPE, user)

    @pytest.fixture
    def call(self, send: Send, tls_emulator: IdentityEmulator, user: str) -> Exchange:
        path = f"/access/teamsExtension/tenants/{TENANT}/assignments/{user}"
        return lambda method, body=b"": send(method, path, body, to=tls_emulator)

    def test_without_an_assignment(
        self, exchange: Exchange, tls_emulator: IdentityEmulator, user: str
    ) -> None:
        before = tls_emulator.identities()
        assert_forbidden(exchange())
        assert tls_emulator.identities() == before

    def test_with_an_assignment(
        self, exchange: Exchange, call: Exchange, tls_emulator: IdentityEmulator
    ) -> None:
        call("PUT", {"principalType": "User", "clientIds": [OTHER_APP, APP.upper()]})
        reply = exchange()
        assert reply.status == 200
        assert tls_emulator.is_token_valid(reply.json["accessToken"]["token"])

    @pytest.mark.parametrize(
        "body",
        [
            {"principalType": "user", "clientIds": [OTHER_APP]},
            {"principalType": "user", "clientIds": []},
            {"principalType": "user"},
        ],
    )
    def test_for_another_application(
        self, exchange: Exchange, call: Exchange, body: dict[str, object]
    ) -> None:
        assert call("PUT", body).status == 201
        assert_forbidden(exchange())

    def test_in_another_tenant(
        self, exchange: Exchange, send: Send, tls_emulator: IdentityEmulator, user: str
    ) -> None:
        path = f"/access/teamsExtension/tenants/{OTHER_TENANT}/assignments/{user}"
        body = {"principalType": "user", "clientIds": [APP]}
        assert send("PUT", path, body, to=tls_emulator).status == 201
        assert_forbidden(exchange())

    def test_an_entra_assignment_does_not_count(
        self, exchange: Exchange, send: Send, tls_emulator: IdentityEmulator, user: str
    ) -> None:
        body = {"tenantId": TENANT, "principalType": "user", "clientIds": [APP]}
        path = f"/access/entra/assignments/{user}"
        assert send("PUT", path, body, to=tls_emulator, version=PREVIEW).status == 201
        assert_forbidden(exchange())

    def test_deletion_revokes(
        self, exchange: Exchange, call: Exchange, tls_emulator: IdentityEmulator
    ) -> None:
        body = {"principalType": "resourceAccount", "clientIds": [APP]}
        assert call("PUT", body).status == 201
        tokens = [exchange().json["accessToken"]["token"]]
        assert call("PUT", body).status == 200
        tokens.append(exchange().json["accessToken"]["token"])
        assert [tls_emulator.is_token_valid(token) for token in tokens] == [True, True]
        assert call("DELETE").status == 204
        assert [tls_emulator.is_token_valid(token) for token in tokens] == [False, False]
        assert_forbidden(exchange())
        assert call("PUT", body).status == 201
        tokens.append(exchange().json["accessToken"]["token"])
        assert [tls_emulator.is_token_valid(token) for token in tokens] == [False, False, True]

    def test_the_log_says_why(
        self, exchange: Exchange, call: Exchange, user: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level("INFO", "acs_identity_emulator")
        exchange()
        of = f"user {user} of tenant {TENANT}"
        assert f"(no-assignment: no Teams extension assignment is for {of})" in caplog.messages[-1]
        call("PUT", {"principalType": "user"})
        exchange()
        reason = f"no Teams extension assignment of {of} has client {APP}"
        assert "403 " in caplog.messages[-1]
        assert f"Forbidden (no-assignment: {reason})" in caplog.messages[-1]


class TestEntra:
    @pytest.fixture
    def put(self, send: Send, tls_emulator: IdentityEmulator) -> Exchange:
        def _put(object_id: str, principal_type: str, **changed: object) -> SimpleNamespace:
            assigned = {"tenantId": TENANT, "principalType": principal_type, "clientIds": [APP]}
            path = f"/access/entra/assignments/{object_id}"
            body = {**assigned, **changed}
            return send("PUT", path, body, to=tls_emulator, version=PREVIEW)

        return _put

    @pytest.fixture
    def delete(self, send: Send, tls_emulator: IdentityEmulator) -> Exchange:
        return lambda object_id: send(
            "DELETE", f"/access/entra/assignments/{object_id}", to=tls_emulator, version=PREVIEW
        )

    @pytest.fixture(autouse=True)
    def _unassigned(self, delete: Exchange, user: str) -> None:
        for object_id in (user, GROUP, OTHER_GROUP, TENANT):
            assert delete(object_id).status == 204

    @pytest.fixture
    def exchange(self, send: Send, tls_emulator: IdentityEmulator, user: str) -> Exchange:
        return lambda: exchange(
            send, tls_emulator, CLIENTS_SCOPE, user, groups=[OTHER_GROUP, GROUP.upper()]
        )

    @pytest.mark.parametrize("principal_type", ["user", "group", "tenant", "Tenant", "GROUP"])
    def test_by_user_group_or_tenant(
        self, exchange: Exchange, put: Exchange, delete: Exchange, tls_emulator: IdentityEmulator,
        user: str, principal_type: str,
    ) -> None:  # fmt: skip
        assert_forbidden(exchange())
        object_id = {"user": user, "group": GROUP, "tenant": TENANT}[principal_type.lower()]
        assert put(object_id, principal_type).status == 201
        reply = exchange()
        assert reply.status == 200
        token = reply.json["accessToken"]["token"]
        assert tls_emulator.is_token_valid(token)
        assert delete(object_id).status == 204
        assert not tls_emulator.is_token_valid(token)
        assert_forbidden(exchange())

    @pytest.mark.parametrize(
        ("object_id", "principal_type", "changed"),
        [
            ("USER", "group", {}),
            ("USER", "user", {"tenantId": OTHER_TENANT}),
            ("USER", "user", {"clientIds": [OTHER_APP]}),
            ("USER", "user", {"clientIds": []}),
            (GROUP, "user", {}),
            (GROUP, "group", {"tenantId": OTHER_TENANT}),
            (GROUP, "group", {"clientIds": [OTHER_APP]}),
            (str(uuid.UUID(int=0xCC3)), "group", {}),
            (TENANT, "user", {}),
            (TENANT, "tenant", {"clientIds": [OTHER_APP]}),
            (TENANT, "tenant", {"tenantId": OTHER_TENANT}),
        ],
    )
    def test_by_no_other(
        self, exchange: Exchange, put: Exchange, user: str, object_id: str, principal_type: str,
        changed: dict[str, object],
    ) -> None:  # fmt: skip
        object_id = user if object_id == "USER" else object_id
        assert put(object_id, principal_type, **changed).status == 201
        assert_forbidden(exchange())

    def test_the_first_with_the_application_counts(
        self, exchange: Exchange, put: Exchange, delete: Exchange, tls_emulator: IdentityEmulator,
        user: str,
    ) -> None:  # fmt: skip
        put(user, "user", clientIds=[OTHER_APP])
        put(TENANT, "tenant")
        token = exchange().json["accessToken"]["token"]
        delete(user)
        assert tls_emulator.is_token_valid(token)
        delete(TENANT)
        assert not tls_emulator.is_token_valid(token)

    def test_a_merge_patch_revokes_too(
        self, exchange: Exchange, put: Exchange, send: Send, tls_emulator: IdentityEmulator,
        user: str,
    ) -> None:  # fmt: skip
        put(user, "user")
        token = exchange().json["accessToken"]["token"]
        path = "/access/entra/assignments"
        send("PATCH", path, {user: None}, to=tls_emulator, version=PREVIEW)
        assert not tls_emulator.is_token_valid(token)
        assert_forbidden(exchange())

    def test_a_teams_extension_assignment_does_not_count(
        self, exchange: Exchange, send: Send, tls_emulator: IdentityEmulator, user: str
    ) -> None:
        path = f"/access/teamsExtension/tenants/{TENANT}/assignments/{user}"
        body = {"principalType": "user", "clientIds": [APP]}
        assert send("PUT", path, body, to=tls_emulator).status == 201
        assert_forbidden(exchange())


@pytest.mark.parametrize("scope", [TEAMS_SCOPE, CLIENTS_SCOPE])
def test_open_exchange(send: Send, user: str, scope: str) -> None:
    with IdentityEmulator(tls=True, open_exchange=True) as emulator:
        reply = exchange(send, emulator, scope, user)
        assert reply.status == 200
        assert emulator.is_token_valid(reply.json["accessToken"]["token"])


def test_a_restart_continues(send: Send, user: str, tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    path = f"/access/teamsExtension/tenants/{TENANT}/assignments/{user}"
    body = {"principalType": "user", "clientIds": [APP]}
    with IdentityEmulator(tls=True, database=file) as emulator:
        assert send("PUT", path, body, to=emulator).status == 201
        token = exchange(send, emulator, TEAMS_SCOPE, user).json["accessToken"]["token"]
    with IdentityEmulator(tls=True, database=file) as emulator:
        assert emulator.is_token_valid(token)
        assert exchange(send, emulator, TEAMS_SCOPE, user).status == 200
        assert send("DELETE", path, to=emulator).status == 204
    with IdentityEmulator(tls=True, database=file) as emulator:
        assert not emulator.is_token_valid(token)
        assert_forbidden(exchange(send, emulator, TEAMS_SCOPE, user))


def test_a_reset_closes_the_gate(send: Send, user: str) -> None:
    path = f"/access/teamsExtension/tenants/{TENANT}/assignments/{user}"
    body = {"principalType": "user", "clientIds": [APP]}
    with IdentityEmulator(tls=True) as emulator:
        assert send("PUT", path, body, to=emulator).status == 201
        assert exchange(send, emulator, TEAMS_SCOPE, user).status == 200
        emulator.reset()
        assert_forbidden(exchange(send, emulator, TEAMS_SCOPE, user))


@pytest.mark.parametrize("groups", [["x"], [GROUP, "y"], [""]])
def test_groups_must_be_guids(tls_emulator: IdentityEmulator, groups: list[str]) -> None:
    with pytest.raises(ValueError, match="groups must be a GUID"):
        tls_emulator.issue_entra_token(user_object_id=GROUP, client_id=APP, groups=groups)
