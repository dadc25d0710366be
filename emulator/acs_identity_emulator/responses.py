"""From an answer or an error to an HTTP response with the service's headers."""

import base64
import json
import os
from collections.abc import Mapping
from email.utils import formatdate
from functools import lru_cache

from aiohttp import HttpVersion11, web
from multidict import CIMultiDict

from . import __version__
from .calls import Answer
from .errors import ServiceError

_FIXED = {
    "Server": f"acs-identity-emulator/{__version__}",
    "Request-Context": "appId=",
    "Strict-Transport-Security": "max-age=31536000;includeSubDomains",
    "X-Cache": "CONFIG_NOCACHE",
}

_encode = json.JSONEncoder(separators=(",", ":")).encode


class ResponseWriter:
    """Writes the response to one request."""

    def __init__(self, request: web.BaseRequest, now: float) -> None:
        """:param now: Unix time of the service's clock."""
        self._chunks = request.version >= HttpVersion11
        self._date = _http_date(int(now))
        self._client_request_id = request.headers.get("x-ms-client-request-id")

    def success(self, answer: Answer, versions: str | None, milliseconds: int) -> web.Response:
        headers = self._headers(versions, milliseconds)
        if answer.payload is None:
            return web.Response(status=answer.status, headers=headers)
        headers["Content-Type"] = "application/json; charset=utf-8"
        return web.Response(status=answer.status, headers=headers, body=_json(answer.payload))

    def error(self, error: ServiceError, versions: str | None, milliseconds: int) -> web.Response:
        headers = self._headers(versions if error.reports_versions else None, milliseconds)
        headers["Content-Type"] = "application/json"
        if error.allow is not None:
            headers["Allow"] = error.allow
        if error.retry_after is not None:
            headers["Retry-After"] = str(error.retry_after)
        response = web.Response(status=error.status, headers=headers, body=_json(error.body()))
        if self._chunks:
            response.enable_chunked_encoding()
        return response

    def _headers(self, versions: str | None, milliseconds: int) -> CIMultiDict[str]:
        headers = CIMultiDict(_FIXED)
        if versions is not None:
            headers["api-supported-versions"] = versions
        token = base64.b64encode(os.urandom(48)).decode("ascii")
        headers["MS-CV"] = f"{token[:22]}.0"
        headers["X-Azure-Ref"] = f"{token[22:]}=="
        headers["X-Processing-Time"] = f"{milliseconds}ms"
        headers["Date"] = self._date
        if self._client_request_id is not None and self._client_request_id.isascii():
            headers["x-ms-client-request-id"] = self._client_request_id
        return headers


def _json(value: Mapping[str, object]) -> bytes:
    return _encode(value).encode("ascii")


@lru_cache(maxsize=4)
def _http_date(second: int) -> str:
    return formatdate(second, usegmt=True)
