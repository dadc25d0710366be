"""A request and its response over a connection of aiohttp, without what a session does for them.

A session prepares each request for redirects, cookies, middlewares and compression, and writes it
in a task of its own, which takes longer than all the rest. Connections, their pool, TLS, timeouts,
and the parser of responses are aiohttp's here as well.
"""

import asyncio
import re
from collections.abc import Mapping
from ssl import SSLContext
from types import FunctionType
from typing import Any

import aiohttp
import aiohttp.client
from aiohttp.http import HttpProcessingError
from yarl import URL

from ._request import head_of

# Not all that is used of aiohttp is documented, so these are the versions with which it is tested.
# With any other one, requests are sent by the session.
_VERSIONS = ("3.12.", "3.13.", "3.14.")
_IDEMPOTENT = frozenset(["DELETE", "GET", "HEAD", "OPTIONS", "PUT", "TRACE"])
_PEERS = 16
_STALE = 16  # of the connections that are kept, so many are looked at
# Without a user or a name that has to be encoded, which the session knows how to treat.
_PLAIN_ORIGIN = re.compile(r"https?://[!-?A-~]+")
_SESSION = aiohttp.ClientSession


def _aiohttps_own(method: Any) -> Any:
    """The method, if it is aiohttp's. Wrappers pretend to be what they wrap, but for their type."""
    is_own = type(method) is FunctionType and method.__code__.co_filename == aiohttp.client.__file__
    return method if is_own else None


# Mocks, recorders such as vcrpy, and tracers put others in their place, and have to see all
# requests.
_REQUEST = _aiohttps_own(_SESSION.request)
_INNER = _aiohttps_own(_SESSION._request)


def verbatim(url: str) -> URL:
    """A URL that is sent as it is.

    :raises ~aiohttp.InvalidURL: It is none.
    """
    try:
        parsed = URL(url, encoded=True)
        _ = parsed.port  # which is looked at only when it is asked for
        return parsed
    except ValueError as error:
        raise aiohttp.InvalidURL(url) from error


def exchange_over(session: aiohttp.ClientSession) -> "Exchange | None":
    """What sends requests over the connections of a session.

    None if the session has to send them: it is not as aiohttp makes it, or aiohttp is not as known.
    """
    is_plain = type(session) is _SESSION and _aiohttps_own(_SESSION.__init__)
    is_known = _REQUEST and _INNER and aiohttp.__version__.startswith(_VERSIONS)
    return Exchange(session) if is_plain and is_known else None


class Exchange:
    """Sends requests over the connections of a session."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._peers: dict[Any, aiohttp.ClientRequest] = {}

    def peer(
        self, session: aiohttp.ClientSession, origin: str, ssl: SSLContext | bool
    ) -> aiohttp.ClientRequest | None:
        """What the connector finds or opens a connection by: where it leads to, and its TLS.

        None if requests for it have to be sent by the session.

        :raises ~aiohttp.InvalidURL: The origin is none.
        """
        if session is not self._session or session.trace_configs:
            return None
        if getattr(session.request, "__func__", None) is not _REQUEST:
            return None
        if getattr(session._request, "__func__", None) is not _INNER:
            return None
        peer = self._peers.get((origin, ssl))
        if peer is None and _PLAIN_ORIGIN.fullmatch(origin):
            peer = self._new_peer(origin, ssl)
            if len(self._peers) < _PEERS:
                self._peers[origin, ssl] = peer
        return peer

    def _new_peer(self, origin: str, ssl: SSLContext | bool) -> aiohttp.ClientRequest:
        loop = asyncio.get_running_loop()
        return aiohttp.ClientRequest(
            "GET", verbatim(origin), loop=loop, session=self._session, ssl=ssl
        )

    async def send(
        self,
        peer: aiohttp.ClientRequest,
        method: str,
        target: str,
        headers: Mapping[str, str],
        body: bytes | None,
        timeout: aiohttp.ClientTimeout,
    ) -> "Exchanged":
        """Sends a request, and reads the response up to its body.

        :raises ~aiohttp.ClientError: There is no response.
        :raises ValueError: A line break in a header, or a space in the target.
        """
        sent = head_of(method, target, headers, body).encode() + (body or b"")
        # The server may close a kept connection meanwhile. This is what aiohttp sends once more.
        may_repeat = method in _IDEMPOTENT
        while True:
            connection = await self._connect(peer, timeout)
            try:
                connection.protocol.set_response_params(
                    skip_payload=method == "HEAD",
                    read_until_eof=True,
                    auto_decompress=False,
                    read_timeout=timeout.sock_read,
                )
                connection.transport.write(sent)
                connection.protocol.start_timeout()
                message, content = await connection.protocol.read()
                while 100 <= message.code < 200 and message.code != 101:
                    connection.protocol.start_timeout()  # which any response stops
                    message, content = await connection.protocol.read()
                return Exchanged(connection, message, content)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
                connection.close()
                if not may_repeat:
                    raise
                may_repeat = False
            except HttpProcessingError as error:
                connection.close()
                url = peer.url.join(URL(target, encoded=True))
                raise _no_response(error, method, url) from error
            except BaseException:
                connection.close()
                raise

    async def _connect(self, peer: aiohttp.ClientRequest, timeout: aiohttp.ClientTimeout) -> Any:
        connector: Any = self._session.connector
        for _ in range(_STALE):
            try:
                connection = await connector.connect(peer, [], timeout)
            except asyncio.TimeoutError as error:
                raise aiohttp.ConnectionTimeoutError(
                    f"Connection timeout to host {peer.url}"
                ) from error
            if not connection.protocol.should_close:
                return connection
            # What came unasked while it was kept would be taken for the answer.
            connection.close()
        raise aiohttp.ServerDisconnectedError("The server answers before it is asked.")


class Exchanged:
    """A response, whose body may still be on its way."""

    def __init__(self, connection: Any, message: Any, content: aiohttp.StreamReader) -> None:
        self._connection = connection
        self.status: int = message.code
        self.reason: str = message.reason
        self.headers: Mapping[str, str] = message.headers
        self.content = content
        content.on_eof(connection.release)

    def close(self) -> None:
        """Closes the connection, unless the body has been read and it was given back."""
        self._connection.close()


def _no_response(error: HttpProcessingError, method: str, url: URL) -> aiohttp.ClientError:
    no_headers: Any = {}
    return aiohttp.ClientResponseError(
        aiohttp.RequestInfo(url, method, no_headers, url),
        (),
        status=error.code,
        message=error.message,
        headers=error.headers,
    )
