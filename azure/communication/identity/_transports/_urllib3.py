"""The transport of the sync client."""

import os
import ssl
from collections.abc import Mapping
from functools import lru_cache
from importlib.util import find_spec
from typing import Any
from urllib.parse import unquote

import urllib3
from azure.core.exceptions import AzureError
from azure.core.pipeline.transport import HttpTransport
from azure.core.rest import HttpRequest, HttpResponse
from typing_extensions import Self
from urllib3.util import Retry, Timeout, make_headers, parse_url
from urllib3.util.ssl_ import create_urllib3_context

from .._shared.urls import split_url
from ._environment import ProxyMap
from ._failures import InvalidResponseError, InvalidSettingError
from ._matching import MISMATCH, REQUEST_ID, is_mismatch
from ._outgoing import body_of, headers_of
from ._settings import authorities, connection_configuration, timeouts, verification
from ._tcp import socket_options
from ._tls import configured
from ._urllib3_pools import CURRENT, MAX_IDLE, SyncAttempt, new_pool
from ._urllib3_response import FAILURES, Urllib3Response, azure_error

# The retry policy retries.
_NO_RETRIES = Retry(False)


@lru_cache(maxsize=16)
def _timeout(connect: float | None, read: float | None) -> Timeout:
    return Timeout(connect=connect, read=read)


class _Connections:
    """What belongs to one process, and is not used in its children."""

    def __init__(self) -> None:
        self.pools: dict[Any, Any] = {}
        self.contexts: dict[Any, ssl.SSLContext] = {}
        self.attempts: set[SyncAttempt] = set()


class Urllib3Transport(HttpTransport[HttpRequest, HttpResponse]):
    """Sends requests with urllib3. Threads may share it, and forked processes.

    Options are those of ``azure.core.pipeline.transport.RequestsTransport``, except for sessions.

    :keyword float connection_timeout: Seconds to wait for a connection; 0 or None for no limit.
        Default 10.
    :keyword float read_timeout: Seconds to wait for the headers, and then for each part of the
        body; 0 or None for no limit. Default 60.
    :keyword connection_verify: Whether to verify certificates, or against which CA bundle.
    :paramtype connection_verify: bool or str
    :keyword connection_cert: A client certificate: a file, or a certificate and a key.
    :paramtype connection_cert: str or tuple[str, str]
    :keyword int connection_data_block_size: Bytes per block of a streamed body.
    :keyword proxies: Proxies by the scheme of a URL. They replace those of the environment.
    :paramtype proxies: ~typing.Mapping[str, str]
    :keyword bool use_env_settings: Whether to use proxies and the CA bundle of the environment.
    :raises TypeError: If an option has the wrong type.
    :raises ValueError: If a timeout is negative, or ``connection_verify`` is empty.
    """

    takes_deadline = True

    def __init__(
        self,
        *,
        proxies: Mapping[str, str] | None = None,
        use_env_settings: bool = True,
        **kwargs: Any,
    ) -> None:
        self.connection_config = connection_configuration(kwargs)
        self._authorities = authorities(use_env_settings)
        self._proxies = ProxyMap.of(proxies, use_env_settings)
        self.is_closed = False
        # By process: after a fork, connections and locks of the parent are left alone.
        self._connections: dict[int, _Connections] = {}

    def __getstate__(self) -> dict[str, Any]:
        # Connections belong to their process.
        return {**self.__dict__, "_connections": {}}

    def open(self) -> None:
        """Checks that requests can be sent, which open connections on demand.

        :raises ValueError: If the transport has been closed.
        """
        if self.is_closed:
            raise ValueError(
                "HTTP transport has already been closed: a client cannot be used after close() or "
                "outside of its with block."
            )

    def close(self) -> None:
        """Closes the connections. Requests that other threads have under way fail.

        One that is being connected fails when it is, or when the time to connect is over.
        """
        self.is_closed = True
        connections = self._connections.pop(os.getpid(), None)
        if connections is not None:
            for attempt in list(connections.attempts):
                attempt.abort()
            for pool in list(connections.pools.values()):
                pool.close()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *args: object) -> None:
        self.close()

    def send(
        self, request: HttpRequest, *, deadline: float | None = None, **kwargs: Any
    ) -> HttpResponse:
        """Sends a request.

        :param request: The request.
        :type request: ~azure.core.rest.HttpRequest
        :keyword float deadline: The :func:`time.monotonic` until which the whole response has to
            be there, or None.
        :keyword bool stream: Whether to leave the body of the response unread.
        :keyword proxies: The proxies for this request; empty for a direct connection.
        :rtype: ~azure.core.rest.HttpResponse
        :raises ~azure.core.exceptions.ServiceRequestError: If the request could not be sent.
        :raises ~azure.core.exceptions.ServiceResponseError: If there is no complete response.
        :raises TypeError: If an option has the wrong type, or the body is a form or a file.
        :raises ValueError: If the transport has been closed, or an option or a header is invalid.
        """
        self.open()
        config = self.connection_config
        limits = timeouts(
            kwargs.get("connection_timeout", config.timeout),
            kwargs.get("read_timeout", config.read_timeout),
        )
        is_streamed = bool(kwargs.get("stream"))
        connections = self._connections.get(os.getpid())
        if connections is None:
            connections = self._connections.setdefault(os.getpid(), _Connections())
        attempt = SyncAttempt(connections.attempts, limits, deadline, is_streamed)
        result = self._response_or_error(request, attempt, connections, kwargs)
        if isinstance(result, AzureError):
            # Raised outside of the handler: tracebacks must not show the cause.
            # Reports of errors show the locals of this frame, and proxies have passwords.
            del kwargs
            raise result
        return result

    def _response_or_error(
        self,
        request: HttpRequest,
        attempt: SyncAttempt,
        connections: _Connections,
        options: Mapping[str, Any],
    ) -> HttpResponse | AzureError:
        config = self.connection_config
        origin, host, target = split_url(request.url)
        body = body_of(request)
        headers = headers_of(request, body)
        headers.setdefault("host", host)
        verify = verification(options.get("connection_verify", config.verify), self._authorities)
        cert = options.get("connection_cert", config.cert)
        peer = f"{origin.partition('://')[0]}://{host}"
        attempt.begin()
        before, CURRENT.attempt = CURRENT.attempt, attempt  # one may send another, in a hook
        try:
            pool = self._pool(connections, origin, options.get("proxies"), verify, cert)
            raw = pool.urlopen(
                request.method.upper(),
                request.url if pool.proxy is not None and origin.startswith("http:") else target,
                body=body,
                headers=headers,
                retries=_NO_RETRIES,
                redirect=False,
                assert_same_host=False,
                timeout=_timeout(attempt.within(attempt.timeouts.connect), attempt.timeouts.read),
                preload_content=False,
                enforce_content_length=True,
            )
            attempt.is_sent = True  # by a mock or a recorder, perhaps
            response = Urllib3Response(request, raw, attempt, peer, config.data_block_size)
            if is_mismatch(headers.get(REQUEST_ID), raw.headers.get(REQUEST_ID)):
                response.close()
                raise InvalidResponseError(MISMATCH)
            if not attempt.is_streamed:
                response.read_whole()
            return response
        except FAILURES as error:
            return azure_error(error, attempt, peer)
        finally:
            CURRENT.attempt = before
            attempt.end()

    def _pool(
        self,
        connections: _Connections,
        origin: str,
        proxies: Mapping[str, str] | None,
        verify: bool | str,
        cert: Any,
    ) -> Any:
        proxy_map = self._proxies if proxies is None else ProxyMap(proxies)
        if isinstance(cert, list):
            cert = tuple(cert)
        key = (origin, proxy_map.proxy_for(origin), verify, cert)
        pool = connections.pools.get(key)
        if pool is None:
            # Another thread may have been faster, and its pool may be in use.
            pool = connections.pools.setdefault(key, _new_pool(connections.contexts, *key))
        return pool


