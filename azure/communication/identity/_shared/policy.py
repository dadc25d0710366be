"""The pipeline policy that signs requests with an access key."""

from collections.abc import Callable
from email.utils import formatdate
from typing import Any
from urllib.parse import unquote

from azure.core.credentials import AzureKeyCredential
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy

from .signing import (
    SIGNED_HEADERS,
    content_hash,
    decode_access_key,
    signature,
    string_to_sign,
)
from .urls import split_url
from .utils import current_time

_AUTHORIZATION = f"HMAC-SHA256 SignedHeaders={SIGNED_HEADERS}&Signature="


class HMACCredentialsPolicy(SansIOHTTPPolicy[Any, Any]):
    """Signs each request, and each retry of it, with the access key of the resource.

    The policy must run after all policies that change what is signed: method, URL and body.

    :param str host: Ignored: the host of the request is signed. The parameter remains for code
        written for azure-communication-identity 1.5.0.
    :param access_key: The access key, in base64. An ``AzureKeyCredential`` is read for each
        request, so that ``update()`` takes effect with the next one.
    :type access_key: str or ~azure.core.credentials.AzureKeyCredential
    :param bool decode_url: Whether to sign the unquoted path, as some other services require.
    :keyword clock: Returns the time in Unix seconds. Defaults to ``time.time``.
    :raises TypeError: If the key is not a str.
    :raises ValueError: If the key is not base64.
    """

    def __init__(
        self,
        host: str,
        access_key: str | AzureKeyCredential,
        decode_url: bool = False,
        *,
        clock: Callable[[], float] | None = None,
    ) -> None:
        super().__init__()
        self._credential = (
            access_key if isinstance(access_key, AzureKeyCredential) else _FixedKey(access_key)
        )
        self._decode_url = decode_url
        self._clock = clock or current_time
        self._decoded = (self._credential.key, decode_access_key(self._credential.key))
        self._date: tuple[int | None, str] = (None, "")

    def on_request(self, request: PipelineRequest[Any]) -> None:
        """Adds the headers of the signature.

        :param request: The request.
        :type request: ~azure.core.pipeline.PipelineRequest
        :raises TypeError: If the body is a stream, which cannot be signed before it is read.
        :raises ValueError: If the credential was updated with a key that is not base64.
        """
        http_request = request.http_request
        headers = http_request.headers
        _, host, path_and_query = split_url(http_request.url)
        if self._decode_url:
            path_and_query = unquote(path_and_query)
        date = self._current_date()
        hashed = content_hash(_body_of(http_request))
        to_sign = string_to_sign(
            http_request.method, path_and_query, date, headers.get("Host", host), hashed
        )
        headers["x-ms-date"] = date
        headers["x-ms-content-sha256"] = hashed
        headers["x-ms-return-client-request-id"] = "true"
        headers["Authorization"] = _AUTHORIZATION + signature(self._current_key(), to_sign)

    # The decoded key and the date are cached. Each is one tuple that is replaced as a whole, so
    # that threads need no lock.

    def _current_key(self) -> bytes:
        key = self._credential.key
        known, decoded = self._decoded
        if key != known:
            decoded = decode_access_key(key)
            self._decoded = (key, decoded)
        return decoded

    def _current_date(self) -> str:
        second = int(self._clock())
        known, date = self._date
        if second != known:
            date = formatdate(second, usegmt=True)
            self._date = (second, date)
        return date


class _FixedKey:
    def __init__(self, key: str) -> None:
        self.key = key


def _body_of(http_request: Any) -> bytes:
    # content is of azure.core.rest, body of the older azure.core.pipeline.transport.
    body = http_request.content if hasattr(http_request, "content") else http_request.body
    if not body:
        return b""
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, bytes):
        return body
    raise TypeError(
        f"The body of a signed request must be str or bytes, not {type(body).__name__}: a stream "
        "cannot be signed before it is read."
    )
