"""No method of the clients imports msrest; the model of an error does when it is used."""

import pytest
from fresh_process import run

CALLS = """
import asyncio, json, sys
from types import SimpleNamespace
from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpRequest
from azure.communication.identity{aio} import CommunicationIdentityClient

token = {{"token": "a", "expiresOn": "2099-11-24T09:05:00+00:00"}}
assignment = {{"objectId": "o", "tenantId": "t", "principalType": "user", "clientIds": []}}
answers = {{
    "POST /identities": (201, {{"identity": {{"id": "8:acs:1"}}, "accessToken": token}}),
    "POST /identities/8:acs:1/:issueAccessToken": (200, token),
    "POST /identities/8:acs:1/:revokeAccessTokens": (204, None),
    "GET /identities/8:acs:1": (200, {{"id": "8:acs:1"}}),
    "DELETE /identities/8:acs:1": (204, None),
    "POST /teamsUser/:exchangeAccessToken": (200, token),
    "GET /access/teamsExtension/tenants/t/assignments/o": (200, assignment),
    "PUT /access/teamsExtension/tenants/t/assignments/o": (200, assignment),
    "DELETE /access/teamsExtension/tenants/t/assignments/o": (204, None),
    "GET /access/entra/assignments": (200, {{"value": [assignment]}}),
    "PATCH /access/entra/assignments": (200, {{"value": [assignment]}}),
    "GET /access/entra/assignments/o": (200, assignment),
    "PUT /access/entra/assignments/o": (200, assignment),
    "DELETE /access/entra/assignments/o": (204, None),
    "DELETE /identities/8:acs:2": (
        400, {{"error": {{"code": "ValidationError", "message": "No."}}}}
    ),
}}

class Transport:
    {def_} send(self, request, **options):
        path = request.url.removeprefix("https://host").partition("?")[0]
        status, body = answers[f"{{request.method}} {{path}}"]
        content = json.dumps(body).encode()
        return SimpleNamespace(
            request=request, status_code=status, headers={{}}, content=content, reason="",
            content_type="application/json", text=content.decode,
        )

    {def_} {exit}(self, *args):
        pass

    {def_} close(self):
        pass

loop = asyncio.new_event_loop()

async def awaited(result):
    result = await result if hasattr(result, "__await__") else result
    return [item async for item in result] if hasattr(result, "__aiter__") else result

methods = {{name for name in dir(CommunicationIdentityClient) if name[0] != "_"}}
methods.remove("from_connection_string")

def call(method, *arguments):
    methods.discard(method)
    result = getattr(client, method)(*arguments)
    if {is_async}:
        return loop.run_until_complete(awaited(result))
    return list(result) if hasattr(result, "by_page") else result

client = CommunicationIdentityClient(
    "https://host", "a2V5", transport=Transport(), api_version="2025-03-02-preview"
)
user = call("create_user")
call("create_user_and_token", ["chat"])
call("get_token", user, ["chat"])
call("get_user_detail", user)
call("revoke_tokens", user)
call("delete_user", user)
call("get_token_for_teams_user", "token", "app", "user")
call("get_teams_extension_assignment", "t", "o")
call("upsert_teams_extension_assignment", "t", "o", "user")
call("delete_teams_extension_assignment", "t", "o")
call("list_entra_assignments")
call("update_entra_assignments", {{"o": None}})
call("get_entra_assignment", "o")
call("upsert_entra_assignment", "o", "t", "user", [])
call("delete_entra_assignment", "o")
call("send_request", HttpRequest("GET", "/identities/8:acs:1"))
try:
    call("delete_user", "8:acs:2")
except HttpResponseError as error:
    print(error.error.code, "msrest" in sys.modules)
    print(error.model.error.code, "msrest" in sys.modules)
call("close")
loop.close()
print("left:", *methods)
"""


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_only_the_model_of_an_error_imports_msrest(is_async: bool) -> None:
    code = CALLS.format(
        aio=".aio" if is_async else "",
        def_="async def" if is_async else "def",
        exit="__aexit__" if is_async else "__exit__",
        is_async=is_async,
    )
    assert run(code).splitlines() == [
        "ValidationError False",
        "ValidationError True",
        "left:",
    ]
