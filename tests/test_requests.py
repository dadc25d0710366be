"""Requests on the wire, and the effects of the pipeline's options."""

import json
import re
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.core.pipeline import policies
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.rest import HttpRequest
from either_client import KEY, ClientFactory, EitherClient
from scripted_service import ReceivedRequest, ScriptedService

from azure.communication.identity import identifier_from_raw_id
from azure.communication.identity._version import VERSION

TIME = "2024-03-01T12:30:05Z"
EVERYTHING = {
    "identity": {"id": "8:acs:x"},
    "accessToken": {"token": "t", "expiresOn": TIME},
    "token": "t",
    "expiresOn": TIME,
}


@pytest.fixture
def created(service: ScriptedService) -> ScriptedService:
    """The service, which creates whatever it is asked for."""
    return service.will_answer(201, EVERYTHING)


@pytest.mark.parametrize(
    ("method", "arguments", "status", "line", "body"),
    [
        ("create_user", (), 201, "POST /identities", None),
        (
            "create_user_and_token",
            (["chat"],),
            201,
            "POST /identities",
            {"createTokenWithScopes": ["chat"]},
        ),
        (
            "get_token",
            ("8:acs:a_b", ["chat", "voip"]),
            200,
            "POST /identities/8:acs:a_b/:issueAccessToken",
            {"scopes": ["chat", "voip"]},
        ),
        (
            "revoke_tokens",
            ("8:acs:a/b",),
            204,
            "POST /identities/8:acs:a%2Fb/:revokeAccessTokens",
            None,
        ),
        ("delete_user", ("8:acs:a_b",), 204, "DELETE /identities/8:acs:a_b", None),
        (
            "get_token_for_teams_user",
            ("t", "a", "u"),
            200,
            "POST /teamsUser/:exchangeAccessToken",
            {"token": "t", "appId": "a", "userId": "u"},
        ),
    ],
)
def test_each_method_sends_one_request(
    scripted_client: EitherClient,
    service: ScriptedService,
    method: str,
    arguments: tuple[Any, ...],
    status: int,
    line: str,
    body: Any,
) -> None:
    service.will_answer(status, b"" if status == 204 else EVERYTHING)
    getattr(scripted_client, method)(*arguments)

    (request,) = service.requests
    assert f"{request.method} {request.target}" == f"{line}?api-version=2025-06-30"
    assert (json.loads(request.body) if request.body else None) == body
    assert request.headers["Accept"] == "application/json"
    assert request.headers["x-ms-return-client-request-id"] == "true"
    # The recorded clients name the type of the body that they do not send with create, too.
    expected = None if status == 204 else "application/json"
    assert request.headers["Content-Type"] == expected
    if not body and request.method == "POST":
        assert request.headers["Content-Length"] == "0"


def test_the_headers_of_a_signed_request(
    scripted_client: EitherClient, created: ScriptedService
) -> None:
    scripted_client.create_user()

    headers = created.requests[0].headers
    assert headers["Host"] == created.endpoint.removeprefix("http://")
    assert headers["x-ms-date"].endswith(" GMT")
    assert parsedate_to_datetime(headers["x-ms-date"])
    assert headers["x-ms-content-sha256"] == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    assert re.fullmatch(
        "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=[A-Za-z0-9+/]{43}=",
        headers["Authorization"],
    )
    agent = rf"azsdk-python-communication-identity/{re.escape(VERSION)} Python/3\.\d+\.\d+ \(.+\)"
    assert re.fullmatch(agent, headers["User-Agent"])
    assert re.fullmatch(r"[0-9a-f-]{36}", headers["x-ms-client-request-id"])


