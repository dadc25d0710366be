"""The Entra authority: azure-identity gets tokens of applications from it, by their secrets."""

import http.client
import json
import os
import random
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode, urlsplit

import jwt
import pytest

from acs_identity_emulator import IdentityEmulator

from .conftest import exchange

Send = Callable[..., SimpleNamespace]
Ask = Callable[..., SimpleNamespace]

SCOPE = "https://communication.azure.com//.default"
APP = str(uuid.UUID(int=0xA9))
TENANT = str(uuid.UUID(int=0xB9))
UNKNOWN = str(uuid.UUID(int=0xC9))
SECRET = "a secret of an application"


FORM = {
    "grant_type": "client_credentials",
    "client_id": APP,
    "client_secret": SECRET,
    "scope": SCOPE,
}


@pytest.fixture(scope="module")
def own() -> Iterator[IdentityEmulator]:
    with IdentityEmulator(tls=True) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def ask(own: IdentityEmulator) -> Ask:
    """Sends a request without credentials."""

    def _ask(method: str, path: str, body: bytes | dict[str, str] = b"", **headers: str) -> Any:
        content = body if isinstance(body, bytes) else urlencode(body).encode()
        lines = [f"{method} {path} HTTP/1.1", f"Content-Length: {len(content)}"]
        headers.setdefault("Host", own.endpoint.removeprefix("https://").rstrip("/"))
        lines += [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join([*lines, "", ""]).encode()
        return exchange(own.endpoint, head + content, method, own.ca_bundle)

    return _ask


@pytest.fixture
def environment(own: IdentityEmulator, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    variables = own.register_application(APP, SECRET)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", own.ca_bundle)
    # A request to any other host goes to a closed port.
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return variables


class TestAzureIdentity:
    def test_the_variables(self, own: IdentityEmulator, environment: dict[str, str]) -> None:
        assert environment == {
            "AZURE_AUTHORITY_HOST": own.endpoint.rstrip("/"),
            "AZURE_TENANT_ID": "adfs",
            "AZURE_CLIENT_ID": APP,
            "AZURE_CLIENT_SECRET": SECRET,
        }

    @pytest.mark.usefixtures("environment")
    @pytest.mark.parametrize("name", ["EnvironmentCredential", "DefaultAzureCredential"])
    def test_by_environment(self, own: IdentityEmulator, send: Send, name: str) -> None:
        import azure.identity

        with getattr(azure.identity, name)() as credential:
            token = credential.get_token(SCOPE)
        claims = jwt.decode(token.token, options={"verify_signature": False})
        assert (claims["appid"], claims["tid"]) == (APP, own.tenant_id)
        assert claims["aud"] == "https://communication.azure.com/"
        assert abs(claims["exp"] - token.expires_on) <= 5
        assert send("POST", "/identities", to=own, bearer=token.token).status == 201

    @pytest.mark.usefixtures("environment")
    @pytest.mark.parametrize("name", ["EnvironmentCredential", "DefaultAzureCredential"])
    async def test_by_environment_async(self, own: IdentityEmulator, send: Send, name: str) -> None:
        import azure.identity.aio

        credential = getattr(azure.identity.aio, name)(connection_verify=own.ca_bundle)
        async with credential:
            token = await credential.get_token(SCOPE)
        assert send("POST", "/identities", to=own, bearer=token.token).status == 201

    @pytest.mark.usefixtures("environment")
    def test_by_the_guid_of_the_tenant(self, own: IdentityEmulator, send: Send) -> None:
        from azure.identity import ClientSecretCredential, EnvironmentCredential

        os.environ["AZURE_TENANT_ID"] = own.tenant_id
        for credential in (
            ClientSecretCredential(own.tenant_id, APP, SECRET, disable_instance_discovery=True),
            EnvironmentCredential(disable_instance_discovery=True),
        ):
            with credential:
                token = credential.get_token(SCOPE)
            assert send("POST", "/identities", to=own, bearer=token.token).status == 201

    @pytest.mark.usefixtures("environment")
    async def test_by_the_guid_of_the_tenant_async(self, own: IdentityEmulator, send: Send) -> None:
        from azure.identity.aio import ClientSecretCredential

        credential = ClientSecretCredential(
            own.tenant_id, APP, SECRET, connection_verify=own.ca_bundle
        )
        async with credential:
            token = await credential.get_token(SCOPE)
        assert send("POST", "/identities", to=own, bearer=token.token).status == 201

    @pytest.mark.usefixtures("environment")
    @pytest.mark.parametrize(
        ("client_id", "secret", "tenant", "number"),
        [
            (APP, "wrong", None, "AADSTS7000215"),
            (UNKNOWN, SECRET, None, "AADSTS700016"),
            (APP, SECRET, TENANT, "AADSTS700016"),
            (APP, "wrong", "adfs", "AADSTS7000215"),
        ],
    )
    async def test_rejected(
        self, own: IdentityEmulator, client_id: str, secret: str, tenant: str | None, number: str
    ) -> None:
        from azure.core.exceptions import ClientAuthenticationError
        from azure.identity import ClientSecretCredential
        from azure.identity.aio import ClientSecretCredential as AsyncClientSecretCredential

        own.register_application(tenant_id=TENANT)
        arguments = (tenant or own.tenant_id, client_id, secret)
        with (
            ClientSecretCredential(*arguments, disable_instance_discovery=True) as credential,
            pytest.raises(ClientAuthenticationError, match=f"{number}: ") as caught,
        ):
            credential.get_token(SCOPE)
        assert secret not in str(caught.value)
        async with AsyncClientSecretCredential(
            *arguments, connection_verify=own.ca_bundle
        ) as async_credential:
            with pytest.raises(ClientAuthenticationError, match=f"{number}: "):
                await async_credential.get_token(SCOPE)

    @pytest.mark.usefixtures("environment")
    def test_an_unknown_tenant(self) -> None:
        from azure.core.exceptions import ClientAuthenticationError
        from azure.identity import ClientSecretCredential

        with (
            ClientSecretCredential(
                UNKNOWN, APP, SECRET, disable_instance_discovery=True
            ) as credential,
            pytest.raises((ClientAuthenticationError, ValueError), match=r"authority|tenant"),
        ):
            credential.get_token(SCOPE)


PROGRAM = """
import asyncio, sys
from azure.identity import DefaultAzureCredential
from azure.identity.aio import DefaultAzureCredential as AsyncDefaultAzureCredential
from azure.communication.identity import CommunicationIdentityClient
from azure.communication.identity.aio import (
    CommunicationIdentityClient as AsyncCommunicationIdentityClient,
)

endpoint = sys.argv[1]

with (
    DefaultAzureCredential() as credential,
    CommunicationIdentityClient(endpoint, credential) as client,
):
    print(client.create_user().raw_id)

async def main():
    async with (
        AsyncDefaultAzureCredential() as credential,
        AsyncCommunicationIdentityClient(endpoint, credential) as client,
    ):
        print((await client.create_user()).raw_id)

asyncio.run(main())
"""


def test_a_program_needs_nothing_but_the_variables(own: IdentityEmulator) -> None:
    environment = {
        **os.environ,
        **own.trust_environment,
        **own.register_application(),
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "NO_PROXY": "127.0.0.1",
    }
    command = [sys.executable, "-c", PROGRAM, own.endpoint]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert len(ran.stdout.splitlines()) == 2
    assert set(ran.stdout.splitlines()) <= {identity.id for identity in own.identities()}


def test_the_example_of_the_readme() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    section = readme.partition("### azure-identity with a client secret\n")[2]
    program = section.partition("```python\n")[2].partition("```")[0]
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("8:acs:")


class TestMetadata:
    @pytest.mark.parametrize("version", ["", "/v2.0"])
    @pytest.mark.parametrize("tenant", ["adfs", None])
    def test_leads_to_the_token_and_its_keys(
        self, own: IdentityEmulator, ask: Ask, tenant: str | None, version: str
    ) -> None:
        own.register_application(APP, SECRET)
        path = f"/{tenant or own.tenant_id}{version}/.well-known/openid-configuration"
        metadata = ask("GET", path).json
        for url in (metadata["token_endpoint"], metadata["jwks_uri"]):
            assert url.startswith(f"{own.endpoint}{tenant or own.tenant_id}/")
        root = own.endpoint.rstrip("/")
        issued = ask("POST", metadata["token_endpoint"].removeprefix(root), FORM)
        assert (issued.status, issued.json["token_type"]) == (200, "Bearer")
        assert issued.json["expires_in"] == issued.json["ext_expires_in"] == 3599
        token = issued.json["access_token"]
        keys = jwt.PyJWKSet.from_dict(ask("GET", metadata["jwks_uri"].removeprefix(root)).json)
        claims = jwt.decode(
            token,
            keys[jwt.get_unverified_header(token)["kid"]].key,
            algorithms=["RS256"],
            audience="https://communication.azure.com/",
        )
        assert claims["idtyp"] == "app"
        if not version:
            assert claims["iss"] == metadata["issuer"]

    def test_instance_discovery(self, own: IdentityEmulator, ask: Ask) -> None:
        host = own.endpoint.removeprefix("https://").rstrip("/")
        authorize = f"https://{host}/{own.tenant_id}/oauth2/v2.0/authorize"
        query = urlencode({"api-version": "1.1", "authorization_endpoint": authorize})
        reply = ask("GET", f"/common/discovery/instance?{query}")
        assert reply.json["metadata"][0]["aliases"] == [host]
        found = reply.json["tenant_discovery_endpoint"].removeprefix(own.endpoint.rstrip("/"))
        assert ask("GET", found).json["token_endpoint"].startswith(own.endpoint)

    @pytest.mark.parametrize("query", ["", "?authorization_endpoint=x", "?" + "&a=b" * 99])
    def test_of_another_instance(self, ask: Ask, query: str) -> None:
        reply = ask("GET", f"/common/discovery/instance{query}")
        assert (reply.status, reply.json["error"]) == (400, "invalid_instance")

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", f"/{UNKNOWN}/v2.0/.well-known/openid-configuration", 400),
            ("POST", f"/{UNKNOWN}/oauth2/v2.0/token", 400),
            ("GET", "/adfs/oauth2/v2.0/token", 405),
            ("POST", "/adfs/v2.0/.well-known/openid-configuration", 405),
            ("GET", "/adfs/oauth2/v2.0/authorize", 404),
            ("GET", "/adfs/discovery/", 404),
            ("POST", "/common/discovery/instance", 405),
            ("GET", "/common/discovery/instances", 404),
            ("GET", "/contoso/oauth2/v2.0/token", 401),
            ("GET", "/identities/oauth2/v2.0/token", 401),
        ],
    )
    def test_other_paths(self, ask: Ask, method: str, path: str, status: int) -> None:
        assert ask(method, path).status == status


