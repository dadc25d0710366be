"""Connection strings as people paste them. The key never shows in a message."""

import traceback

import pytest

from azure.communication.identity._shared.utils import parse_connection_str, parse_connection_string

KEY = "c2VjcmV0c2VjcmV0IQ=="
HOST = "resource.communication.azure.com"

WELL_FORMED = {
    "as the portal shows it": f"endpoint=https://{HOST}/;accesskey={KEY}",
    "without the slash": f"endpoint=https://{HOST};accesskey={KEY}",
    "many slashes": f"endpoint=https://{HOST}///;accesskey={KEY}",
    "the other order": f"accesskey={KEY};endpoint=https://{HOST}/",
    "a semicolon at the end": f"endpoint=https://{HOST}/;accesskey={KEY};",
    "many semicolons": f";;endpoint=https://{HOST}/;;accesskey={KEY};;",
    "a space after the semicolon": f"endpoint=https://{HOST}/; accesskey={KEY}",
    "spaces everywhere": f"  endpoint = https://{HOST}/ ; accesskey = {KEY} ; ",
    "a line break at the end": f"endpoint=https://{HOST}/;accesskey={KEY}\n",
    "capitals": f"Endpoint=https://{HOST}/;AccessKey={KEY}",
    "all capitals": f"ENDPOINT=HTTPS://{HOST}/;ACCESSKEY={KEY}",
    "a part that is not known": f"endpoint=https://{HOST}/;region=north;accesskey={KEY}",
    "a part without a value": f"endpoint=https://{HOST}/;note;accesskey={KEY}",
    "a part that is not known, twice": f"a=1;endpoint={HOST};a=2;accesskey={KEY}",
    "no scheme": f"endpoint={HOST};accesskey={KEY}",
    "a line break between the parts": f"endpoint=https://{HOST}/;\r\naccesskey={KEY}\r\n",
    "a file with a byte order mark": f"\ufeffendpoint=https://{HOST}/;accesskey={KEY}\r\n",
    "a space that is not seen": f"\u00a0endpoint=https://{HOST}/;accesskey={KEY}\u200b",
    "double quotes": f'"endpoint=https://{HOST}/;accesskey={KEY}"',
    "single quotes": f"'endpoint=https://{HOST}/;accesskey={KEY}'\n",
    "quotes around the parts": f"endpoint='https://{HOST}/';accesskey=\"{KEY}\"",
    "a byte order mark inside the quotes": f"'\ufeffendpoint=https://{HOST}/;accesskey={KEY}'",
    "two byte order marks": f"\ufeff\n\ufeffendpoint=https://{HOST}/;accesskey={KEY}",
    "a byte order mark read as cp1252": (
        f"\u00ef\u00bb\u00bfendpoint=https://{HOST}/;accesskey={KEY}"
    ),
    "spaces inside the quotes": f"' endpoint=https://{HOST}/;accesskey={KEY} '",
}


@pytest.mark.parametrize("text", WELL_FORMED.values(), ids=WELL_FORMED)
def test_a_connection_string_is_read_as_it_is_pasted(text: str) -> None:
    assert parse_connection_str(text) == (HOST, KEY)
    assert parse_connection_string(text) == (f"https://{HOST}", KEY)


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("HTTP://localhost", "HTTP://localhost"),
        ("https://host:444/", "host:444"),
        ("https://host.example/base/", "host.example/base"),
        ("https://host/?a=b", "host/?a=b"),
    ],
)
def test_the_scheme_is_left_off_only_when_it_is_https(endpoint: str, expected: str) -> None:
    assert parse_connection_str(f"endpoint={endpoint};accesskey={KEY}") == (expected, KEY)


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("HTTP://LocalHost:80/", "http://localhost"),
        ("https://host/base/", "https://host/base"),
        ("host:444", "https://host:444"),
    ],
)
def test_the_endpoint_is_a_url(endpoint: str, url: str) -> None:
    text = f"endpoint={endpoint};accesskey={KEY}"
    assert parse_connection_string(text) == (url, KEY)


def test_an_endpoint_that_is_not_a_url_is_not_shown() -> None:
    with pytest.raises(ValueError, match=r"^endpoint must be the URL of a resource") as caught:
        parse_connection_string(f"endpoint=https://{KEY[:16]}/a b;accesskey={KEY}")
    assert "c2Vj" not in shown(caught.value)


