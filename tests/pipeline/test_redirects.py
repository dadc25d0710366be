"""Redirects are off by default, and never send a secret to another host."""

import ssl
from collections.abc import Iterator
from typing import Any

import pytest
import trustme
from azure.core.exceptions import HttpResponseError, TooManyRedirectsError
from either_client import ClientFactory, EitherClient
from scripted_service import ReceivedRequest, ScriptedService
from transports.raw_server import RawServer, answer

CREATED = {"identity": {"id": "8:acs:x"}}
TOKEN = {"token": "t", "expiresOn": "2124-03-01T12:30:05Z"}
PERMITTED = {"permit_redirects": True}


@pytest.fixture
def other() -> Iterator[ScriptedService]:
    """A service on another host."""
    with ScriptedService() as other:
        yield other.will_answer(201, CREATED)


def elsewhere(other: ScriptedService, path: str = "/identities") -> str:
    return f"http://localhost:{other.endpoint.rpartition(':')[2]}{path}"


def signature(request: ReceivedRequest) -> str | None:
    return request.headers["Authorization"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_they_are_off(scripted_client: EitherClient, service: ScriptedService, status: int) -> None:
    service.will_answer(status, location="/elsewhere")
    with pytest.raises(HttpResponseError) as raised:
        scripted_client.create_user()
    assert raised.value.status_code == status
    assert len(service.requests) == 1


def test_by_default_a_token_in_the_body_stays_at_home(
    scripted_client: EitherClient, service: ScriptedService, other: ScriptedService
) -> None:
    service.will_answer(307, location=elsewhere(other, "/teamsUser/:exchangeAccessToken"))
    with pytest.raises(HttpResponseError):
        scripted_client.get_token_for_teams_user("S3CRET", "app", "user")
    assert not other.requests


@pytest.mark.parametrize("of_the_call", [True, False])
def test_they_are_followed_and_signed_anew(
    make_client: ClientFactory, service: ScriptedService, of_the_call: bool
) -> None:
    service.will_answer(307, location="/elsewhere?x=1").will_answer(201, CREATED)
    client = make_client(service.endpoint, **({} if of_the_call else PERMITTED))
    client.create_user(**(PERMITTED if of_the_call else {}))
    first, second = (signature(request) for request in service.requests)
    assert service.requests[1].target == "/elsewhere?x=1"
    assert first
    assert second
    assert first != second


@pytest.mark.parametrize("absolute", [True, False])
def test_a_body_goes_to_another_path_of_the_same_host(
    make_client: ClientFactory, service: ScriptedService, absolute: bool
) -> None:
    service.will_answer(307, location=f"{service.endpoint if absolute else ''}/elsewhere")
    service.will_answer(200, TOKEN)
    make_client(service.endpoint, **PERMITTED).get_token("8:acs:x", ["chat"])
    assert [request.body for request in service.requests] == [b'{"scopes": ["chat"]}'] * 2


class TestPermitted:
    @pytest.fixture
    def client(self, make_client: ClientFactory, service: ScriptedService) -> EitherClient:
        return make_client(service.endpoint, retry_backoff_factor=0, **PERMITTED)

    @pytest.mark.parametrize("detour", [True, False])
    def test_another_host_gets_no_credentials(
        self,
        client: EitherClient,
        service: ScriptedService,
        other: ScriptedService,
        detour: bool,
    ) -> None:
        if detour:
            service.will_answer(307, location="/elsewhere")
        service.will_answer(307, location=elsewhere(other))
        client.create_user()
        assert all(map(signature, service.requests))
        (request,) = other.requests
        assert signature(request) is None

    @pytest.mark.parametrize("status", [303, 307, 308])
    def test_another_host_gets_no_body(
        self, client: EitherClient, service: ScriptedService, other: ScriptedService, status: int
    ) -> None:
        service.will_answer(status, location=elsewhere(other, "/teamsUser/:exchangeAccessToken"))
        with pytest.raises(HttpResponseError) as raised:
            client.get_token_for_teams_user("S3CRET", "app", "user")
        assert raised.value.status_code == status
        assert not other.requests

    @pytest.mark.parametrize("form", ["http://localhost:{port}\\@{home}/", "//localhost:{port}/"])
    def test_another_host_does_not_hide_in_a_url(
        self, client: EitherClient, service: ScriptedService, other: ScriptedService, form: str
    ) -> None:
        port, home = other.endpoint.rpartition(":")[2], service.endpoint.removeprefix("http://")
        service.will_answer(307, location=form.format(port=port, home=home))
        with pytest.raises(HttpResponseError):
            client.get_token("8:acs:x", ["chat"])
        assert not other.requests

    @pytest.mark.parametrize("location", ["http://[::1", "ftp://host/"])
    def test_a_malformed_location_is_not_followed(
        self, client: EitherClient, service: ScriptedService, location: str
    ) -> None:
        service.will_answer(307, location=location).will_answer(200, TOKEN)
        with pytest.raises(HttpResponseError) as raised:
            client.get_token("8:acs:x", ["chat"])
        assert raised.value.status_code == 307

    @pytest.mark.parametrize("limited_by_call", [True, False])
    def test_their_number_is_limited(
        self, make_client: ClientFactory, service: ScriptedService, limited_by_call: bool
    ) -> None:
        service.will_answer(307, location="/elsewhere")
        limit = {"redirect_max": 2}
        client = make_client(service.endpoint, **PERMITTED, **({} if limited_by_call else limit))
        with pytest.raises(TooManyRedirectsError):
            client.create_user(**(limit if limited_by_call else {}))
        assert len(service.requests) == 3

    def test_see_other_is_asked_with_get(
        self, client: EitherClient, service: ScriptedService
    ) -> None:
        service.will_answer(303, location="/elsewhere").will_answer(201, CREATED)
        client.create_user()
        assert [request.method for request in service.requests] == ["POST", "GET"]


@pytest.mark.parametrize("call", ["create_user", "get_token"])
def test_nothing_goes_from_https_to_http(
    make_client: ClientFactory, tmp_path: Any, other: ScriptedService, call: str
) -> None:
    authority = trustme.CA()
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    redirect = answer(b"", f"Location: {elsewhere(other)}", status="307 Moved")
    with RawServer(redirect, context) as server:
        client = make_client(server.url, connection_verify=str(bundle), **PERMITTED)
        arguments: tuple[Any, ...] = () if call == "create_user" else ("8:acs:x", ["chat"])
        with pytest.raises(HttpResponseError) as raised:
            getattr(client, call)(*arguments)
        client.close()
    assert raised.value.status_code == 307
    assert not other.requests
