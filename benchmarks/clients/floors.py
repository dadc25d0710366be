"""Senders that do nothing but HTTP: the lower bound of the cost."""

import asyncio
import http.client
import json
import socket
from collections.abc import Callable, Iterator
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

Sender = Callable[[Iterator[str]], None]
"""Posts to one target after the other, and reads the JSON of the answers."""


def sender(endpoint: str, library: str, loop: asyncio.AbstractEventLoop) -> Sender:
    """A sender with a library: ``aiohttp, 64 tasks`` for several at once."""
    name, _, tasks = library.partition(", ")
    if name == "aiohttp":
        return _aiohttp(endpoint, int(tasks.partition(" ")[0] or 1), loop)
    senders = {
        "requests": _requests,
        "urllib3": _urllib3,
        "http.client": _client,
        "socket": _socket,
    }
    post = senders[name](endpoint)

    def send(targets: Iterator[str]) -> None:
        for target in targets:
            json.loads(post(target))

    return send


Post = Callable[[str], bytes]


def _requests(endpoint: str) -> Post:
    import requests

    session = requests.Session()
    session.trust_env = False
    return lambda target: session.post(endpoint + target, data=BODY, headers=HEADERS).content


def _urllib3(endpoint: str) -> Post:
    import urllib3

    pool = urllib3.PoolManager().connection_from_url(endpoint)
    return lambda target: (
        pool.urlopen("POST", target, body=BODY, headers=HEADERS, retries=False).data
    )


def _client(endpoint: str) -> Post:
    connection = http.client.HTTPConnection(urlsplit(endpoint).netloc)

    def post(target: str) -> bytes:
        connection.request("POST", target, BODY, HEADERS)
        return connection.getresponse().read()

    return post


def _socket(endpoint: str) -> Post:
    parts = urlsplit(endpoint)
    connection = socket.create_connection((parts.hostname or "", parts.port or 80))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    fixed = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    head = f" HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: {len(BODY)}\r\n{fixed}\r\n"

    def post(target: str) -> bytes:
        connection.sendall(f"POST {target}{head}".encode() + BODY)
        received = connection.recv(65536)
        return received[received.index(b"\r\n\r\n") :]

    return post


def _aiohttp(endpoint: str, tasks: int, loop: asyncio.AbstractEventLoop) -> Sender:
    import aiohttp

    async def open_session() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())

    session = loop.run_until_complete(open_session())

    async def some(targets: Iterator[str]) -> None:
        for target in targets:
            async with session.post(endpoint + target, data=BODY, headers=HEADERS) as response:
                json.loads(await response.read())

    async def everything(targets: Iterator[str]) -> None:
        await asyncio.gather(*(some(targets) for _ in range(tasks)))

    return lambda targets: loop.run_until_complete(everything(targets))
