"""A token is signed beside the event loop when others could be served meanwhile."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from types import SimpleNamespace

import jwt
import pytest

from acs_identity_emulator import IdentityEmulator
from acs_identity_emulator.authentication.tokens import UnsignedToken

from .conftest import connect

Send = Callable[..., SimpleNamespace]


@pytest.fixture
def another_client(emulator: IdentityEmulator, send: Send) -> Iterator[None]:
    """A connection that stays open: a lone client has its tokens signed in the event loop."""
    with closing(connect(emulator.endpoint)):
        send("POST", "/identities")  # answered after that connection was accepted
        yield


@contextmanager
def signing_held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Signatures wait for the end of this; the event tells that one does."""
    begun, may_end = threading.Event(), threading.Event()
    signed = UnsignedToken.signed

    def held(token: UnsignedToken) -> str:
        begun.set()
        assert may_end.wait(10)
        return signed(token)

    monkeypatch.setattr(UnsignedToken, "signed", held)
    try:
        yield begun
    finally:
        may_end.set()


@pytest.mark.usefixtures("another_client")
def test_others_are_served_and_what_they_change_holds(
    emulator: IdentityEmulator, send: Send, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    issue = f"/identities/{user}/:issueAccessToken"
    with ThreadPoolExecutor(1) as threads:
        with signing_held(monkeypatch) as begun:
            issued = threads.submit(send, "POST", issue, {"scopes": ["chat"]})
            assert begun.wait(10)
            assert send("POST", f"/identities/{user}/:revokeAccessTokens").status == 204
            assert not issued.done()
        token = issued.result().json["token"]
    assert not emulator.is_token_valid(token)  # it was issued before the revocation
    assert emulator.is_token_valid(send("POST", issue, {"scopes": ["chat"]}).json["token"])


def test_tokens_of_many_clients(emulator: IdentityEmulator, send: Send) -> None:
    def token_and_user(_: int) -> tuple[str, str]:
        reply = send("POST", "/identities", {"createTokenWithScopes": ["voip"]})
        return reply.json["accessToken"]["token"], reply.json["identity"]["id"]

    with ThreadPoolExecutor(8) as threads:
        issued = list(threads.map(token_and_user, range(200)))
    assert len(dict(issued)) == 200
    for token, user in issued:
        assert emulator.is_token_valid(token)
        claims = jwt.decode(token, options={"verify_signature": False})
        assert f"8:{claims['skypeid']}" == user