class TestTokenEndpoint:
    @pytest.mark.parametrize(
        "tenant", [UNKNOWN, "contoso.onmicrosoft.com", "common", "organizations", "consumers"]
    )
    def test_unknown_tenants(self, ask: Ask, tenant: str) -> None:
        for reply in (
            ask("POST", f"/{tenant}/oauth2/v2.0/token", FORM),
            ask("GET", f"/{tenant}/v2.0/.well-known/openid-configuration"),
        ):
            assert (reply.status, reply.json["error"]) == (400, "invalid_tenant")
            description = reply.json["error_description"]
            assert description.startswith(f"AADSTS90002: Tenant '{tenant}' not found.")

    @pytest.fixture(autouse=True)
    def _application(self, own: IdentityEmulator) -> None:
        own.register_application(APP, SECRET)

    @pytest.mark.parametrize(
        ("changed", "status", "error", "number"),
        [
            ({"grant_type": ""}, 400, "invalid_request", 900144),
            ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
            ({"client_id": ""}, 400, "invalid_request", 900144),
            ({"client_id": "x"}, 400, "unauthorized_client", 700016),
            ({"scope": ""}, 400, "invalid_request", 900144),
            ({"scope": "openid"}, 400, "invalid_scope", 1002012),
            ({"scope": f"{SCOPE} openid"}, 400, "invalid_scope", 1002012),
            ({"scope": "/.default"}, 400, "invalid_scope", 1002012),
            ({"client_secret": ""}, 401, "invalid_client", 7000216),
            ({"client_secret": SECRET + "x"}, 401, "invalid_client", 7000215),
            ({"client_secret": "\ud800é"}, 401, "invalid_client", 7000215),
        ],
    )
    def test_errors(
        self, own: IdentityEmulator, ask: Ask, caplog: pytest.LogCaptureFixture,
        changed: dict[str, str], status: int, error: str, number: int,
    ) -> None:  # fmt: skip
        caplog.set_level("INFO", "acs_identity_emulator")
        form = urlencode({**FORM, **changed}, errors="surrogatepass").encode()
        reply = ask("POST", f"/{own.tenant_id}/oauth2/v2.0/token", form)
        assert (reply.status, reply.json["error"]) == (status, error)
        assert reply.json["error_codes"] == [number]
        assert reply.json["error_description"].startswith(f"AADSTS{number}: ")
        for name in ("timestamp", "trace_id", "correlation_id"):
            assert reply.json[name] in reply.json["error_description"]
        assert f"AADSTS{number} (entra-client: " in caplog.messages[-1]
        assert SECRET not in caplog.text + reply.body.decode()

    def test_a_resource_in_place_of_a_scope(self, ask: Ask) -> None:
        form = {**FORM, "resource": "https://communication.azure.com"}
        del form["scope"]
        reply = ask("POST", "/adfs/oauth2/token", form)
        claims = jwt.decode(reply.json["access_token"], options={"verify_signature": False})
        assert claims["aud"] == "https://communication.azure.com"

    @pytest.mark.parametrize("host", ["", "x\udcff", '"><script>', "a" * 5000])
    def test_any_host(self, ask: Ask, host: str) -> None:
        path = "/adfs/.well-known/openid-configuration"
        assert ask("GET", path, Host=host.encode("utf-8", "replace").decode()).status in (200, 400)

    def test_thousands_of_requests(self, own: IdentityEmulator) -> None:
        source = random.Random(3)
        connection = http.client.HTTPConnection(urlsplit(own.endpoint).netloc, timeout=10)
        pieces = ["grant_type=", "client_credentials", "client_id=", APP, "&", "=", "scope=", SCOPE]
        pieces += ["client_secret=", SECRET, "%", "%ff", "%00", "é", "\udcff", "&&", "+", "\n"]
        paths = ["/adfs/oauth2/v2.0/token", f"/{own.tenant_id}/oauth2/token"]
        for _ in range(3000):
            body = "".join(source.choices(pieces, k=source.randrange(20)))
            octets = body.encode("utf-8", "surrogateescape")
            connection.request("POST", source.choice(paths), octets)
            response = connection.getresponse()
            payload = json.loads(response.read())
            assert response.status in (200, 400, 401)
            assert set(payload) & {"error", "access_token"}
        connection.close()


