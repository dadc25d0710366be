"""Every recorded call of the real service, sent to the emulator: the answers must be alike.

Ids and tokens are blanked out in the recordings, so each call is set up to get what it got: an
identity for its id, an Entra token that is valid or not, the fields that were blank when sent.
"""

import json
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from acs_identity_emulator import IdentityEmulator

Send = Callable[..., SimpleNamespace]

RECORDINGS = (
    Path(__file__).resolve().parents[3] / "shared" / "facts" / "recorded_interactions.jsonl"
)
# Without the recordings pytest collects nothing here: a skip would ask for what nobody can get.
__test__ = RECORDINGS.exists()
APP, USER = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))
BLANKED = ("sanitized", "redacted", "8:acs:00000000-0000-0000-0000-000000000001_")

GUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
FORMS = {
    "id": re.compile(f"8:acs:{GUID}_{GUID}"),
    "token": re.compile(r"[\w-]+\.[\w-]+\.[\w-]+"),
    "expiresOn": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,6}[1-9])?\+00:00"),
    "lastTokenIssuedAt": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00"),
}

CANNOT_BE_SET_UP = {
    "net 2021-03-31-preview1 teams": "a preview that is gone; all that is known of it is a 401",
    "net None revoke(old)": "revocation as of 2020-07-20-preview1, by another method",
}
REST_OF_MESSAGE = " Value must be within the [60, 1440] interval."
SHORTER_MESSAGE_REASON = "an earlier deployment ended the message after 'is invalid.'"
# Set by the front door, not by the service: only some responses have them.
HEADERS_OF_THE_FRONT_DOOR = ("accept-ranges", "connection", "retry-after", "x-cache")
HEADERS_OF_THE_CALL = ("x-processing-time", "strict-transport-security", "api-supported-versions")


class Recording(NamedTuple):
    name: str
    client: str
    version: str | None
    method: str
    path: str
    sent: Any
    status: int
    headers: dict[str, str]
    body: Any


def recordings() -> list[Recording]:
    if not RECORDINGS.exists():
        return []
    found = []
    for number, line in enumerate(RECORDINGS.read_text().splitlines()):
        call = json.loads(line)
        request, response = call["request"], call["response"]
        operation = call["operation"].split()[0]
        name = f"{number:03d} {call['client']} {call['api_version']} {operation}"
        found.append(
            Recording(
                name,
                call["client"],
                call["api_version"],
                request["method"],
                request["path"].partition("?")[0],
                None if request["body"] == "" else request["body"],
                response["status"],
                response["headers"],
                None if response["body"] == "" else response["body"],
            )
        )
    return found


ALL = recordings()
REPLAYED = [recording for recording in ALL if recording.name[4:] not in CANNOT_BE_SET_UP]


def test_recordings_are_there(report: list[str]) -> None:
    assert ALL
    alike = [recording for recording in REPLAYED if not has_shorter_message(recording)]
    report.append(
        f"recordings: {len(ALL)}, of which {len(REPLAYED)} are replayed, {len(alike)} of them alike"
    )
    for recording in ALL:
        reason = CANNOT_BE_SET_UP.get(recording.name[4:])
        if reason is not None:
            report.append(f"  {recording.name}: not replayed, {reason}")
        elif has_shorter_message(recording):
            report.append(f"  {recording.name}: but for the message, {SHORTER_MESSAGE_REASON}")
    assert len(REPLAYED) == len(ALL) - len(CANNOT_BE_SET_UP)