ILL_FORMED = {
    "empty": ("", "has no endpoint and no accesskey"),
    "spaces": ("  ", "has no endpoint and no accesskey"),
    "a key alone": (KEY, "has no endpoint and no accesskey"),
    "no accesskey": (f"endpoint=https://{HOST}/", "has no accesskey"),
    "no endpoint": (f"accesskey={KEY}", "has no endpoint"),
    "an empty accesskey": (f"endpoint=https://{HOST}/;accesskey=", "has no accesskey"),
    "an accesskey of spaces": (f"endpoint=https://{HOST}/;accesskey= ;", "has no accesskey"),
    "an empty endpoint": (f"endpoint=;accesskey={KEY}", "has no endpoint"),
    "a scheme alone": (f"endpoint=https://;accesskey={KEY}", "has no endpoint"),
    "slashes alone": (f"endpoint=//;accesskey={KEY}", "has no endpoint"),
    "a misspelt name": (f"endpoint=https://{HOST}/;acceskey={KEY}", "has no accesskey"),
    "commas": (f"endpoint=https://{HOST}/,accesskey={KEY}", "has no accesskey"),
    "two endpoints": (f"endpoint=a;endpoint=a;accesskey={KEY}", "has endpoint twice"),
    "two endpoints in two cases": (
        f"endpoint=a;accesskey={KEY};ENDPOINT=b",
        "has endpoint twice",
    ),
    "two keys": (f"endpoint=a;accesskey={KEY};accesskey={KEY}", "has accesskey twice"),
    "a second, empty key": (f"endpoint=a;accesskey={KEY};accesskey=", "has accesskey twice"),
    "a key that is cut short": (f"endpoint=a;accesskey={KEY[:-1]}", "access key is not base64"),
    "a key that is not base64": (f"endpoint=a;accesskey={KEY}!", "access key is not base64"),
    "a key with one quote": (f"endpoint=a;accesskey='{KEY}", "access key begins with a quote"),
    "one quote before it": (
        f"'endpoint=a;accesskey={KEY}",
        "string begins with a quote: remove it",
    ),
    "one quote after it": (f"endpoint=a;accesskey={KEY}'", "access key has a quote: remove it"),
    "backticks": (f"`endpoint=a;accesskey={KEY}`", "string begins with a quote: remove it"),
    "a key with a space in it": (f"endpoint=a;accesskey=c2Vj {KEY}", "key has white space in it"),
    "two quotes": (f"''endpoint=a;accesskey={KEY}''", "begins with a quote: remove it"),
    "the name of a variable": (f"ACS=endpoint=a;accesskey={KEY}", "the name of a variable: remove"),
    "a line of a shell": (f"export ACS='endpoint=a;accesskey={KEY}'", "the name of a variable"),
    **{
        f"after {name}": (f"{name}endpoint=a;accesskey={KEY}", "the name of a variable: remove")
        for name in (
            "$env:ACS = '",
            "connection-string=",
            "acs.connection=",
            "ENDPOINT_CS=",
            "ACCESSKEY_CS=",
            "ACS: ",
            "-e ACS=",
        )
    },
    "typographic quotes": (f"\u201cendpoint=a;accesskey={KEY}\u201d", "has typographic quotes"),
    "primes": (f"\u2033endpoint=a;accesskey={KEY}\u2033", "has typographic quotes"),
    "wide quotes": (f"\uff02endpoint=a;accesskey={KEY}\uff02", "has typographic quotes"),
    "typographic quotes around the key": (f"endpoint=a;accesskey=\u2018{KEY}\u2019", "typographic"),
    "two strings in two lines": (
        f"endpoint=a;accesskey={KEY}\nendpoint=b;accesskey={KEY}",
        "has endpoint twice: pass one connection string",
    ),
    "two strings in one line": (
        f"endpoint=a;accesskey={KEY}endpoint=b;accesskey={KEY}",
        "has endpoint twice",
    ),
    "a second string that is cut short": (
        f"endpoint=a;accesskey={KEY} endpoint=b",
        "has endpoint twice",
    ),
    "a SAS URL": (f"https://{HOST}/?sv=2024-01-01&sig=c2Vj", "shared access signature"),
    "a SAS URL in the place of the endpoint": (
        f"endpoint=https://{HOST}/?sv=2024&sig=c2Vj;accesskey={KEY}",
        "shared access signature",
    ),
}


def shown(error: BaseException) -> str:
    """Everything that a traceback shows of an error, except for source lines."""
    return "".join(traceback.format_exception_only(error)) + repr(
        (error, error.__cause__, None if error.__suppress_context__ else error.__context__)
    )


@pytest.mark.parametrize(("text", "message"), ILL_FORMED.values(), ids=ILL_FORMED)
def test_an_ill_formed_connection_string_is_refused_and_its_key_not_shown(
    text: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        parse_connection_str(text)
    assert "c2Vj" not in shown(caught.value)


def test_the_message_says_what_was_expected() -> None:
    with pytest.raises(ValueError, match=r"Expected: endpoint=https://<resource>\.communication"):
        parse_connection_str("endpoint=a")


def test_none_is_a_value_error() -> None:
    with pytest.raises(ValueError, match=r"^The connection string is None\. Expected: endpoint="):
        parse_connection_str(None)


@pytest.mark.parametrize("value", [b"endpoint=a;accesskey=c2Vj", 1, ("a", "b")])
def test_another_type_is_a_type_error(value: object) -> None:
    with pytest.raises(TypeError, match=r"^The connection string must be a str, not ") as caught:
        parse_connection_str(value)  # type: ignore[arg-type]
    assert "c2Vj" not in shown(caught.value)
