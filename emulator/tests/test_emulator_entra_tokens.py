"""Entra tokens as the authority of the emulator issues and verifies them, without a server."""

import uuid
from datetime import timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from acs_identity_emulator.authentication.entra import (
    EntraAuthority,
    EntraToken,
    InvalidEntraTokenError,
)
from acs_identity_emulator.authentication.tokens import generate_key

NOW = 1_800_000_000
TENANT, OTHER_TENANT, APP, USER, GROUP = (
    str(uuid.UUID(int=0xABC000 + number)) for number in range(5)
)
CLIENTS = "https://communication.azure.com/clients"


class Clock:
    now = NOW + 0.75

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return generate_key()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def authority(key: rsa.RSAPrivateKey, clock: Clock) -> EntraAuthority:
    return EntraAuthority(lambda: key, TENANT, clock)


def issue(authority: EntraAuthority, **changed: object) -> str:
    arguments = {
        "user_object_id": USER,
        "client_id": APP,
        "tenant_id": None,
        "scopes": [f"{CLIENTS}/a", f"{CLIENTS}/b"],
        "groups": [],
        "expires_in": timedelta(hours=1),
    }
    return authority.issue(**{**arguments, **changed})  # type: ignore[arg-type] # of each test


def test_the_token_of_a_user(authority: EntraAuthority, key: rsa.RSAPrivateKey) -> None:
    token = issue(authority)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert len(claims.pop("uti")) > 10
    assert claims == {
        "aud": CLIENTS,
        "iss": f"https://sts.windows.net/{TENANT}/",
        "iat": NOW,
        "nbf": NOW,
        "exp": NOW + 3600,
        "appid": APP,
        "oid": USER,
        "scp": "a b",
        "tid": TENANT,
        "ver": "1.0",
    }
    listed = jwt.PyJWKSet.from_dict(authority.jwks()).keys[0]
    header = jwt.get_unverified_header(token)
    assert (header["alg"], header["kid"]) == ("RS256", listed.key_id)
    assert listed.key.public_numbers() == key.public_key().public_numbers()


def test_the_token_of_an_application(authority: EntraAuthority) -> None:
    arguments = {"object_id": USER, "client_id": APP, "resource": f"{CLIENTS}/"}
    lifetime = timedelta(seconds=60)
    token = authority.issue_to_application(**arguments, expires_in=lifetime)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["aud"], claims["idtyp"], claims["tid"]) == (f"{CLIENTS}/", "app", TENANT)
    assert "scp" not in claims
    assert authority.verify(token) == EntraToken(CLIENTS, TENANT, USER, APP, NOW + 60)
    other = authority.issue_to_application(**arguments, tenant_id=OTHER_TENANT, expires_in=lifetime)
    assert authority.verify(other).tenant_id == OTHER_TENANT


def test_the_default_scopes_are_those_of_teams(authority: EntraAuthority) -> None:
    claims = jwt.decode(issue(authority, scopes=None), options={"verify_signature": False})
    assert claims["aud"] == "https://auth.msft.communication.azure.com"
    assert claims["scp"] == "Teams.ManageCalls Teams.ManageChats"


def test_ids_are_verified_in_lower_case(authority: EntraAuthority) -> None:
    upper = {
        "user_object_id": USER.upper(),
        "client_id": APP.upper(),
        "tenant_id": OTHER_TENANT.upper(),
        "groups": [GROUP.upper(), USER],
    }
    verified = authority.verify(issue(authority, **upper))
    assert verified == EntraToken(CLIENTS, OTHER_TENANT, USER, APP, NOW + 3600, (GROUP, USER))


def test_a_token_is_valid_until_it_expires(authority: EntraAuthority, clock: Clock) -> None:
    token = issue(authority)
    clock.now = NOW + 3599.5
    assert authority.verify(token).expires_at == NOW + 3600
    for seconds in (0, 90):
        clock.now = NOW + 3600 + seconds
        with pytest.raises(InvalidEntraTokenError, match=f"token expired {seconds} s ago"):
            authority.verify(token)


def test_a_token_of_another_authority(authority: EntraAuthority, clock: Clock) -> None:
    other = EntraAuthority(generate_key, TENANT, clock)
    for token in (issue(other), "", "x.y.z", issue(authority) + "A"):
        with pytest.raises(InvalidEntraTokenError, match="not signed by the Entra authority"):
            authority.verify(token)


def test_the_key_is_loaded_once_and_when_it_is_needed(clock: Clock) -> None:
    loaded: list[rsa.RSAPrivateKey] = []

    def load() -> rsa.RSAPrivateKey:
        loaded.append(generate_key())
        return loaded[-1]

    authority = EntraAuthority(load, TENANT, clock)
    assert not loaded
    authority.verify(issue(authority))
    assert len(loaded) == 1


@pytest.mark.parametrize(
    ("scopes", "problem"),
    [
        ([], "non-empty list of URLs"),
        (f"{CLIENTS}/a", "non-empty list of URLs"),
        (["chat"], "URLs of one audience, such as 'https://[a-z.]+/Teams.ManageCalls', not"),
        ([f"{CLIENTS}/a", "https://other.example/a"], "URLs of one audience"),
        ([f"{CLIENTS}/a", "chat"], "URLs of one audience"),
    ],
)
def test_invalid_scopes(authority: EntraAuthority, scopes: object, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        issue(authority, scopes=scopes)
