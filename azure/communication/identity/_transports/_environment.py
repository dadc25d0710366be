"""The proxies of the environment, read once per client."""

from collections.abc import Mapping
from functools import cached_property
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit
from urllib.request import getproxies, getproxies_environment, proxy_bypass

from ._failures import InvalidSettingError

_SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")


class ProxyMap:
    """Which proxy leads to which host.

    :param proxies: From ``scheme://host``, ``scheme``, ``all://host`` or ``all``, in this order, to
        the URL of a proxy; ``no`` to the hosts that need none. None for the proxies of the
        environment or, without any, those of the operating system.
    """

    def __init__(self, proxies: Mapping[str, str] | None) -> None:
        self._given = proxies
        self._found: dict[str, str | None] = {}

    @classmethod
    def of(cls, proxies: Mapping[str, str] | None, use_environment: bool) -> "ProxyMap":
        """The proxies passed to a transport, else those of the environment, if enabled."""
        return cls({} if proxies is None and not use_environment else proxies)

    @cached_property
    def _proxies(self) -> Mapping[str, str]:
        # Lazily: reading the environment takes half of the time to make a client.
        return getproxies() if self._given is None else self._given

    def proxy_for(self, url: str) -> str | None:
        """The proxy that leads to a URL, or None for a direct connection.

        :param str url: Scheme and host.
        :raises ValueError: If the URL is invalid.
        """
        if not self._proxies:
            return None
        if url not in self._found:
            self._found[url] = self._find(url)
        return self._found[url]

    def _find(self, url: str) -> str | None:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if self._bypasses(host, parts.port):
            return None
        names = (f"{parts.scheme}://{host}", parts.scheme, f"all://{host}", "all")
        proxy = next(filter(None, map(self._proxies.get, names)), None)
        if proxy is None:
            return None
        scheme, has_scheme, rest = proxy.partition("://")
        if not has_scheme:
            return f"http://{proxy}"
        if scheme.lower() not in _SCHEMES:  # not the URL, which may have a password
            raise InvalidSettingError("a proxy has the scheme http, https, socks4 or socks5.")
        return f"{scheme.lower()}://{rest}"

    def _bypasses(self, host: str, port: int | None) -> bool:
        if any(
            _covers(entry.strip().lower(), host, port)
            for entry in self._proxies.get("no", "").split(",")
            if entry.strip()
        ):
            return True
        # Without proxies in the environment, these are those of the operating system.
        is_of_system = self._given is None and not getproxies_environment()
        return is_of_system and bool(proxy_bypass(host))


def _covers(entry: str, host: str, port: int | None) -> bool:
    if entry == "*":
        return True
    try:
        return ip_address(host) in ip_network(entry, strict=False)
    except ValueError:
        pass  # one of them is a name
    name = entry.removeprefix("*").removeprefix(".")
    return any(host == end or host.endswith(f".{end}") for end in (name, _without(name, port)))


def _without(name: str, port: int | None) -> str:
    return name.removesuffix(f":{port}") if port is not None else name
