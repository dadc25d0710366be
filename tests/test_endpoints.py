"""The accepted forms of an endpoint, and the normalized one."""

import pytest

from azure.communication.identity._shared.urls import endpoint_url

CANONICAL = "https://my-resource.communication.azure.com"


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        (CANONICAL, CANONICAL),
        (f"{CANONICAL}/", CANONICAL),
        (f"  {CANONICAL}//  ", CANONICAL),
        (f"\ufeff{CANONICAL}\r\n", CANONICAL),
        (f'"{CANONICAL}/"\n', CANONICAL),
        ("my-resource.communication.azure.com", CANONICAL),
        ("HTTPS://My-Resource.Communication.Azure.COM:443/", CANONICAL),
        (f"{CANONICAL}:8443", f"{CANONICAL}:8443"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("http://127.0.0.1:443", "http://127.0.0.1:443"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
        ("http://[FE80::1]", "http://[fe80::1]"),
        ("localhost:8080", "https://localhost:8080"),
        ("https://b\u00fccher.example/", "https://xn--bcher-kva.example"),
        ("https://gateway.example/Acs/v1/", "https://gateway.example/Acs/v1"),
        ("gateway.example/Acs", "https://gateway.example/Acs"),
        ("https://gateway/Acs", "https://gateway/Acs"),
        ("my_service:8080/Acs", "https://my_service:8080/Acs"),
        ("my-service/", "https://my-service"),
        (f"https://{'a' * 63}.{'b' * 63}.", f"https://{'a' * 63}.{'b' * 63}."),
        ("[::1]:8080/base", "https://[::1]:8080/base"),
    ],
)
def test_forms_of_an_endpoint(endpoint: str, url: str) -> None:
    assert endpoint_url(endpoint) == url
    assert endpoint_url(url) == url


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "   ",
        "https://",
        "https:///path",
        "://host",
        "ftp://host",
        "https://ho st",
        "https://ho\tst",
        "https://host/\r\nx",
        "https://host:port",
        "https://host:99999",
        "https://host:-1",
        "https://[::1",
        "https://::1",
        "https://host?",
        "https://host/?a=b",
        "https://host#",
        "https://host/a/../b",
        "https://host/./b",
        "https://host/a b",
        "https://host/%2e%2e",
        "https://host%41",
        "https://a..b\u00fc",
        "https://a..b",
        f"https://{'a' * 64}",
        "https://host/a=b",
        "https://host/a+b",
        "https://host/a,b",
        "https://host/;",
        "https://" + "\u00fc" * 80,
    ],
)
def test_what_is_no_endpoint(endpoint: str) -> None:
    with pytest.raises(ValueError, match="must be the URL of a resource"):
        endpoint_url(endpoint)


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://me:secret@host",
        "me:secret@host",
        "//me:secret@h",
        "endpoint=https://host/;accesskey=secret==",
        "accesskey=secret==;endpoint=host",
        "https://host/?sig=secret",
    ],
)
def test_a_secret_is_not_shown(endpoint: str) -> None:
    with pytest.raises(ValueError, match="endpoint must") as raised:
        endpoint_url(endpoint)
    assert "secret" not in str(raised.value)