@pytest.mark.parametrize("recording", REPLAYED, ids=lambda recording: recording.name)
def test_replay(emulator: IdentityEmulator, send: Send, recording: Recording) -> None:
    emulator.reset()
    path = recording.path
    if path.startswith("/identities/"):
        action = path.split("/")[3:]
        path = "/".join(["/identities", identity_for(send, recording), *action])
    elif knew_the_identity(recording):
        body = {**recording.sent, "createTokenWithScopes": ["chat"]}
        send("POST", "/identities", body, version=recording.version)
    sent = body_for(emulator, recording)
    reply = send(recording.method, path, b"" if sent is None else sent, version=recording.version)

    assert reply.status == recording.status
    expected = recording.body
    if has_shorter_message(recording):
        error = recording.body["error"]
        expected = {"error": {**error, "message": error["message"] + REST_OF_MESSAGE}}
    compare(reply.json if reply.body else None, expected)
    compare_headers(reply, recording)


def has_shorter_message(recording: Recording) -> bool:
    error = (recording.body or {}).get("error", {})
    return str(error.get("message")).endswith("is invalid.")


def identity_for(send: Send, recording: Recording) -> str:
    body: dict[str, Any] = {}
    if recording.body and "customId" in recording.body:
        body = {"customId": recording.body["customId"], "createTokenWithScopes": ["chat"]}
    created = send("POST", "/identities", body, version=recording.version)
    identity: str = created.json["identity"]["id"]
    return identity


def knew_the_identity(recording: Recording) -> bool:
    """Whether a token had been issued before for the identity that was to be created."""
    created = (recording.body or {}).get("identity", {})
    return "lastTokenIssuedAt" in created and "createTokenWithScopes" not in recording.sent


def body_for(emulator: IdentityEmulator, recording: Recording) -> Any:
    if recording.path.startswith("/teamsUser"):
        return teams_body(emulator, recording)
    if recording.client == "java" and recording.sent is None:  # its recordings leave bodies out
        if recording.path.endswith("/:issueAccessToken"):
            return {"scopes": ["chat"]}
        if recording.body and "accessToken" in recording.body:
            return {"createTokenWithScopes": ["chat"]}
    return recording.sent


def teams_body(emulator: IdentityEmulator, recording: Recording) -> dict[str, str]:
    """The fields that were sent, with values that get the answer that was given."""
    error = (recording.body or {}).get("error", {})
    message = error.get("message", "")
    values = {
        "token": emulator.issue_entra_token(user_object_id=USER, client_id=APP),
        "appId": APP,
        "userId": USER,
    }
    if error.get("code") == "InvalidAccessToken":
        values["token"] = "x"
    at_fault = error.get("target", "")
    field = at_fault[:1].lower() + at_fault[1:]
    if "is required" in message:
        values[field] = ""
    elif "invalid format" in message:
        values[field] = "x"
    elif field:  # of another application, of another user
        values[field] = str(uuid.UUID(int=3))
    return {
        name: values[name] if is_blanked(value) else value for name, value in recording.sent.items()
    }


def is_blanked(value: object) -> bool:
    return isinstance(value, str) and value.lower().startswith(BLANKED)


def compare(actual: Any, expected: Any, name: str = "") -> None:
    """Same keys in the same order, same values; what was blanked has the right form."""
    if isinstance(expected, dict):
        assert list(actual) == list(expected)
        for key, value in expected.items():
            compare(actual[key], value, key)
    elif name in FORMS:
        assert FORMS[name].fullmatch(actual), (name, actual)
        assert is_blanked(expected) or FORMS[name].fullmatch(expected), (name, expected)
    else:
        assert actual == expected


def compare_headers(reply: SimpleNamespace, recording: Recording) -> None:
    for name, value in recording.headers.items():
        if name not in HEADERS_OF_THE_FRONT_DOOR:
            if name == "transfer-encoding" and recording.status < 300:
                continue  # an early front door passed everything on in chunks
            assert name in reply.headers, name
            if name not in HEADERS_OF_THE_CALL:
                assert reply.headers[name] == value
    for name in ("api-supported-versions", "content-type", "retry-after"):
        assert name in recording.headers or name not in reply.headers, name
    if "api-supported-versions" in recording.headers:
        assert recording.version in reply.headers["api-supported-versions"].split(", ")
