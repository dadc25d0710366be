"""Entra bearer tokens, their exchange, and TLS."""

import itertools
import os
import ssl
import time
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Protocol

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from acs_identity_emulator import IdentityEmulator

Send = Callable[..., SimpleNamespace]


class Clock(Protocol):
    offset: float

    def __call__(self) -> float: ...


APP, USER, TENANT = (str(uuid.UUID(int=number)) for number in (0xA11, 0xB12, 0xC13))
RESOURCE_SCOPE = "https://communication.azure.com//.default"
TEAMS_SCOPE = "https://auth.msft.communication.azure.com/TeamsExtension.ManageCalls"
GCC_HIGH_SCOPE = "https://auth.msft.communication.azure.us/TeamsExtension.ManageCalls"
CLIENTS_SCOPE = "https://communication.azure.com/clients/.default"
PREVIEW = "2025-03-02-preview"
TEAMS_EXTENSION = "/access/teamsExtension/:exchangeAccessToken"
ENTRA = "/access/entra/:exchangeAccessToken"
DENIED = {"code": "Denied", "message": "Denied by the resource provider."}


def entra_token(
    emulator: IdentityEmulator,
    scope: str,
    tenant_id: str | None = TENANT,
    expires_in: timedelta = timedelta(hours=1),
) -> str:
    return emulator.issue_entra_token(
        user_object_id=USER,
        client_id=APP,
        tenant_id=tenant_id,
        scopes=[scope],
        expires_in=expires_in,
    )


class TestBearer:
    @pytest.fixture
    def token(self, tls_emulator: IdentityEmulator) -> str:
        return entra_token(tls_emulator, RESOURCE_SCOPE)

    def test_every_operation_of_an_identity(
        self, tls_emulator: IdentityEmulator, send: Send, token: str
    ) -> None:
        def call(method: str, target: str, body: object = b"") -> SimpleNamespace:
            return send(method, target, body, to=tls_emulator, bearer=token)

        user = call("POST", "/identities").json["identity"]["id"]
        issued = call("POST", f"/identities/{user}/:issueAccessToken", {"scopes": ["chat"]})
        assert issued.status == 200
        assert tls_emulator.is_token_valid(issued.json["token"])
        assert call("POST", f"/identities/{user}/:revokeAccessTokens").status == 204
        assert not tls_emulator.is_token_valid(issued.json["token"])
        assert call("DELETE", f"/identities/{user}").status == 204

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER "])
    def test_spelling_of_the_scheme(
        self, tls_emulator: IdentityEmulator, send: Send, token: str, scheme: str
    ) -> None:
        headers = {"Authorization": f"{scheme} {token}"}
        reply = send("POST", "/identities", to=tls_emulator, bearer="", headers=headers)
        assert reply.status == 201

    def test_in_the_clear(self, emulator: IdentityEmulator, send: Send) -> None:
        token = entra_token(emulator, RESOURCE_SCOPE)
        reply = send("POST", "/identities", bearer=token)
        assert (reply.status, reply.error) == (401, DENIED)

    @pytest.mark.parametrize("scope", [TEAMS_SCOPE, CLIENTS_SCOPE, "https://graph.microsoft.com/x"])
    def test_another_audience(self, tls_emulator: IdentityEmulator, send: Send, scope: str) -> None:
        token = entra_token(tls_emulator, scope)
        reply = send("POST", "/identities", to=tls_emulator, bearer=token)
        assert (reply.status, reply.error) == (401, DENIED)

    def test_expired(
        self, tls_emulator: IdentityEmulator, send: Send, clock: Clock, token: str
    ) -> None:
        clock.offset = 3590
        assert send("POST", "/identities", to=tls_emulator, bearer=token).status == 201
        clock.offset = 3600
        reply = send("POST", "/identities", to=tls_emulator, bearer=token)
        assert (reply.status, reply.error) == (401, DENIED)

    def test_forged(self, tls_emulator: IdentityEmulator, send: Send, token: str) -> None:
        claims = jwt.decode(token, options={"verify_signature": False})
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        access_token = send(
            "POST", "/identities", {"createTokenWithScopes": ["chat"]}, to=tls_emulator
        ).json["accessToken"]["token"]
        for forged in (
            "",
            "x",
            f"{token[:-4]}AAAA",
            jwt.encode(claims, key, algorithm="RS256"),
            jwt.encode(claims, "", algorithm="none"),
            access_token,
        ):
            reply = send("POST", "/identities", to=tls_emulator, bearer=forged)
            assert (reply.status, reply.error) == (401, DENIED)
            assert "WWW-Authenticate" not in reply.headers

    def test_twice(self, tls_emulator: IdentityEmulator, send: Send, token: str) -> None:
        extra = f"Authorization: Bearer {token}\r\n".encode()
        reply = send("POST", "/identities", to=tls_emulator, bearer=token, extra=extra)
        assert reply.status in (400, 401)