class TestRegistration:
    def test_random(self, own: IdentityEmulator) -> None:
        first, second = own.register_application(), own.register_application()
        assert first["AZURE_CLIENT_ID"] != second["AZURE_CLIENT_ID"]
        assert first["AZURE_CLIENT_SECRET"] != second["AZURE_CLIENT_SECRET"]

    def test_keeps_what_is_not_given(self, own: IdentityEmulator) -> None:
        first = own.register_application()
        again = own.register_application(first["AZURE_CLIENT_ID"].upper())
        assert again == first
        changed = own.register_application(first["AZURE_CLIENT_ID"], "another")
        assert changed["AZURE_CLIENT_SECRET"] == "another"

    @pytest.mark.parametrize(
        "wrong", [{"client_id": "x"}, {"client_id": ""}, {"tenant_id": "adfs"}, {"secret": ""}]
    )
    def test_invalid(self, own: IdentityEmulator, wrong: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=next(iter(wrong))):
            own.register_application(**wrong)

    def test_survives_a_reset_and_a_restart(self, tmp_path: Path) -> None:
        file = tmp_path / "a.db"
        with IdentityEmulator(database=file) as emulator:
            first = emulator.register_application()
            emulator.reset()
        with IdentityEmulator(database=file) as emulator:
            again = emulator.register_application(first["AZURE_CLIENT_ID"])
            assert again["AZURE_CLIENT_SECRET"] == first["AZURE_CLIENT_SECRET"]

    def test_is_https_without_tls(self) -> None:
        with IdentityEmulator() as emulator:
            variables = emulator.register_application()
            host = emulator.endpoint.removeprefix("http://").rstrip("/")
            assert variables["AZURE_AUTHORITY_HOST"] == f"https://{host}"

    def test_needs_a_running_emulator(self) -> None:
        with pytest.raises(RuntimeError, match="not running"):
            IdentityEmulator().register_application()


def test_the_keys_differ_from_those_of_the_service(own: IdentityEmulator, ask: Ask) -> None:
    entra, service = ask("GET", "/adfs/discovery/keys"), ask("GET", "/.emulator/jwks.json")
    assert json.dumps(entra.json) != json.dumps(service.json)