def test_a_call_may_set_headers_query_and_request_id(
    scripted_client: EitherClient, created: ScriptedService
) -> None:
    scripted_client.create_user(
        headers={"x-mine": "yes", "Accept": "application/json; odata=none"},
        params={"a b": "c/d&e"},
        request_id="my-id",
        user_agent="my-app/1.0",
    )
    (request,) = created.requests
    assert request.headers["x-mine"] == "yes"
    assert request.headers.get_all("Accept") == ["application/json; odata=none"]
    assert request.headers["x-ms-client-request-id"] == "my-id"
    assert request.headers["User-Agent"].startswith("my-app/1.0 azsdk-python-")
    assert request.target == "/identities?a%20b=c/d%26e&api-version=2025-06-30"


def test_a_client_may_set_headers_user_agent_and_policies(
    make_client: ClientFactory, created: ScriptedService
) -> None:
    client = make_client(
        created.endpoint,
        headers={"x-mine": "yes"},
        user_agent="my-app/1.0",
        sdk_moniker="chat/1.0",
        per_call_policies=[Stamp("x-per-call")],
        per_retry_policies=Stamp("x-per-retry"),
    )
    client.create_user()
    headers = created.requests[0].headers
    assert headers["x-mine"] == headers["x-per-call"] == headers["x-per-retry"] == "yes"
    assert headers["User-Agent"].startswith("my-app/1.0 azsdk-python-chat/1.0 Python/")


class Stamp(SansIOHTTPPolicy[Any, Any]):
    """Sets a header, and takes its own option."""

    def __init__(self, header: str) -> None:
        super().__init__()
        self._header = header

    def on_request(self, request: Any) -> None:
        request.http_request.headers[self._header] = request.context.options.pop("stamp", "yes")


def test_a_policy_may_have_options_of_its_own(
    make_client: ClientFactory, created: ScriptedService
) -> None:
    client = make_client(created.endpoint, per_retry_policies=[Stamp("x-stamp")])
    client.create_user(stamp="blue")
    assert created.requests[0].headers["x-stamp"] == "blue"


def test_hooks_see_the_request_and_the_response(
    make_client: ClientFactory, created: ScriptedService
) -> None:
    seen: list[Any] = []
    client = make_client(
        created.endpoint,
        raw_request_hook=lambda request: seen.append(request.http_request.method),
        raw_response_hook=lambda response: seen.append(response.http_response.status_code),
    )
    client.create_user()
    assert seen == ["POST", 201]
    client.create_user(
        raw_response_hook=lambda response: seen.append(response.http_response.json())
    )
    assert seen[-1] == EVERYTHING


def test_policies_may_be_replaced_one_by_one_or_all_together(
    make_client: ClientFactory, created: ScriptedService
) -> None:
    one = make_client(created.endpoint, user_agent_policy=Stamp("User-Agent"))
    one.create_user()
    assert created.requests[0].headers["User-Agent"] == "yes"

    bare = make_client(created.endpoint, policies=[Stamp("x-all")])
    bare.create_user()
    assert created.requests[1].headers["x-all"] == "yes"
    assert "Authorization" not in created.requests[1].headers


def test_the_rest_client_sends_what_it_is_given(
    scripted_client: EitherClient, created: ScriptedService
) -> None:
    rest = EitherClient(scripted_client.wrapped._client, scripted_client._loop)
    response = rest.send_request(HttpRequest("GET", "/anything?x=1"))
    assert response.status_code == 201
    assert created.requests[0].target == "/anything?x=1"
    assert "Authorization" in created.requests[0].headers


class CountAttempts(SansIOHTTPPolicy[Any, Any]):
    """Changes the request of each attempt, which then needs a new signature."""

    def on_request(self, request: Any) -> None:
        attempt = request.context["attempt"] = request.context.get("attempt", 0) + 1
        url = request.http_request.url.partition("&attempt")[0]
        request.http_request.url = f"{url}&attempt={attempt}"


