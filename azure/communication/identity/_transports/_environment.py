"""Proxies and CA bundles of the environment, each read once per client."""

import os
from collections.abc import Mapping
from functools import cached_property
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, getproxies_environment, proxy_bypass

from azure.core.configuration import ConnectionConfiguration

_CA_BUNDLE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def connection_configuration(
    use_environment: bool, options: Mapping[str, Any]
) -> ConnectionConfiguration:
    """How to connect: as the options say, else with the CA bundle that the environment names.

    :param bool use_environment: Whether to look into the environment, as requests does.
    :param options: The options of a transport.
    """
    if use_environment:
        bundle = next(filter(None, map(os.environ.get, _CA_BUNDLE_VARIABLES)), None)
        if bundle is not None:
            options = {"connection_verify": bundle, **options}
    return ConnectionConfiguration(**options)


class ProxyMap:
    """Which proxy leads to which host.

    :param proxies: From ``scheme://host``, ``scheme``, ``all://host`` or ``all``, in this order, to
        the URL of a proxy; ``no`` to the hosts that need none. None for the proxies of the
        environment or, without any, those of the operating system.
    """

    def __init__(self, proxies: Mapping[str, str] | None) -> None:
        self._given = proxies

    @classmethod
    def of(cls, proxies: Mapping[str, str] | None, use_environment: bool) -> "ProxyMap":
        """The proxies that a transport was given, else those of the environment, if wanted."""
        return cls({} if proxies is None and not use_environment else proxies)

    @cached_property
    def _proxies(self) -> Mapping[str, str]:
        # Not before they are needed: to look through the environment takes half of the time in
        # which a client is made.
        return getproxies() if self._given is None else self._given

    @cached_property
    def _is_of_system(self) -> bool:
        """Whether the operating system names the proxies, and the hosts that need none."""
        # On most systems there is nothing but the environment.
        is_given = self._given is not None or getproxies is getproxies_environment
        return not is_given and not getproxies_environment()

    def proxy_for(self, url: str) -> str | None:
        """The proxy that leads to a URL, or None for a direct connection.

        :param str url: The URL. What comes after the host does not matter.
        """
        if not self._proxies:
            return None
        parts = urlsplit(url)
        host = parts.hostname or ""
        if self._bypasses(host, parts.port):
            return None
        names = (f"{parts.scheme}://{host}", parts.scheme, f"all://{host}", "all")
        proxy = next(filter(None, map(self._proxies.get, names)), None)
        return proxy if proxy is None or "://" in proxy else f"http://{proxy}"

    def _bypasses(self, host: str, port: int | None) -> bool:
        if any(
            _covers(entry.strip().lower(), host, port)
            for entry in self._proxies.get("no", "").split(",")
            if entry.strip()
        ):
            return True
        return self._is_of_system and bool(proxy_bypass(host))


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
