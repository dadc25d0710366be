"""The credentials of azure-identity get tokens from the emulator, which then takes them."""

import json
from collections.abc import Callable
from types import SimpleNamespace
from urllib.parse import urlencode

import jwt
import pytest

from acs_identity_emulator import IdentityEmulator

Send = Callable[..., SimpleNamespace]

SCOPE = "https://communication.azure.com//.default"
RESOURCE = "https://communication.azure.com/"


@pytest.fixture
def environment(tls_emulator: IdentityEmulator, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    variables = tls_emulator.managed_identity_environment
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET", "AZURE_USERNAME"):
        monkeypatch.delenv(name, raising=False)
    return variables


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("name", ["ManagedIdentityCredential", "DefaultAzureCredential"])
def test_credentials(tls_emulator: IdentityEmulator, send: Send, name: str) -> None:
    import azure.identity

    with getattr(azure.identity, name)() as credential:
        token = credential.get_token(SCOPE)
    claims = jwt.decode(token.token, options={"verify_signature": False})
    assert (claims["aud"], claims["exp"]) == (RESOURCE, token.expires_on)
    assert send("POST", "/identities", to=tls_emulator, bearer=token.token).status == 201


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("name", ["ManagedIdentityCredential", "DefaultAzureCredential"])
async def test_async_credentials(tls_emulator: IdentityEmulator, send: Send, name: str) -> None:
    import azure.identity.aio

    async with getattr(azure.identity.aio, name)() as credential:
        token = await credential.get_token(SCOPE)
    assert send("POST", "/identities", to=tls_emulator, bearer=token.token).status == 201


@pytest.mark.usefixtures("environment")
def test_for_another_resource(tls_emulator: IdentityEmulator, send: Send) -> None:
    import azure.identity

    with azure.identity.ManagedIdentityCredential() as credential:
        token = credential.get_token("https://vault.azure.net/.default")
    assert send("POST", "/identities", to=tls_emulator, bearer=token.token).status == 401


class TestEndpoint:
    def ask(
        self,
        emulator: IdentityEmulator,
        send_bytes: Send,
        secret: str | None,
        method: str = "GET",
        **query: str,
    ) -> SimpleNamespace:
        target = "/.emulator/msi/token?" + urlencode(query)
        lines = [f"{method} {target} HTTP/1.1", "Host: x", "Content-Length: 0"]
        if secret is not None:
            lines.append(f"X-IDENTITY-HEADER: {secret}")
        return send_bytes("\r\n".join([*lines, "", ""]).encode())

    @pytest.fixture
    def secret(self, emulator: IdentityEmulator) -> str:
        variables = emulator.managed_identity_environment
        assert variables["IDENTITY_ENDPOINT"] == f"{emulator.endpoint}.emulator/msi/token"
        return variables["IDENTITY_HEADER"]

    def test_ok(self, emulator: IdentityEmulator, send_bytes: Send, secret: str) -> None:
        client_id = "00000000-0000-0000-0000-0000000000aa"
        query = {"api-version": "2019-08-01", "resource": RESOURCE, "client_id": client_id}
        reply = self.ask(emulator, send_bytes, secret, **query)
        assert reply.status == 200
        assert reply.json["token_type"] == "Bearer"
        assert (reply.json["resource"], reply.json["client_id"]) == (RESOURCE, client_id)
        claims = jwt.decode(reply.json["access_token"], options={"verify_signature": False})
        assert (claims["appid"], str(claims["exp"])) == (client_id, reply.json["expires_on"])

    @pytest.mark.parametrize("secret", [None, "", "x", "é"])
    def test_secret(self, emulator: IdentityEmulator, send_bytes: Send, secret: str | None) -> None:
        query = {"api-version": "2019-08-01", "resource": RESOURCE}
        assert self.ask(emulator, send_bytes, secret, **query).status == 401

    @pytest.mark.parametrize(
        "query",
        [
            {},
            {"api-version": "2017-09-01", "resource": RESOURCE},
            {"api-version": "2019-08-01"},
            {"api-version": "2019-08-01", "resource": RESOURCE, "client_id": "x"},
        ],
        ids=json.dumps,
    )
    def test_query(
        self, emulator: IdentityEmulator, send_bytes: Send, secret: str, query: dict[str, str]
    ) -> None:
        reply = self.ask(emulator, send_bytes, secret, **query)
        assert (reply.status, reply.code) == (400, "BadRequest")

    def test_method(self, emulator: IdentityEmulator, send_bytes: Send, secret: str) -> None:
        reply = self.ask(emulator, send_bytes, secret, method="POST")
        assert (reply.status, reply.headers["Allow"]) == (405, "GET")
