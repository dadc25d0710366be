"""Removes secrets from exchanges before they are written, and detects remaining ones.

Headers are kept only if they are on a short list, so that unforeseen ones are not. The host, all
tokens and all GUIDs are replaced, and with these every id of a user, resource, application or
tenant. Scrubbing what is scrubbed changes nothing: a request is scrubbed before it is recorded, and
again before it is looked up in a cassette.
"""

import json
import re
from typing import Any

from vcr.request import Request

HOST = "scrubbed.communication.azure.com"
TOKEN = "scrubbed"
_KEPT_HEADERS = {"accept", "api-supported-versions", "content-type"}

_ORIGIN = re.compile(r"https?://[^/?\s]+")
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_SCRUBBED_GUID = re.compile(r"0{8}-0{4}-0{4}-0{4}-0{8}\d{4}")
_LEAKS = {
    "a token": re.compile(r"eyJ[\w-]+"),
    "a header of authentication": re.compile(
        r"authorization|signature|bearer|hmac|x-ms-date|x-ms-content-sha256", re.IGNORECASE
    ),
    "a connection string": re.compile(r"accesskey|endpoint=", re.IGNORECASE),
    "a key, or a long secret of another kind": re.compile(r"[A-Za-z0-9+/_-]{40,}={0,2}"),
    "a host": re.compile(rf"https?://(?!{re.escape(HOST)}[/?])"),
    "an address": re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b|localhost", re.IGNORECASE),
    "an id": _GUID,
}


class Scrubber:
    """Scrubs one cassette: equal ids become equal numbers, in the order in which they appear."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def request(self, request: Request) -> Request:
        return Request(
            request.method,
            self._text(_ORIGIN.sub(f"https://{HOST}", request.uri, count=1)),
            self._body(request.body),
            self._headers(request.headers),
        )

    def response(self, response: dict[str, Any]) -> dict[str, Any]:
        return {
            "status": response["status"],
            "headers": self._headers(response["headers"]),
            "body": {"string": self._body(response["body"].get("string"))},
        }

    def _headers(self, headers: Any) -> dict[str, Any]:
        kept = {name.lower(): value for name, value in headers.items()}
        return {name: kept[name] for name in sorted(kept.keys() & _KEPT_HEADERS)}

    def _body(self, body: bytes | str | None) -> bytes:
        if not body:
            return b""
        text = body if isinstance(body, str) else body.decode()
        try:
            content = json.loads(text)
        except ValueError:
            # An HTML page of the front door, say, which may hold anything.
            return b"scrubbed"
        return json.dumps(self.json(content), separators=(",", ":")).encode()

    def json(self, content: Any) -> Any:
        return json.loads(self._text(json.dumps(_without_tokens(content))))

    def _text(self, text: str) -> str:
        return _GUID.sub(lambda match: self._number(match[0].lower()), text)

    def _number(self, guid: str) -> str:
        if _SCRUBBED_GUID.fullmatch(guid):
            return guid
        number = self._numbers.setdefault(guid, len(self._numbers) + 1)
        return f"00000000-0000-0000-0000-{number:012}"


def _without_tokens(content: Any) -> Any:
    if isinstance(content, dict):
        return {
            key: TOKEN if key == "token" and value else _without_tokens(value)
            for key, value in content.items()
        }
    if isinstance(content, list):
        return [_without_tokens(item) for item in content]
    return content


def leaks(text: str) -> dict[str, str]:
    """Forbidden contents of a cassette: what, and where."""
    text = _SCRUBBED_GUID.sub("", text)
    found = {what: pattern.search(text) for what, pattern in _LEAKS.items()}
    return {what: match[0][:8] for what, match in found.items() if match}
