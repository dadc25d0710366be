"""Senders that do nothing but HTTP: how far down it goes."""

import asyncio
import http.client
import json
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

BODY = b'{"scopes": ["chat", "voip"]}'
HEADERS = {
    "Accept": "application/json",
    "Content-Type": "application/json",
    "User-Agent": "azsdk-python-communication-identity/1.6.0 Python/3.11 (Linux)",
    "x-ms-client-request-id": "11111111-2222-3333-4444-555555555555",
    "x-ms-date": "Tue, 24 Nov 2026 20:15:18 GMT",
    "x-ms-content-sha256": "x" * 44,
    "Authorization": "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature="
    + "x" * 44,
}

Sender = Callable[[str], Any]


def sender(endpoint: str, library: str, loop: asyncio.AbstractEventLoop) -> Sender:
    """What posts to a target and reads the JSON of the answer."""
    if library == "aiohttp":
        return _aiohttp(endpoint, loop)
    senders = {
        "requests": _requests,
        "urllib3": _urllib3,
        "http.client": _client,
        "socket": _socket,
    }
    return senders[library](endpoint)


def _requests(endpoint: str) -> Sender:
    import requests

    session = requests.Session()
    session.trust_env = False
    return lambda target: json.loads(
        session.post(endpoint + target, data=BODY, headers=HEADERS).content
    )


def _urllib3(endpoint: str) -> Sender:
    import urllib3

    pool = urllib3.PoolManager().connection_from_url(endpoint)
    return lambda target: json.loads(
        pool.urlopen("POST", target, body=BODY, headers=HEADERS, retries=False).data
    )


def _client(endpoint: str) -> Sender:
    connection = http.client.HTTPConnection(urlsplit(endpoint).netloc)

    def send(target: str) -> Any:
        connection.request("POST", target, BODY, HEADERS)
        return json.loads(connection.getresponse().read())

    return send


def _socket(endpoint: str) -> Sender:
    parts = urlsplit(endpoint)
    connection = socket.create_connection((parts.hostname or "", parts.port or 80))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    fixed = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    head = f" HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: {len(BODY)}\r\n{fixed}\r\n"

    def send(target: str) -> Any:
        connection.sendall(f"POST {target}{head}".encode() + BODY)
        received = connection.recv(65536)
        return json.loads(received[received.index(b"\r\n\r\n") :])

    return send


def _aiohttp(endpoint: str, loop: asyncio.AbstractEventLoop) -> Sender:
    import aiohttp

    async def open_session() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())

    session = loop.run_until_complete(open_session())

    async def post(target: str) -> Any:
        async with session.post(endpoint + target, data=BODY, headers=HEADERS) as response:
            return json.loads(await response.read())

    return lambda target: loop.run_until_complete(post(target))