class TestRetries:
    def test_an_overloaded_service_is_asked_again_with_a_new_signature(
        self, make_client: ClientFactory, service: ScriptedService
    ) -> None:
        service.will_answer(503, b"<html>").will_answer(429, retry_after="0")
        service.will_answer(201, EVERYTHING)
        client = make_client(
            service.endpoint, retry_backoff_factor=0, per_retry_policies=[CountAttempts()]
        )
        assert client.create_user().raw_id == "8:acs:x"
        assert [request.target[-10:] for request in service.requests] == [
            "&attempt=1",
            "&attempt=2",
            "&attempt=3",
        ]
        assert len({signature(request) for request in service.requests}) == 3
        for request in service.requests:
            assert len(request.headers.get_all("Authorization", [])) == 1

    @pytest.mark.parametrize("options", [{"retry_total": 0}, {"retry_status": 0}])
    @pytest.mark.parametrize("of_the_client", [True, False])
    def test_they_can_be_turned_off(
        self,
        make_client: ClientFactory,
        service: ScriptedService,
        options: dict[str, Any],
        of_the_client: bool,
    ) -> None:
        service.will_answer(503).will_answer(201, EVERYTHING)
        client = make_client(
            service.endpoint, retry_backoff_factor=0, **(options if of_the_client else {})
        )
        with pytest.raises(HttpResponseError) as raised:
            client.create_user(**({} if of_the_client else options))
        assert raised.value.status_code == 503
        assert len(service.requests) == 1

    def test_what_is_refused_is_not_asked_again(
        self, scripted_client: EitherClient, service: ScriptedService
    ) -> None:
        service.will_answer(401, {"error": {"code": "Denied", "message": "Denied."}})
        with pytest.raises(HttpResponseError):
            scripted_client.create_user()
        assert len(service.requests) == 1

    def test_a_policy_of_the_user_takes_the_place_of_ours(
        self, make_client: ClientFactory, flavour: str, service: ScriptedService
    ) -> None:
        retry: type[Any] = policies.RetryPolicy if flavour == "sync" else policies.AsyncRetryPolicy
        service.will_answer(503)
        client = make_client(
            service.endpoint, retry_policy=retry(retry_total=2, retry_backoff_factor=0)
        )
        with pytest.raises(HttpResponseError):
            client.create_user()
        assert len(service.requests) == 3


@pytest.mark.parametrize("is_wanted", [True, False])
def test_the_environment_adds_to_the_user_agent(
    make_client: ClientFactory,
    created: ScriptedService,
    monkeypatch: pytest.MonkeyPatch,
    is_wanted: bool,
) -> None:
    monkeypatch.setenv("AZURE_HTTP_USER_AGENT", "of-environment/1")
    client = make_client(created.endpoint, user_agent_use_env=is_wanted)
    client.create_user()
    (request,) = created.requests
    agent = str(request.headers["User-Agent"])
    assert agent.startswith("azsdk-python-communication-identity/")
    assert agent.endswith(" of-environment/1") is is_wanted


def signature(request: ReceivedRequest) -> str | None:
    return request.headers["Authorization"]


def test_the_key_is_never_sent(scripted_client: EitherClient, created: ScriptedService) -> None:
    scripted_client.create_user_and_token(["chat"])
    (request,) = created.requests
    assert KEY not in str(request)


def test_what_clients_share_is_no_part_of_their_requests(
    make_client: ClientFactory, created: ScriptedService
) -> None:
    with ScriptedService() as other:
        other.will_answer(503)
        patient = make_client(created.endpoint)
        impatient = make_client(other.endpoint, retry_total=0)
        default = make_client(other.endpoint)
        assert patient.create_user().raw_id == "8:acs:x"
        with pytest.raises(HttpResponseError):
            impatient.create_user()
        assert len(other.requests) == 1
        with pytest.raises(HttpResponseError):
            default.create_user(retry_backoff_factor=0)
        assert len(other.requests) == 1 + 4
        assert len(created.requests) == 1


def test_a_user_of_three_parts_is_a_user_by_any_of_its_names(
    scripted_client: EitherClient, service: ScriptedService
) -> None:
    service.will_answer(204)
    scripted_client.revoke_tokens("8:acs:r_t_u")
    scripted_client.revoke_tokens(identifier_from_raw_id("8:acs:r_t_u"))
    first, second = (request.target for request in service.requests)
    assert first == second