@pytest.fixture(scope="module")
def _assigned(tls_emulator: IdentityEmulator, send: Send) -> None:
    """The user may get tokens through the application, in either exchange."""
    for tenant in (TENANT, tls_emulator.tenant_id):
        path = f"/access/teamsExtension/tenants/{tenant}/assignments/{USER}"
        body = {"principalType": "user", "clientIds": [APP]}
        assert send("PUT", path, body, to=tls_emulator).status == 201
    path = f"/access/entra/assignments/{USER}"
    body = {"tenantId": TENANT, "principalType": "user", "clientIds": [APP]}
    assert send("PUT", path, body, to=tls_emulator, version=PREVIEW).status == 201


@pytest.mark.usefixtures("_assigned")
class TestExchangeOfTheCallersToken:
    def test_one_time_for_all_of_it(self, send: Send) -> None:
        seconds = itertools.count(int(time.time()))
        with IdentityEmulator(
            tls=True, open_exchange=True, clock=lambda: next(seconds)
        ) as emulator:
            token = entra_token(emulator, TEAMS_SCOPE)
            reply = send("POST", TEAMS_EXTENSION, {}, to=emulator, bearer=token)
            issued = reply.json["accessToken"]["token"]
            claims = jwt.decode(issued, options={"verify_signature": False})
            assert emulator.identities()[0].last_token_issued_at == claims["iat"]

    @pytest.mark.parametrize(
        ("path", "scope", "version"),
        [
            (TEAMS_EXTENSION, TEAMS_SCOPE, "2025-06-30"),
            (TEAMS_EXTENSION, GCC_HIGH_SCOPE, "2025-06-30"),
            (TEAMS_EXTENSION, TEAMS_SCOPE, PREVIEW),
            (TEAMS_EXTENSION, TEAMS_SCOPE, "2026-09-23"),
            (ENTRA, CLIENTS_SCOPE, PREVIEW),
        ],
    )
    def test_ok(
        self, tls_emulator: IdentityEmulator, send: Send, path: str, scope: str, version: str
    ) -> None:
        token = entra_token(tls_emulator, scope)
        reply = send("POST", path, {}, to=tls_emulator, bearer=token, version=version)
        assert reply.status == 200
        assert list(reply.json) == ["identity", "accessToken"]
        assert list(reply.json["accessToken"]) == ["token", "expiresOn"]
        identity = reply.json["identity"]
        assert identity == {"id": f"8:acs:{tls_emulator.resource_id}_{TENANT}_{USER}"}
        assert "api-supported-versions" in reply.headers
        access_token = reply.json["accessToken"]["token"]
        assert tls_emulator.is_token_valid(access_token)
        claims = jwt.decode(access_token, options={"verify_signature": False})
        assert f"8:{claims['skypeid']}" == identity["id"]
        expiry = jwt.decode(token, options={"verify_signature": False})["exp"]
        expires_on = datetime.fromisoformat(reply.json["accessToken"]["expiresOn"])
        assert claims["exp"] == expires_on.timestamp() == expiry

    def test_of_the_tenant_of_the_emulator(
        self, tls_emulator: IdentityEmulator, send: Send
    ) -> None:
        token = entra_token(tls_emulator, TEAMS_SCOPE, tenant_id=None)
        reply = send("POST", TEAMS_EXTENSION, {}, to=tls_emulator, bearer=token)
        assert reply.json["identity"]["id"].endswith(f"_{tls_emulator.tenant_id}_{USER}")

    @pytest.mark.parametrize(
        ("path", "scope"),
        [
            (TEAMS_EXTENSION, CLIENTS_SCOPE),
            (TEAMS_EXTENSION, RESOURCE_SCOPE),
            (ENTRA, TEAMS_SCOPE),
            (ENTRA, RESOURCE_SCOPE),
        ],
    )
    def test_a_token_for_another_exchange(
        self, tls_emulator: IdentityEmulator, send: Send, path: str, scope: str
    ) -> None:
        token = entra_token(tls_emulator, scope)
        reply = send("POST", path, {}, to=tls_emulator, bearer=token, version=PREVIEW)
        assert (reply.status, reply.error) == (401, DENIED)
        assert "api-supported-versions" not in reply.headers

    @pytest.mark.parametrize("path", [TEAMS_EXTENSION, ENTRA])
    def test_an_access_key_cannot(
        self, tls_emulator: IdentityEmulator, send: Send, path: str
    ) -> None:
        reply = send("POST", path, {}, to=tls_emulator, version=PREVIEW)
        assert (reply.status, reply.error) == (401, DENIED)

    def test_expired(self, tls_emulator: IdentityEmulator, send: Send) -> None:
        token = entra_token(tls_emulator, TEAMS_SCOPE, expires_in=timedelta(seconds=-1))
        reply = send("POST", TEAMS_EXTENSION, {}, to=tls_emulator, bearer=token)
        assert (reply.status, reply.error) == (401, DENIED)

    @pytest.mark.parametrize(
        ("path", "version"),
        [(ENTRA, "2025-06-30"), (ENTRA, "2023-10-01"), (TEAMS_EXTENSION, "2023-10-01")],
    )
    def test_versions_without_it(
        self, tls_emulator: IdentityEmulator, send: Send, path: str, version: str
    ) -> None:
        token = entra_token(tls_emulator, TEAMS_SCOPE)
        reply = send("POST", path, {}, to=tls_emulator, bearer=token, version=version)
        assert (reply.status, reply.code) == (400, "UnsupportedApiVersion")

    @pytest.mark.parametrize(("body", "status"), [(b"", 200), (b"[]", 400), (b"{", 400)])
    def test_body(
        self, tls_emulator: IdentityEmulator, send: Send, body: bytes, status: int
    ) -> None:
        token = entra_token(tls_emulator, TEAMS_SCOPE)
        reply = send("POST", TEAMS_EXTENSION, body, to=tls_emulator, bearer=token)
        assert reply.status == status

    def test_the_user_is_an_identity_of_the_resource(
        self, tls_emulator: IdentityEmulator, send: Send
    ) -> None:
        token = entra_token(tls_emulator, TEAMS_SCOPE)

        def exchanged() -> str:
            reply = send("POST", TEAMS_EXTENSION, {}, to=tls_emulator, bearer=token)
            access_token: str = reply.json["accessToken"]["token"]
            return access_token

        path = f"/identities/8:acs:{tls_emulator.resource_id}_{TENANT}_{USER}"
        first = exchanged()
        assert send("POST", f"{path}/:revokeAccessTokens", to=tls_emulator).status == 204
        second = exchanged()
        valid = tls_emulator.is_token_valid
        assert [valid(first), valid(second)] == [False, True]
        assert send("DELETE", path, to=tls_emulator).status == 204
        assert not valid(second)
        third = exchanged()
        assert [valid(first), valid(second), valid(third)] == [False, False, True]


