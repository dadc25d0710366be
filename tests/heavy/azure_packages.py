"""Prints what other Azure packages send for our identifiers, as JSON.

A program for an environment with azure-communication-identity, ours or the official one, and with
azure-communication-chat, -callautomation, -rooms and -messages. It calls each operation that takes
identifiers with each kind of them, and with the kinds that the package itself has, for comparison.
The asynchronous clients send what the synchronous ones send.
"""

import asyncio
import inspect
import json
import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib import import_module
from io import BytesIO
from typing import Any, NamedTuple

import requests
import urllib3
from azure.core.credentials import AccessToken, AzureKeyCredential
from azure.core.pipeline.transport import AsyncioRequestsTransport, RequestsTransport
from requests.adapters import HTTPAdapter

ENDPOINT = "https://resource.communication.azure.com"
KEY = AzureKeyCredential("c2VjcmV0LWtleS1vZi10aGUtdGVzdHM=")
Calls = Mapping[str, Callable[[], Any]]
LOOP = asyncio.new_event_loop()

RAW_IDS = [
    "8:acs:resource_user",
    "8:spool:resource_user",
    "8:acs:resource_tenant_user",
    "8:dod-acs:resource_tenant_user",
    "4:+14255550123",
    "4:+14255550123_7",
    "4:anonymous",
    "8:orgid:user",
    "8:gcch:user",
    "8:teamsvisitor:user",
    "28:orgid:app",
    "28:dod:app",
    "48:calllogs",
]
CONSTRUCTED: dict[str, dict[str, Any]] = {
    "CommunicationUserIdentifier": {"id": "8:acs:resource_user"},
    "PhoneNumberIdentifier": {"value": "+14255550123"},
    "MicrosoftTeamsUserIdentifier": {"user_id": "user", "is_anonymous": True},
    "MicrosoftTeamsAppIdentifier": {"app_id": "app"},
    "UnknownIdentifier": {"identifier": "48:calllogs"},
    "TeamsExtensionUserIdentifier": {"user_id": "u", "tenant_id": "t", "resource_id": "r"},
}


class RecordingAdapter(HTTPAdapter):
    """Answers each request as the chat service answers for participants that it rejects."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[Any] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        content: Any = request.body
        body = json.loads(content) if content else None
        self.sent.append([request.method, str(request.url).partition("?")[0], body])
        rejected = [{"code": "400", "message": "rejected", "target": "8:acs:resource_user"}]
        answer = {"chatThread": {"id": "19:thread"}, "invalidParticipants": rejected}
        is_removal = "/:remove" in str(request.url)
        raw = urllib3.HTTPResponse(
            body=BytesIO(b"" if is_removal else json.dumps(answer).encode()),
            headers={"Content-Type": "application/json"},
            status=204 if is_removal else 201,
            preload_content=False,
        )
        return self.build_response(request, raw)


class Token:
    def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        return AccessToken("token", 4102444800)

    def __enter__(self) -> "Token":
        return self

    def __exit__(self, *exception: object) -> None:
        """Closes nothing."""


class AsyncToken:
    async def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        return AccessToken("token", 4102444800)

    async def __aenter__(self) -> "AsyncToken":
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Closes nothing."""


class Flavour(NamedTuple):
    """The clients of a package that are synchronous, or asynchronous."""

    module: str
    token: type[Any]
    transport: type[Any]


SYNC = Flavour("", Token, RequestsTransport)
ASYNC = Flavour(".aio", AsyncToken, AsyncioRequestsTransport)


def chat(flavour: Flavour, new: Callable[[], Any], **options: Any) -> Calls:
    package: Any = import_module("azure.communication.chat")
    clients: Any = import_module(f"azure.communication.chat{flavour.module}")
    client = clients.ChatClient(ENDPOINT, flavour.token(), **options)
    thread = clients.ChatThreadClient(ENDPOINT, flavour.token(), "19:thread", **options)
    return {
        "create thread": lambda: client.create_chat_thread(
            "topic",
            thread_participants=[package.ChatParticipant(identifier=new())],
            idempotency_token="token",
        ),
        "add": lambda: thread.add_participants([package.ChatParticipant(identifier=new())]),
        "remove": lambda: thread.remove_participant(new()),
    }


