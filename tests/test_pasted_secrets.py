"""Secrets as people paste them, in both clients: what works, and what is rejected."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from azure.core.credentials import AzureKeyCredential
from either_client import KEY, ClientFactory
from scripted_service import ScriptedService

from acs_identity_emulator import IdentityEmulator
from azure.communication.identity._shared.pasted import unwrapped

PASTED: dict[str, Callable[[str], str]] = {
    "a line break": "{}\n".format,
    "spaces and CRLF": "  {}\r\n".format,
    "a byte order mark": "\ufeff{}".format,
    "double quotes": '"{}"'.format,
    "single quotes": "'{}'".format,
    "a byte order mark, quotes and a line break": "\ufeff'{}'\r\n".format,
}
as_pasted = pytest.mark.parametrize("as_pasted", PASTED.values(), ids=PASTED)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('""', ""),
        ("' a '", "a"),
        ('"', '"'),
        ('"a', '"a'),
        ('a"', 'a"'),
        ("\"a'", "\"a'"),
        ("aba", "aba"),
        ("''a''", "'a'"),
    ],
)
def test_one_pair_of_quotes_is_removed(text: str, expected: str) -> None:
    assert unwrapped(text) == expected


@as_pasted
def test_a_connection_string_works_as_it_is_pasted(
    make_client: ClientFactory, emulator: IdentityEmulator, as_pasted: Callable[[str], str]
) -> None:
    client = make_client.from_connection_string(as_pasted(emulator.connection_string))
    assert client.create_user().raw_id.startswith("8:acs:")


@as_pasted
@pytest.mark.parametrize("credential", [str, AzureKeyCredential])
def test_a_key_and_an_endpoint_work_as_they_are_pasted(
    make_client: ClientFactory,
    emulator: IdentityEmulator,
    as_pasted: Callable[[str], str],
    credential: Callable[[str], Any],
) -> None:
    key = credential(as_pasted(emulator.access_key))
    client = make_client(as_pasted(emulator.endpoint), key)
    assert client.create_user().raw_id.startswith("8:acs:")


@as_pasted
def test_a_rotated_key_works_as_it_is_pasted(
    make_client: ClientFactory, emulator: IdentityEmulator, as_pasted: Callable[[str], str]
) -> None:
    credential = AzureKeyCredential(emulator.access_key)
    client = make_client(emulator.endpoint, credential)
    client.create_user()
    credential.update(as_pasted(emulator.secondary_key))
    assert client.create_user().raw_id.startswith("8:acs:")


WRONG = {
    f"\u201c{KEY}\u201d": "has typographic quotes",
    f"ACS_KEY={KEY}": "begins with the name of a variable",
    f"{KEY}\n{KEY}": "is two keys",
    f"{KEY[:9]} {KEY[9:]}": "has white space in it",
    f"endpoint=https://host/;accesskey={KEY}": "is a part of a connection string",
    f"https://host/?sig={KEY}": "is a URL with a shared access signature",
    f"{KEY}!": "is not base64",
}
wrong = pytest.mark.parametrize(("key", "problem"), WRONG.items())


@wrong
@pytest.mark.parametrize("credential", [str, AzureKeyCredential])
def test_a_wrong_key_is_an_error_at_once(
    make_client: ClientFactory, credential: Callable[[str], Any], key: str, problem: str
) -> None:
    with pytest.raises(ValueError, match=f"^The access key {problem}") as caught:
        make_client("https://host", credential(key))
    assert KEY[:8] not in str(caught.value)


@wrong
def test_a_key_that_is_rotated_to_a_wrong_one_is_an_error_before_anything_is_sent(
    make_client: ClientFactory, service: ScriptedService, key: str, problem: str
) -> None:
    service.will_answer(204)
    credential = AzureKeyCredential(KEY)
    client = make_client(service.endpoint, credential)
    credential.update(key)
    with pytest.raises(ValueError, match=f"^The access key {problem}") as caught:
        client.delete_user("8:acs:1_2")
    assert KEY[:8] not in str(caught.value)
    assert service.requests == []
    credential.update(KEY)
    client.delete_user("8:acs:1_2")
    assert len(service.requests) == 1


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"ACS=endpoint=https://host/;accesskey={KEY}", "begins with the name of a variable"),
        (f"\u201cendpoint=https://host/;accesskey={KEY}\u201d", "has typographic quotes"),
        (
            f"endpoint=https://a/;accesskey={KEY}\nendpoint=https://b/;accesskey={KEY}",
            "has endpoint",
        ),
        (f"https://host/?sv=2024-01-01&sig={KEY}", "is a URL with a shared access signature"),
    ],
)
def test_a_wrong_connection_string_is_an_error_at_once(
    make_client: ClientFactory, text: str, problem: str
) -> None:
    with pytest.raises(ValueError, match=f"^The connection string {problem}") as caught:
        make_client.from_connection_string(text)
    assert KEY[:8] not in str(caught.value)


@pytest.mark.parametrize(
    ("endpoint", "problem"),
    [
        (f"endpoint=https://host/;accesskey={KEY}", "is a part of a connection string"),
        (f"https://host/;accesskey={KEY}", "is a part of a connection string"),
        (f"host.example/;accesskey={KEY}", "is a part of a connection string"),
        ("https://host/;", "without a query"),
        (f"ACS_ENDPOINT=https://host/{KEY}", "begins with the name of a variable"),
        (base64.b64encode(bytes(64)).decode(), "is an access key"),
        ("a" * 5 + "/" + "b" * 78, "is an access key"),
        ("a" * 84, "is an access key"),
        (f"https://{'a' * 84}", "without a query"),
        (f"https://host/{KEY}", "without a query"),
        (KEY.replace("l", "/")[:20], "has a path, but neither a scheme nor a domain"),
        ("https://host.example\u201d", "has typographic quotes"),
        ("https://host.example\uff02", "has typographic quotes"),
        (f"https://host/?sv=2024-01-01&sig={KEY}", "is a URL with a shared access signature"),
        ("\u201chttps://host/\u201d", "has typographic quotes"),
    ],
)
def test_a_wrong_endpoint_is_an_error_at_once(
    make_client: ClientFactory, endpoint: str, problem: str
) -> None:
    with pytest.raises(ValueError, match=f"^endpoint must be the URL .*{problem}") as caught:
        make_client(endpoint)
    assert KEY[:8] not in str(caught.value)


def test_a_host_with_a_path_needs_the_scheme_of_the_connection_string(
    make_client: ClientFactory,
) -> None:
    assert make_client.from_connection_string(f"endpoint=https://host/base;accesskey={KEY}")
    with pytest.raises(ValueError, match="has a path, but neither a scheme nor a domain"):
        make_client.from_connection_string(f"endpoint=host/base;accesskey={KEY}")
