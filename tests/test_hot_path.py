"""The calls that matter for speed neither import nor run msrest."""

import pytest
from fresh_process import run

CALLS = """
import asyncio, json, sys
from types import SimpleNamespace
from azure.core.exceptions import HttpResponseError
from azure.communication.identity{aio} import CommunicationIdentityClient

token = {{"token": "a", "expiresOn": "2026-11-24T09:05:00+00:00"}}
answers = {{
    "/identities": (201, {{"identity": {{"id": "8:acs:1"}}, "accessToken": token}}),
    "/identities/8:acs:1/:issueAccessToken": (200, token),
    "/identities/8:acs:1/:revokeAccessTokens": (204, None),
    "/identities/8:acs:1": (204, None),
    "/teamsUser/:exchangeAccessToken": (200, token),
    "/identities/8:acs:2": (400, {{"error": {{"code": "ValidationError", "message": "No."}}}}),
}}

class Transport:
    {def_} send(self, request, **options):
        path = request.url.removeprefix("https://host").partition("?")[0]
        status, body = answers[path]
        content = json.dumps(body).encode()
        return SimpleNamespace(
            request=request, status_code=status, headers={{}}, content=content, reason="",
            content_type="application/json", text=content.decode,
        )

    def __enter__(self):
        return self

    def __exit__(self, *args):
        pass

async def awaited(result):
    return await result

def call(method, *arguments):
    result = getattr(client, method)(*arguments)
    return asyncio.run(awaited(result)) if {is_async} else result

client = CommunicationIdentityClient("https://host", "a2V5", transport=Transport())
user = call("create_user")
call("create_user_and_token", ["chat"])
call("get_token", user, ["chat"])
call("revoke_tokens", user)
call("delete_user", user)
call("get_token_for_teams_user", "token", "app", "user")
print("msrest" in sys.modules)
try:
    call("delete_user", "8:acs:2")
except HttpResponseError as error:
    print(error.model.error.code)
print("msrest" in sys.modules)
"""


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_msrest_is_imported_for_errors_alone(is_async: bool) -> None:
    code = CALLS.format(
        aio=".aio" if is_async else "", def_="async def" if is_async else "def", is_async=is_async
    )
    assert run(code).split() == ["False", "ValidationError", "True"]