def callautomation(flavour: Flavour, new: Callable[[], Any], **options: Any) -> Calls:
    package: Any = import_module("azure.communication.callautomation")
    clients: Any = import_module(f"azure.communication.callautomation{flavour.module}")
    client = clients.CallAutomationClient(ENDPOINT, KEY, **options)
    call = clients.CallConnectionClient(ENDPOINT, KEY, "call", **options)
    create = partial(client.create_call, callback_url="https://callback")
    return {
        "create call": lambda: create([new(), new()]),
        "create call from": lambda: create(new(), source_caller_id_number=new()),
        "create call of an app": lambda: create(new(), teams_app_source=new()),
        "create call as": lambda: clients.CallAutomationClient(
            ENDPOINT, KEY, source=new(), **options
        ).create_call(new(), callback_url="https://callback"),
        "redirect": lambda: client.redirect_call("context", new()),
        "record": lambda: client.start_recording(
            server_call_id="call",
            audio_channel_participant_ordering=[new()],
            channel_affinity=[package.ChannelAffinity(new(), 0)],
        ),
        "transfer": lambda: call.transfer_call_to_participant(new(), transferee=new()),
        "add": lambda: call.add_participant(new()),
        "remove": lambda: call.remove_participant(new()),
        "move": lambda: call.move_participants([new()], "other"),
        "get": lambda: call.get_participant(new()),
        "play": lambda: call.play_media(package.FileSource("https://file"), [new()]),
        "recognize": lambda: call.start_recognizing_media(
            "dtmf", new(), dtmf_max_tones_to_collect=1
        ),
        "start dtmf": lambda: call.start_continuous_dtmf_recognition(new()),
        "stop dtmf": lambda: call.stop_continuous_dtmf_recognition(new()),
        "send dtmf": lambda: call.send_dtmf_tones(["one"], new()),
        "mute": lambda: call.mute_participant(new()),
        "hold": lambda: call.hold(new()),
        "unhold": lambda: call.unhold(new()),
    }


def rooms(flavour: Flavour, new: Callable[[], Any], **options: Any) -> Calls:
    package: Any = import_module("azure.communication.rooms")
    clients: Any = import_module(f"azure.communication.rooms{flavour.module}")
    client = clients.RoomsClient(ENDPOINT, KEY, **options)
    return {
        "create": lambda: client.create_room(
            participants=[package.RoomParticipant(communication_identifier=new())]
        ),
        "upsert": lambda: client.add_or_update_participants(
            room_id="room",
            participants=[
                package.RoomParticipant(communication_identifier=new(), role="Presenter")
            ],
        ),
        "remove": lambda: client.remove_participants(room_id="room", participants=[new()]),
    }


def messages(flavour: Flavour, new: Callable[[], Any], **options: Any) -> Calls:
    clients: Any = import_module(f"azure.communication.messages{flavour.module}")
    models: Any = import_module("azure.communication.messages.models")
    client = clients.NotificationMessagesClient(ENDPOINT, KEY, **options)

    def send(to: Any) -> Any:
        channel = "00000000-0000-0000-0000-000000000000"
        content = models.TextNotificationContent(
            channel_registration_id=channel, to=[to], content="text"
        )
        return client.send(content)

    return {"send": lambda: send(new()), "send to the raw id": lambda: send(new().raw_id)}


def makers(module: Any) -> Iterator[tuple[str, Callable[[], Any]]]:
    for raw_id in RAW_IDS:
        yield raw_id, partial(module.identifier_from_raw_id, raw_id)
    for name, arguments in CONSTRUCTED.items():
        if hasattr(module, name):
            yield name, partial(getattr(module, name), **arguments)


def outcomes(
    flavour: Flavour, calls: Callable[..., Calls], new: Callable[[], Any]
) -> dict[str, Any]:
    """What each call sent, and the type of its exception."""
    adapter = RecordingAdapter()
    session = requests.Session()
    session.mount("https://", adapter)
    found: dict[str, Any] = {}
    options = {"transport": flavour.transport(session=session, session_owner=False)}
    for name, call in calls(flavour, new, **options, retry_total=0).items():
        adapter.sent.clear()
        try:
            result = call()
            if inspect.isawaitable(result):
                LOOP.run_until_complete(result)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the outcome
            found[name] = [*adapter.sent, type(error).__name__]
        else:
            found[name] = [*adapter.sent]
    return found


def main() -> None:
    logging.disable()
    ours = import_module("azure.communication.identity")
    found = {
        f"{package.__name__}{flavour.module}": {
            source: {label: outcomes(flavour, package, new) for label, new in makers(module)}
            for source, module in {
                "identity": ours,
                "own": import_module(f"azure.communication.{package.__name__}._shared.models"),
            }.items()
        }
        for package in (chat, callautomation, rooms, messages)
        for flavour in (SYNC, ASYNC)
    }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
