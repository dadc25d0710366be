"""Access tokens: format, claims and lifetime."""

import base64
import json
from collections.abc import Callable
from email.utils import formatdate
from types import SimpleNamespace
from typing import Any, Protocol

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from acs_identity_emulator import IdentityEmulator
from acs_identity_emulator.authentication.tokens import generate_key, key_from_pem, key_to_pem
from acs_identity_emulator.operations.calls import timestamp

Send = Callable[..., SimpleNamespace]


class Clock(Protocol):
    offset: float

    def __call__(self) -> float: ...


def issue(send: Send, user: str, **body: object) -> str:
    reply = send("POST", f"/identities/{user}/:issueAccessToken", {"scopes": ["chat"], **body})
    assert reply.status == 200
    token: str = reply.json["token"]
    return token


def part(token: str, index: int) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token.split(".")[index] + "=="))
    return decoded


def test_header(send: Send, user: str) -> None:
    header = part(issue(send, user), 0)
    assert list(header) == ["alg", "kid", "x5t", "typ"]
    assert (header["alg"], header["typ"]) == ("RS256", "JWT")
    thumbprint = base64.urlsafe_b64decode(header["x5t"] + "=")
    assert (thumbprint.hex().upper(), len(thumbprint)) == (header["kid"], 20)


def test_keys_for_all_to_verify(emulator: IdentityEmulator, send: Send, send_bytes: Send) -> None:
    body = {"createTokenWithScopes": ["chat"]}
    token = send("POST", "/identities", body).json["accessToken"]["token"]
    reply = send_bytes(b"GET /.emulator/jwks.json HTTP/1.1\r\nHost: x\r\n\r\n")
    assert reply.status == 200
    key = jwt.PyJWKSet.from_dict(reply.json)[jwt.get_unverified_header(token)["kid"]]
    assert key.key.key_size == 2048
    claims = jwt.decode(token, key.key, algorithms=["RS256"])
    assert claims["resourceId"] == emulator.resource_id


def test_a_key_survives_its_text() -> None:
    key = generate_key()
    assert key_from_pem(key_to_pem(key)).private_numbers() == key.private_numbers()


def test_a_key_that_is_not_rsa() -> None:
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with pytest.raises(ValueError, match="expected an RSA private key"):
        key_from_pem(pem.decode())


def test_claims(emulator: IdentityEmulator, send: Send, user: str, clock: Clock) -> None:
    claims = part(issue(send, user, scopes=["voip", "chat", "voip"]), 1)
    assert list(claims) == [
        "skypeid", "scp", "csi", "exp", "iat", "acsScope", "resourceId", "jti",
    ]  # fmt: skip
    assert claims["skypeid"] == user.removeprefix("8:")
    assert claims["scp"] == 1792
    assert claims["csi"] == str(claims["iat"])
    assert claims["exp"] - claims["iat"] == 86400
    assert abs(claims["iat"] - clock()) < 10
    assert claims["acsScope"] == "voip,chat"
    assert claims["resourceId"] == emulator.resource_id
    assert user.startswith(f"8:acs:{emulator.resource_id}_")


def test_expiry(send: Send, user: str) -> None:
    claims = part(issue(send, user, expiresInMinutes=75), 1)
    assert claims["exp"] - claims["iat"] == 75 * 60


def test_every_token_is_another(send: Send, user: str) -> None:
    assert len({issue(send, user) for _ in range(5)}) == 5


def test_expires(emulator: IdentityEmulator, send: Send, user: str, clock: Clock) -> None:
    token = issue(send, user, expiresInMinutes=60)
    assert emulator.is_token_valid(token)
    clock.offset = 3590
    assert emulator.is_token_valid(token)
    clock.offset = 3600
    assert not emulator.is_token_valid(token)


def test_expires_with_the_second(send: Send) -> None:
    seconds = 1_800_000_000.0
    with IdentityEmulator(clock=lambda: seconds) as emulator:
        date = formatdate(seconds, usegmt=True)
        body = {"createTokenWithScopes": ["chat"], "expiresInMinutes": 60}
        reply = send("POST", "/identities", body, to=emulator, date=date)
        token = reply.json["accessToken"]["token"]
        seconds += 3599.9
        assert emulator.is_token_valid(token)
        seconds += 0.1
        assert not emulator.is_token_valid(token)


@pytest.mark.parametrize("days", [-400, 400])
def test_the_clock_of_the_emulator_counts_not_that_of_the_machine(
    emulator: IdentityEmulator, send: Send, user: str, clock: Clock, days: int
) -> None:
    clock.offset = 86400 * days
    assert emulator.is_token_valid(issue(send, user))


def test_revocation_ends_the_tokens_before_it(
    emulator: IdentityEmulator, send: Send, user: str
) -> None:
    before = issue(send, user)
    other = send("POST", "/identities", {"createTokenWithScopes": ["chat"]}).json["accessToken"]
    assert send("POST", f"/identities/{user}/:revokeAccessTokens").status == 204
    after = issue(send, user)
    assert [emulator.is_token_valid(token) for token in (before, after, other["token"])] == [
        False,
        True,
        True,
    ]


def test_deletion_ends_all_tokens(emulator: IdentityEmulator, send: Send, user: str) -> None:
    token = issue(send, user)
    send("DELETE", f"/identities/{user}")
    assert not emulator.is_token_valid(token)


def test_what_is_no_token(emulator: IdentityEmulator, send: Send, user: str) -> None:
    header, claims, signature = issue(send, user).split(".")
    forged = jwt.encode(part(f"{header}.{claims}.x", 1), "k" * 32, algorithm="HS256")
    for token in (
        "",
        "x",
        "a.b.c",
        "é",
        forged,
        f"{header}.{claims}.",
        f"{header}.e30.{signature}",
    ):
        assert not emulator.is_token_valid(token)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "1970-01-01T00:00:00+00:00"),
        (1709296205.5, "2024-03-01T12:30:05.5+00:00"),
        (1709296205.25, "2024-03-01T12:30:05.25+00:00"),
        (1709296205.000001, "2024-03-01T12:30:05.000001+00:00"),
        (1709296205.99999999, "2024-03-01T12:30:06+00:00"),
    ],
)
def test_timestamp(seconds: float, expected: str) -> None:
    assert timestamp(seconds) == expected


def test_timestamp_has_at_most_seven_digits() -> None:
    fraction = timestamp(1709296205.1234567).partition(".")[2].partition("+")[0]
    assert fraction.startswith("12345")
    assert len(fraction) <= 7