class TestTls:
    def test_the_ca_bundle_is_needed(self, tls_emulator: IdentityEmulator) -> None:
        import socket

        port = int(tls_emulator.endpoint.rstrip("/").rpartition(":")[2])
        context = ssl.create_default_context()
        with (
            socket.create_connection(("127.0.0.1", port)) as connection,
            pytest.raises(ssl.SSLCertVerificationError),
        ):
            context.wrap_socket(connection, server_hostname="127.0.0.1")

    @pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "::1"])
    def test_names_of_the_certificate(self, tls_emulator: IdentityEmulator, name: str) -> None:
        import socket

        port = int(tls_emulator.endpoint.rstrip("/").rpartition(":")[2])
        context = ssl.create_default_context(cafile=tls_emulator.ca_bundle)
        with (
            socket.create_connection(("127.0.0.1", port)) as connection,
            context.wrap_socket(connection, server_hostname=name) as tls,
        ):
            assert tls.version() == "TLSv1.3"

    def test_signatures_work_as_well(self, tls_emulator: IdentityEmulator, send: Send) -> None:
        assert tls_emulator.endpoint.startswith("https://127.0.0.1:")
        assert tls_emulator.connection_string.startswith("endpoint=https://")
        assert send("POST", "/identities", to=tls_emulator).status == 201

    def test_the_bundle_is_removed_at_the_end(self) -> None:
        with IdentityEmulator(tls=True) as emulator:
            bundle = emulator.ca_bundle
            assert os.path.exists(bundle)
        assert not os.path.exists(bundle)

    def test_a_database_keeps_the_authority(self, send: Send, tmp_path: Path) -> None:
        authorities = []
        for _ in range(2):
            with IdentityEmulator(tls=True, database=tmp_path / "a.db") as emulator:
                authorities.append(Path(emulator.ca_bundle).read_bytes())
                assert send("POST", "/identities", to=emulator).status == 201
        assert authorities[0] == authorities[1]
