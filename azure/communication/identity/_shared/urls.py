"""The endpoint of a resource, and the parts of a URL that are requested and signed."""

import re
from functools import lru_cache
from urllib.parse import urlsplit

from .pasted import MISTAKES_FOR_AN_ENDPOINT, mistake, unwrapped

_EXPECTED = (
    "endpoint must be the URL of a resource, such as 'https://my-resource.communication.azure.com'"
)
_LABEL = "[a-z0-9_-]{1,63}"
_HOST = re.compile(rf"\[[0-9a-f:.]+\]|{_LABEL}(\.{_LABEL})*\.?")
# Without the characters that only a connection string or a key has: ; = , +
_PATH = re.compile(r"(/[A-Za-z0-9._~!$&'()*:@-]*)*")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_URL = re.compile("([^:/?#]*)(?:://)?([^/?#]*)([^#]*)")


def endpoint_url(endpoint: str) -> str:
    """Normalizes an endpoint.

    :param str endpoint: The endpoint of a resource. https is assumed if it has no scheme. White
        space, a byte order mark and one pair of quotes may stand around it.
    :return: Scheme and host in lower case, without a default port and a trailing slash.
    :raises TypeError: If the endpoint is not a str.
    :raises ValueError: If the endpoint is not the URL of a resource.
    """
    if not isinstance(endpoint, str):
        raise TypeError(f"{_EXPECTED}, not {type(endpoint).__name__}.")
    text = unwrapped(endpoint)
    problem = mistake(text, MISTAKES_FOR_AN_ENDPOINT)
    try:
        url = None if problem else _normalized(text if "://" in text else f"https://{text}")
    except ValueError:
        url = None
    if url is None:
        # The endpoint is not shown: it may be a connection string, or hold another secret.
        hint = f" The endpoint {problem}." if problem else ""
        raise ValueError(f"{_EXPECTED}, without a user name and without a query.{hint}")
    return url


@lru_cache(maxsize=64)  # A program has few endpoints, but may make many clients.
def _normalized(url: str) -> str | None:
    """None, or a ValueError of urlsplit, if it is not the URL of a resource."""
    # urlsplit ignores line breaks and tabs, and the mark of an empty query.
    if not url.isprintable() or "?" in url or "#" in url:
        return None
    parts = urlsplit(url)
    port = parts.port
    host = parts.netloc.removesuffix(f":{port}").lower()
    path = parts.path.rstrip("/")
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    if parts.scheme not in _DEFAULT_PORTS or not _HOST.fullmatch(host):
        return None
    if not _PATH.fullmatch(path) or not {".", ".."}.isdisjoint(path.split("/")):
        return None
    if port is not None and port != _DEFAULT_PORTS[parts.scheme]:
        host = f"{host}:{port}"
    return f"{parts.scheme}://{host}{path}"


@lru_cache(maxsize=64)
def host_header(scheme: str, authority: str) -> str:
    """The value of the header ``Host`` that HTTP clients send for a URL.

    :param str scheme: The scheme of the URL.
    :param str authority: The part between the scheme and the path: the host, and perhaps a port.
    :rtype: str
    """
    default_port = _DEFAULT_PORTS.get(scheme.lower())
    return authority.rpartition("@")[2].lower().removesuffix(f":{default_port}")


@lru_cache(maxsize=256)
def split_url(url: str) -> tuple[str, str, str]:
    """Splits a URL without changing anything in it.

    :param str url: The URL.
    :return: Scheme and authority, the value of the header ``Host``, and the request target: path
        and query.
    :rtype: tuple[str, str, str]
    """
    scheme, authority, target = _URL.match(url).groups()  # type: ignore[union-attr] # any matches
    return (
        f"{scheme}://{authority}",
        host_header(scheme, authority),
        target if target.startswith("/") else f"/{target}",
    )