def _new_pool(
    contexts: dict[Any, ssl.SSLContext],
    origin: str,
    proxy: str | None,
    verify: bool | str,
    cert: Any,
) -> Any:
    options: dict[str, Any] = {"maxsize": MAX_IDLE, "socket_options": socket_options()}
    is_tls_proxy = proxy is not None and proxy.startswith("https:")
    # urllib3 2.6 verifies the proxy of an http endpoint by this context, later ones by the other.
    if is_tls_proxy or origin.startswith("https:"):
        options["ssl_context"] = _context(contexts, verify, cert)
    if proxy is None:
        return new_pool(origin, urllib3.PoolManager(**options))
    if proxy.startswith("socks"):
        if find_spec("socks") is None:
            raise InvalidSettingError(
                "SOCKS proxies need the package PySocks: pip install PySocks."
            )
        from urllib3.contrib.socks import SOCKSProxyManager

        return new_pool(origin, SOCKSProxyManager(proxy, **options))
    if user := parse_url(proxy).auth:
        options["proxy_headers"] = make_headers(proxy_basic_auth=unquote(user))
    if is_tls_proxy:
        options["proxy_ssl_context"] = _context(contexts, verify, cert)
    return new_pool(origin, urllib3.ProxyManager(proxy, **options))


def _context(contexts: dict[Any, ssl.SSLContext], verify: bool | str, cert: Any) -> ssl.SSLContext:
    # Loading a CA bundle takes 20 ms: done once, not for each pool.
    context = contexts.get((verify, cert))
    if context is None:
        context = contexts[verify, cert] = configured(
            create_urllib3_context, _load_certifi, verify, cert
        )
    return context


def _load_certifi(context: ssl.SSLContext) -> None:
    import certifi

    context.load_verify_locations(cafile=certifi.where())
