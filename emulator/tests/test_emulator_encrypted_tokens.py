"""Encrypted tokens (JWE) for Entra users."""

import base64
import json
import random
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import jwt
import pytest

from acs_identity_emulator import IdentityEmulator

Send = Callable[..., SimpleNamespace]

PREVIEW = "2025-03-02-preview"
USER, APP = str(uuid.UUID(int=0xF1)), str(uuid.UUID(int=0xF2))
CLIENTS_SCOPE = "https://communication.azure.com/clients/.default"
TEAMS_SCOPE = "https://auth.msft.communication.azure.com/TeamsExtension.ManageCalls"


@pytest.fixture(scope="module")
def own() -> Iterator[IdentityEmulator]:
    with IdentityEmulator(tls=True, open_exchange=True, encrypted_tokens=True) as emulator:
        yield emulator


def exchanged(send: Send, emulator: IdentityEmulator, scope: str = CLIENTS_SCOPE) -> str:
    bearer = emulator.issue_entra_token(user_object_id=USER, client_id=APP, scopes=[scope])
    route = "entra" if scope == CLIENTS_SCOPE else "teamsExtension"
    path = f"/access/{route}/:exchangeAccessToken"
    reply = send("POST", path, {}, to=emulator, bearer=bearer, version=PREVIEW)
    token: str = reply.json["accessToken"]["token"]
    assert reply.json["accessToken"]["expiresOn"]
    return token


def test_entra_users_get_an_encrypted_token(own: IdentityEmulator, send: Send) -> None:
    token = exchanged(send, own)
    parts = token.split(".")
    assert len(parts) == 5
    assert all(parts)
    header = json.loads(base64.urlsafe_b64decode(parts[0] + "=="))
    assert header == {"alg": "A256KW", "enc": "A256GCM", "cty": "JWT"}
    with pytest.raises(jwt.DecodeError):
        jwt.decode(token, options={"verify_signature": False})
    assert own.is_token_valid(token)
    assert exchanged(send, own) != token


def test_others_do_not(own: IdentityEmulator, send: Send) -> None:
    assert exchanged(send, own, TEAMS_SCOPE).count(".") == 2
    body = {"createTokenWithScopes": ["chat"]}
    created = send("POST", "/identities", body, to=own).json["accessToken"]["token"]
    assert created.count(".") == 2
    assert own.is_token_valid(created)


def test_off_by_default(send: Send) -> None:
    with IdentityEmulator(tls=True, open_exchange=True) as emulator:
        assert exchanged(send, emulator).count(".") == 2


def test_revocation(own: IdentityEmulator, send: Send) -> None:
    token = exchanged(send, own)
    path = f"/identities/8:acs:{own.resource_id}_{own.tenant_id}_{USER}/:revokeAccessTokens"
    assert send("POST", path, to=own).status == 204
    assert not own.is_token_valid(token)


def test_a_restart_continues(send: Send, tmp_path: Path) -> None:
    file = tmp_path / "a.db"
    with IdentityEmulator(
        tls=True, open_exchange=True, encrypted_tokens=True, database=file
    ) as emulator:
        token = exchanged(send, emulator)
    with IdentityEmulator(database=file) as emulator:
        assert emulator.is_token_valid(token)


def test_of_another_emulator(own: IdentityEmulator, send: Send) -> None:
    token = exchanged(send, own)
    with IdentityEmulator(resource_id=own.resource_id) as emulator:
        assert not emulator.is_token_valid(token)


def test_tampered(own: IdentityEmulator, send: Send) -> None:
    """A token with a random change in any part is rejected, except in the unused bits of base64."""
    token = exchanged(send, own)
    parts = token.split(".")
    source = random.Random(7)
    for _ in range(3000):
        changed = list(parts)
        index = source.randrange(5)
        part = changed[index]
        at = source.randrange(len(part) - 1)
        changed[index] = source.choice(
            [
                part[:at],
                part[:at] + source.choice("AZaz09-_=+/ \n\0é\ud800") + part[at + 1 :],
                "".join(source.choices("AZaz09-_=+/ é", k=at)),
            ]
        )
        if changed != parts:
            assert not own.is_token_valid(".".join(changed))


@pytest.mark.parametrize(
    "token",
    ["....", "a.b.c.d.e", "e30....", f"{'[' * 100_000}.a.b.c.d", "eyJhbGciOiJub25lIn0.a.b.c.d"],
    ids=lambda value: value[:12],
)
def test_other_five_parts(own: IdentityEmulator, token: str) -> None:
    assert not own.is_token_valid(token)


@pytest.mark.parametrize(
    "header", [{"alg": "A256KW", "enc": []}, {"alg": "A256KW", "enc": "A256GCM", "crit": 5}]
)
def test_a_header_of_another_form(own: IdentityEmulator, header: dict[str, object]) -> None:
    segment = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    assert not own.is_token_valid(f"{segment}.{'A' * 54}.{'A' * 16}.AAAA.{'A' * 22}")


def test_an_emulator_that_encrypts_nothing_does_not_import_joserfc() -> None:
    program = (
        "import sys\n"
        "from acs_identity_emulator import IdentityEmulator\n"
        "with IdentityEmulator() as emulator:\n"
        "    emulator.is_token_valid('a.b.c')\n"
        "sys.exit('joserfc' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], timeout=60).returncode == 0
