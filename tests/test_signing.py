"""The pure steps of a signature. The vectors were computed with openssl."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azure.communication.identity._shared.signing import (
    content_hash,
    decode_access_key,
    signature,
    string_to_sign,
)

ACCESS_KEY = "bm90IGEgcmVhbCBhY2Nlc3Mga2V5LCBqdXN0IDMyYnl0ZQ=="
DATE = "Tue, 24 Nov 2026 09:05:00 GMT"

HASHES = {
    b"": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    b"{}": "RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=",
    b'{"scopes": ["chat"]}': "sZHRO4JkAmw3HcI1PyxrC5twHvkHIWjyMLVIkauXKRA=",
    "é€".encode(): "8BZXERRf1DFQCP6x9YnrdfY/s4JBe+B4Khwcq0GLwMQ=",
}


@pytest.mark.parametrize(("body", "expected"), HASHES.items())
def test_content_hash(body: bytes, expected: str) -> None:
    assert content_hash(body) == expected


@pytest.mark.parametrize(
    ("method", "target", "host", "body", "to_sign", "signed"),
    [
        (
            "POST",
            "/identities?api-version=2025-06-30",
            "resource.communication.azure.com",
            b"",
            "POST\n"
            "/identities?api-version=2025-06-30\n"
            "Tue, 24 Nov 2026 09:05:00 GMT;resource.communication.azure.com;"
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "f5jMi72TEqe7wZSR8Lka5wZrTIalGcCoWk9lIL1xvPE=",
        ),
        (
            "post",
            "/identities/8:acs:1_2/:issueAccessToken?api-version=2025-06-30",
            "127.0.0.1:8080",
            b'{"scopes": ["chat"]}',
            "POST\n"
            "/identities/8:acs:1_2/:issueAccessToken?api-version=2025-06-30\n"
            "Tue, 24 Nov 2026 09:05:00 GMT;127.0.0.1:8080;"
            "sZHRO4JkAmw3HcI1PyxrC5twHvkHIWjyMLVIkauXKRA=",
            "+0N3fuGoQkYWENqEjh98NaujcNqilhyz1gT0kjCqpLQ=",
        ),
    ],
)
def test_string_to_sign_and_signature(
    method: str, target: str, host: str, body: bytes, to_sign: str, signed: str
) -> None:
    assert string_to_sign(method, target, DATE, host, content_hash(body)) == to_sign
    assert signature(decode_access_key(ACCESS_KEY), to_sign) == signed


@given(st.binary(min_size=1, max_size=80))
@settings(max_examples=100, deadline=None)
def test_a_key_is_its_base64(key: bytes) -> None:
    assert decode_access_key(base64.b64encode(key).decode()) == key


NAMES = (
    "access-key=",
    "ACS_ACCESSKEY=",
    "acs.key=",
    "ACS = ",
    "ACS: ",
    "$env:ACS=",
    "-e ACS=",
    "export ACS='",
)
NOT_BASE64 = {
    "empty": "",
    "a space": " ",
    "not padded": "c2VjcmV0IQ",
    "too much padding": "c2VjcmV0IQ===",
    "padding after a whole group": "c2VjcmV0c2VjcmV0====",
    "padding alone": "====",
    "padding in the middle": "c2VjcmV0IQ==c2VjcmV0",
    "a single character in the last group": "c2VjcmV0I",
    "base64url": "c2Vj-_V0IQ==",
    "another alphabet": "c2VjcmV0İQ==",
}


@pytest.mark.parametrize("key", NOT_BASE64.values(), ids=NOT_BASE64)
def test_a_key_that_is_not_base64_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ValueError, match=r"^The access key is not base64\. Copy ") as caught:
        decode_access_key(key)
    assert "c2Vj" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "key",
    [
        "c2VjcmV0IQ==\n",
        " c2VjcmV0IQ==\r\n",
        "\ufeffc2VjcmV0IQ==",
        '"c2VjcmV0IQ=="',
        "'c2VjcmV0IQ==' ",
        "'\ufeffc2VjcmV0IQ=='",
        "\ufeff\n\ufeffc2VjcmV0IQ==",
        "\u00ef\u00bb\u00bfc2VjcmV0IQ==",
    ],
)
def test_a_key_may_have_around_it_what_pasting_adds(key: str) -> None:
    assert decode_access_key(key) == b"secret!"


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ("c2Vj cmV0IQ==", "has white space in it"),
        ("c2VjcmV0IQ==\nc2VjcmV0IQ==", "has white space in it: pass one key"),
        ("\u201cc2VjcmV0IQ==\u201d", "has typographic quotes"),
        ("ACS_KEY=c2VjcmV0IQ==", "begins with the name of a variable"),
        ("accesskey=c2VjcmV0IQ==", "is a part of a connection string"),
        ("endpoint=https://host/;accesskey=c2VjcmV0IQ==", "is a part of a connection string"),
        ("ACS=endpoint=https://host/;accesskey=c2VjcmV0IQ==", "begins with the name of a variable"),
        ("https://host/?sv=2024&sig=c2VjcmV0IQ==", "is a URL with a shared access signature"),
        ("https://host/", "is a URL"),
        *((f"{name}c2VjcmV0IQ==", "begins with the name of a variable") for name in NAMES),
        (f"{ACCESS_KEY}{ACCESS_KEY}", "is two keys: pass one"),
        (f"{ACCESS_KEY},{ACCESS_KEY}", "is two keys: pass one"),
        (f"{ACCESS_KEY}\n{ACCESS_KEY}", "is two keys: pass one"),
        ("'c2VjcmV0IQ==", "begins with a quote: remove it"),
        ('c2VjcmV0IQ=="', "has a quote: remove it"),
        ("\"'c2VjcmV0IQ=='\"", "begins with a quote: remove it"),
    ],
)
def test_the_error_names_what_was_pasted_in_the_place_of_a_key(key: str, problem: str) -> None:
    with pytest.raises(ValueError, match=f"^The access key {problem}") as caught:
        decode_access_key(key)
    assert "c2Vj" not in str(caught.value)


@pytest.mark.parametrize("key", [None, b"c2VjcmV0IQ==", 1])
def test_a_key_of_another_type_is_refused_and_not_shown(key: object) -> None:
    with pytest.raises(TypeError, match=r"^The access key must be a str, not ") as caught:
        decode_access_key(key)  # type: ignore[arg-type]
    assert "c2Vj" not in str(caught.value)
