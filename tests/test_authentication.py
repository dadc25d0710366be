"""How requests are authenticated, and the errors of the service for others."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.pipeline.transport import AioHttpTransport, RequestsTransport
from azure.identity import aio as async_identity
from either_client import ClientFactory, Clock, EitherClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scripted_service import ScriptedService

from acs_identity_emulator import IdentityEmulator
from azure import identity as sync_identity
from azure.communication.identity import CommunicationIdentityClient

# azure-core imports its transports lazily, which hides their types.


class TamperingTransport(RequestsTransport):  # type: ignore[misc]
    def send(self, request: Any, **kwargs: Any) -> Any:
        request._data = request._data.replace("chat", "voip")
        return super().send(request, **kwargs)


class AsyncTamperingTransport(AioHttpTransport):  # type: ignore[misc]
    async def send(self, request: Any, **kwargs: Any) -> Any:
        request._data = request._data.replace("chat", "voip")
        return await super().send(request, **kwargs)


def error_of(call: Callable[..., Any], *arguments: Any) -> ClientAuthenticationError:
    with pytest.raises(ClientAuthenticationError) as raised:
        call(*arguments)
    assert raised.value.status_code == 401
    return raised.value


def test_a_wrong_key_is_denied(make_client: ClientFactory, emulator: IdentityEmulator) -> None:
    client = make_client(emulator.endpoint, "d3Jvbmc=")
    error = error_of(client.create_user).error
    assert error is not None
    assert (error.code, error.message) == ("Denied", "Denied by the resource provider.")


def test_a_body_that_was_changed_on_the_way_is_denied(
    make_client: ClientFactory, flavour: str, emulator: IdentityEmulator
) -> None:
    transport = TamperingTransport() if flavour == "sync" else AsyncTamperingTransport()
    client = make_client.from_connection_string(emulator.connection_string, transport=transport)
    error = error_of(client.create_user_and_token, ["chat"]).error
    assert error is not None
    assert error.code == "Denied"
    assert "x-ms-content-sha256" in str(error.message)


@pytest.mark.parametrize("offset", [-310.0, 310.0])
def test_a_stale_date_is_denied(client: EitherClient, clock: Clock, offset: float) -> None:
    clock.offset = offset
    error = error_of(client.create_user).error
    assert error is not None
    assert error.code == "Denied"
    assert "5 minutes" in str(error.message)


@pytest.mark.parametrize("method", ["get_token", "revoke_tokens", "delete_user"])
def test_a_user_of_another_resource_is_refused(client: EitherClient, method: str) -> None:
    guid = "00000000-0000-0000-0000-000000000000"
    more = (["chat"],) if method == "get_token" else ()
    error = error_of(getattr(client, method), f"8:acs:{guid}_{guid}", *more).error
    assert error is not None
    assert error.code == "IdentityNotOwned"


HOSTILE = [
    "with space",
    "100%",
    "%2F",
    "a/b",
    "a?b=c",
    "a#b",
    "a+b",
    "a&b=c;d,e",
    "a%20b",
    "\u00fc\u6f22\U0001f600",
    "{id}",
    "a\\b\"<>|^`[]'()*!~$@:",
    "..a",
    " ",
    "x" * 2048,
    "\u6f22" * 683,
    "\x7f\x01\r\n",
]


@pytest.mark.parametrize("raw_id", HOSTILE)
def test_hostile_ids_are_signed_as_they_are_sent(client: EitherClient, raw_id: str) -> None:
    for call, more in (
        (client.get_token, (["chat"],)),
        (client.revoke_tokens, ()),
        (client.delete_user, ()),
    ):
        with pytest.raises(Exception, match="invalid format") as raised:
            call(raw_id, *more)
        assert raised.value.error.code == "ValidationError"  # type: ignore[attr-defined]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_scopes_and_teams_tokens_are_signed_as_they_are_sent(
    client: EitherClient, text: str
) -> None:
    for call, arguments in (
        (client.create_user_and_token, ([text],)),
        (client.get_token_for_teams_user, (text, text, text)),
    ):
        with pytest.raises(Exception, match=r"Invalid scopes|not valid") as raised:
            call(*arguments)
        assert raised.value.error.code != "Denied"  # type: ignore[attr-defined]


# Surrogates cannot be encoded, and are rejected earlier; "." and ".." are no segments.
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    raw_id=st.text(st.characters(codec="utf-8"), min_size=1, max_size=60).filter(
        lambda text: text not in (".", "..")
    )
)
def test_any_id_is_signed_as_it_is_sent(client: EitherClient, raw_id: str) -> None:
    with pytest.raises(Exception, match="invalid format"):
        client.get_token(raw_id, ["chat"])


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=20),
        st.text(st.characters(codec="utf-8"), max_size=20),
        max_size=3,
    )
)
def test_any_query_is_signed_as_it_is_sent(client: EitherClient, params: dict[str, str]) -> None:
    params = {name: value for name, value in params.items() if name.lower() != "api-version"}
    assert client.create_user(params=params).raw_id


@pytest.mark.parametrize(
    "form",
    [
        "{scheme}://{host}:{port}",
        "{scheme}://{host}:{port}/",
        "HTTP://{host}:{port}//",
        " {scheme}://{host}:{port} ",
        "{scheme}://LOCALHOST:{port}",
    ],
)
def test_the_host_that_is_signed_is_the_one_that_is_sent(
    make_client: ClientFactory, emulator: IdentityEmulator, form: str
) -> None:
    scheme, _, rest = emulator.endpoint.partition("://")
    host, _, port = rest.rstrip("/").partition(":")
    endpoint = form.format(scheme=scheme, host=host, port=port)
    assert make_client(endpoint, emulator.access_key).create_user().raw_id


def test_a_path_of_the_endpoint_is_signed_as_well(
    make_client: ClientFactory, service: ScriptedService
) -> None:
    service.will_answer(201, {"identity": {"id": "8:acs:x"}})
    make_client(service.endpoint + "/gateway/acs/").create_user()
    assert service.requests[0].target == "/gateway/acs/identities?api-version=2025-06-30"


def test_what_a_policy_of_the_call_changes_is_signed_too(
    make_client: ClientFactory, emulator: IdentityEmulator
) -> None:
    class AddToQuery(SansIOHTTPPolicy[Any, Any]):
        def on_request(self, request: Any) -> None:
            request.http_request.url += "&added=by%20policy"

    client = make_client.from_connection_string(
        emulator.connection_string, per_call_policies=AddToQuery()
    )
    assert client.create_user().raw_id


def test_a_hook_sees_the_signature(client: EitherClient) -> None:
    seen: list[str] = []
    client.create_user(
        raw_request_hook=lambda request: seen.append(request.http_request.headers["Authorization"])
    )
    assert "Signature=" in seen[0]


class EntraCredential:
    def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        raise AssertionError("the token must not leave for an http endpoint")


class AsyncEntraCredential:
    async def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        raise AssertionError("the token must not leave for an http endpoint")

    async def close(self) -> None: ...


@pytest.mark.parametrize("kind", [sync_identity, async_identity])
def test_a_credential_of_azure_identity_is_for_one_kind_of_client(
    make_client: ClientFactory, flavour: str, kind: Any
) -> None:
    credential = kind.ClientSecretCredential("tenant", "client", "secret")
    if (kind is sync_identity) is (flavour == "sync"):
        make_client("https://resource.invalid", credential)
        return
    with pytest.raises(
        TypeError, match=r"^credential is (not )?async\. Use Comm\w+Client of"
    ) as it:
        make_client("https://resource.invalid", credential)
    assert "secret" not in str(it.value)


@pytest.mark.parametrize("method", ["get_token", "get_token_info"])
def test_a_sync_client_tells_a_credential_that_returns_a_coroutine(method: str) -> None:
    credential: Any = SimpleNamespace(
        **{method: lambda *_, **__: AsyncEntraCredential().get_token()}
    )
    with (
        CommunicationIdentityClient("https://resource.invalid", credential) as client,
        pytest.raises(TypeError, match="a token, not a coroutine: await it, or, if credential"),
    ):
        client.create_user()


def test_an_entra_token_is_not_sent_over_http(
    make_client: ClientFactory, flavour: str, service: ScriptedService
) -> None:
    credential = EntraCredential() if flavour == "sync" else AsyncEntraCredential()
    client = make_client(service.endpoint, credential)
    with pytest.raises(ServiceRequestError, match="non-TLS"):
        client.create_user()
    assert not service.requests
