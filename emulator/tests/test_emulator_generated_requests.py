"""Thousands of generated requests: none gets 5xx, and the emulator keeps working."""

import http.client
import json
import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from email.utils import formatdate
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, urlsplit

import pytest

from acs_identity_emulator import IdentityEmulator

from .conftest import sign

Send = Callable[..., SimpleNamespace]

PREVIEW = "2025-03-02-preview"
GUIDS = [str(uuid.UUID(int=number)) for number in range(1, 6)]
ODD = ["", "x", "\0", "é", "💥", "\udfff", "8:acs:x", "a" * 3000, "null", "'; --", "%s", "../"]
VERSIONS = [PREVIEW] * 6 + ["2025-06-30", "2020-07-20-preview2", "2021-11-01", "x", ""]
METHODS = ["GET", "PUT", "PATCH", "DELETE", "POST"]


@pytest.fixture(scope="module")
def own() -> Iterator[IdentityEmulator]:
    with IdentityEmulator(page_size=2) as emulator:
        yield emulator


def value(source: random.Random, depth: int = 0) -> Any:
    kind = source.randrange(10 if depth < 3 else 7)
    if kind < 2:
        return source.choice(GUIDS)
    if kind < 4:
        return source.choice([*ODD, "user", "group", "tenant", "User", "teamsResourceAccount"])
    if kind == 4:
        return source.choice([0, -1, 2**63, 1e308, True, False])
    if kind < 7:
        return None
    if kind == 7:
        return [value(source, depth + 1) for _ in range(source.randrange(4))]
    names = ["tenantId", "principalType", "clientIds", *GUIDS, *ODD]
    return {source.choice(names): value(source, depth + 1) for _ in range(source.randrange(5))}


def assignment(source: random.Random) -> dict[str, Any]:
    """One that is valid, but for a field or two."""
    made: dict[str, Any] = {
        "tenantId": source.choice(GUIDS),
        "principalType": source.choice(["user", "group", "tenant"]),
        "clientIds": source.choices(GUIDS, k=source.randrange(3)),
    }
    for name in source.sample(list(made), k=source.choice([0, 0, 0, 1, 2])):
        made[name] = value(source)
    return made


def request(source: random.Random) -> tuple[str, str, bytes]:
    """Method, target and body."""
    segment = quote(source.choice([*GUIDS * 4, *ODD]).encode("utf-8", "surrogatepass"), safe="")
    path = source.choice(
        [
            "/access/entra/assignments",
            f"/access/entra/assignments/{segment}",
            f"/access/teamsExtension/tenants/{source.choice(GUIDS)}/assignments/{segment}",
            f"/access/teamsExtension/tenants/{segment}/assignments/{source.choice(GUIDS)}",
            "/access/entra/:exchangeAccessToken",
            f"/identities/{segment}/:issueAccessToken",
            f"/{source.choice(GUIDS)}/oauth2/{segment}",
            f"/access/{segment}",
        ]
    )
    query = f"?api-version={source.choice(VERSIONS)}"
    if source.random() < 0.2:
        query += f"&skipToken={segment}"
    body: Any = source.choice(
        [
            assignment(source),
            {guid: assignment(source) for guid in source.sample(GUIDS, k=2)},
            {source.choice([*GUIDS, *ODD]): source.choice([None, assignment(source)])},
            value(source),
        ]
    )
    octets = json.dumps(body).encode()
    if source.random() < 0.1:
        octets = octets[: source.randrange(len(octets) + 1)]
    return source.choice(METHODS), path + query, octets


@pytest.mark.parametrize("seed", range(4))
def test_generated_requests(own: IdentityEmulator, send: Send, seed: int) -> None:
    source = random.Random(seed)
    host = urlsplit(own.endpoint).netloc
    connection = http.client.HTTPConnection(host, timeout=30)
    statuses: Counter[int] = Counter()
    for _ in range(1000):
        method, target, body = request(source)
        date = formatdate(usegmt=True)
        headers = sign(own.access_key, method, target, body, host, date, "x-ms-date")
        connection.request(method, target, body, headers)
        response = connection.getresponse()
        content = response.read()
        statuses[response.status] += 1
        assert response.status < 500, (method, target, body)
        if response.status >= 400:
            assert json.loads(content)["error"], (method, target, body)
    connection.close()
    assert {200, 201, 204, 400, 401, 404, 405} <= set(statuses)
    assert send("POST", "/identities", to=own).status == 201
