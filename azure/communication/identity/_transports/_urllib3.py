"""The transport of the sync client."""

import os
import ssl
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn
from urllib.parse import unquote

import urllib3
from azure.core.exceptions import (
    AzureError,
    DecodeError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline.transport import HttpTransport
from azure.core.rest import HttpRequest, HttpResponse
from typing_extensions import Self
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    InvalidHeader,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)
from urllib3.exceptions import DecodeError as CodingError
from urllib3.util import Retry, Timeout, make_headers, parse_url
from urllib3.util.ssl_ import create_urllib3_context

from .._shared.urls import split_url
from ._environment import ProxyMap, connection_configuration
from ._outgoing import body_of, headers_of
from ._response import ResponseBase

# Kept open for later requests; more are opened when more threads ask at once.
_CONNECTIONS = 64
_READ_SIZE = 10 * 1024
# The retry policy has them.
_NO_RETRIES = Retry(False, redirect=False)


class Urllib3Transport(HttpTransport[HttpRequest, HttpResponse]):
    """Sends requests with urllib3. It may be shared by threads.

    Options are those of ``azure.core.pipeline.transport.RequestsTransport``, except for sessions.

    :keyword float connection_timeout: Seconds to wait for a connection.
    :keyword float read_timeout: Seconds to wait for data.
    :keyword connection_verify: Whether to verify certificates, or against which CA bundle.
    :paramtype connection_verify: bool or str
    :keyword connection_cert: A client certificate: a file, or a certificate and a key.
    :paramtype connection_cert: str or tuple[str, str]
    :keyword int connection_data_block_size: How much of a body to hand out at a time, in bytes.
    :keyword proxies: From the scheme of a URL to the proxy for it, in place of the environment's.
    :paramtype proxies: ~typing.Mapping[str, str]
    :keyword bool use_env_settings: Whether to use proxies and the CA bundle of the environment.
    """

    def __init__(
        self,
        *,
        proxies: Mapping[str, str] | None = None,
        use_env_settings: bool = True,
        **kwargs: Any,
    ) -> None:
        self.connection_config = connection_configuration(use_env_settings, kwargs)
        self._proxies = ProxyMap.of(proxies, use_env_settings)
        self._pools: dict[Any, Any] = {}
        self._contexts: dict[Any, ssl.SSLContext] = {}
        self._timeouts: dict[Any, Timeout] = {}
        self._closed = False

    def open(self) -> None:
        """Connections are opened by requests.

        :raises ValueError: The transport has been closed.
        """
        if self._closed:
            raise ValueError(
                "HTTP transport has already been closed: a client cannot be used after close() or "
                "outside of its with block."
            )

    def close(self) -> None:
        """Closes the connections."""
        self._closed = True
        pools, self._pools = self._pools, {}
        for pool in pools.values():
            pool.close()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *args: object) -> None:
        self.close()

    def send(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        """Sends a request.

        :param request: The request.
        :type request: ~azure.core.rest.HttpRequest
        :keyword bool stream: Whether to leave the body of the response unread.
        :keyword proxies: The proxies for this request.
        :rtype: ~azure.core.rest.HttpResponse
        :raises ~azure.core.exceptions.AzureError: There is no response.
        """
        if self._closed:
            self.open()
        config = self.connection_config
        url = request.url
        origin, host, target = split_url(url)
        body = body_of(request)
        headers = headers_of(request, body)
        headers.setdefault("host", host)
        connect = kwargs.get("connection_timeout", config.timeout)
        # A pair of both, as RequestsTransport takes it.
        timeouts = (
            connect
            if isinstance(connect, tuple)
            else (connect, kwargs.get("read_timeout", config.read_timeout))
        )
        try:
            pool = self._pool(
                origin,
                kwargs.get("proxies"),
                kwargs.get("connection_verify", config.verify),
                kwargs.get("connection_cert", config.cert),
            )
            raw = pool.urlopen(
                request.method.upper(),
                url if pool.proxy is not None and pool.scheme == "http" else target,
                body=body,
                headers=headers,
                retries=_NO_RETRIES,
                redirect=False,
                assert_same_host=False,
                timeout=self._timeout(timeouts),
                preload_content=False,
                enforce_content_length=True,
            )
        except (HTTPError, OSError) as error:
            raise _no_response(error) from error
        response = Urllib3Response(request, raw, raw.status, raw.reason, config.data_block_size)
        if not kwargs.get("stream"):
            response.read_whole()
        return response

    def _timeout(self, seconds: tuple[float, float]) -> Timeout:
        timeout = self._timeouts.get(seconds)
        if timeout is None:
            timeout = Timeout(connect=seconds[0], read=seconds[1])
            # The retry policy shortens timeouts by how long the call has lasted.
            if len(self._timeouts) < 16:
                self._timeouts[seconds] = timeout
        return timeout

    def _pool(self, origin: str, proxies: Mapping[str, str] | None, verify: Any, cert: Any) -> Any:
        if isinstance(cert, list):
            cert = tuple(cert)
        proxy_map = self._proxies if proxies is None else ProxyMap(proxies)
        key = (origin, None if proxies is None else proxy_map.proxy_for(origin), verify, cert)
        pool = self._pools.get(key)
        if pool is None:
            proxy = proxy_map.proxy_for(origin)
            # Another thread may have been faster, and its pool may be in use.
            pool = self._pools.setdefault(key, self._new_pool(origin, proxy, verify, cert))
        return pool

    def _new_pool(self, origin: str, proxy: str | None, verify: Any, cert: Any) -> Any:
        options: dict[str, Any] = {"maxsize": _CONNECTIONS}
        if origin.startswith("https:"):
            options["ssl_context"] = self._context(verify, cert)
        if proxy is None:
            return urllib3.PoolManager(**options).connection_from_url(origin)
        if proxy.startswith("socks"):
            from urllib3.contrib.socks import SOCKSProxyManager

            return SOCKSProxyManager(proxy, **options).connection_from_url(origin)
        user = parse_url(proxy).auth
        if user:
            options["proxy_headers"] = make_headers(proxy_basic_auth=unquote(user))
        if proxy.startswith("https:"):
            options["proxy_ssl_context"] = self._context(verify, cert)
        return urllib3.ProxyManager(proxy, **options).connection_from_url(origin)

    def _context(self, verify: Any, cert: Any) -> ssl.SSLContext:
        # To load a CA bundle takes 20 ms, so it is done once and not for each connection.
        context = self._contexts.get((verify, cert))
        if context is None:
            context = self._contexts[verify, cert] = _new_context(verify, cert)
        return context


def _new_context(verify: Any, cert: Any) -> ssl.SSLContext:
    context = create_urllib3_context()
    if verify in (True, None):
        import certifi

        context.load_verify_locations(cafile=certifi.where())
    elif verify:
        place = "capath" if os.path.isdir(verify) else "cafile"
        context.load_verify_locations(**{place: verify})
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if cert:
        context.load_cert_chain(*((cert,) if isinstance(cert, str) else cert))
    return context


class Urllib3Response(ResponseBase, HttpResponse):
    """A response whose body urllib3 reads."""

    def _header_items(self) -> Iterator[tuple[str, str]]:
        for name, value in self.internal_response.headers.items():
            yield name, value.strip()

    def read_whole(self) -> None:
        """Reads the body of a response that is not streamed."""
        try:
            self._content = self._read()
        except (HTTPError, OSError) as error:
            self.close()
            raise _no_body(error) from error
        self._is_stream_consumed = self._is_closed = True

    def _read(self) -> bytes:
        raw = self.internal_response
        # What vcrpy puts in the place of a response knows no more than stream().
        if getattr(raw, "chunked", True):
            return b"".join(raw.stream(_READ_SIZE, decode_content=True))
        content: bytes = raw.read(decode_content=True)
        return content

    def read(self) -> bytes:
        """Reads the body.

        :rtype: bytes
        """
        if self._content is None:
            self._content = b"".join(self.iter_bytes())
        return self._content

    def iter_bytes(self, **kwargs: Any) -> Iterator[bytes]:
        """The body in blocks, decompressed.

        :rtype: ~typing.Iterator[bytes]
        """
        if self._content is not None:
            return iter(self._blocks_of_content())
        return self._stream(decode=True)

    def iter_raw(self, **kwargs: Any) -> Iterator[bytes]:
        """The body in blocks, as it was sent.

        :rtype: ~typing.Iterator[bytes]
        """
        return self._stream(decode=False)

    def stream_download(
        self, pipeline: Any = None, *, decompress: bool = True, **kwargs: Any
    ) -> Iterator[bytes]:
        """The body in blocks, for code that was written for older responses."""
        return self._stream(decode=decompress)

    def _stream(self, decode: bool) -> Iterator[bytes]:
        self._begin_streaming()
        try:
            yield from self.internal_response.stream(self.block_size, decode_content=decode)
        except (HTTPError, OSError) as error:
            _raise_while_streaming(error, decode)
        finally:
            self.close()

    def close(self) -> None:
        """Gives the connection back, or closes it if it is still in use."""
        if not self._is_closed:
            self._is_closed = True
            self.internal_response.close()
            self.internal_response.release_conn()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()


# The classes below are those of RequestsTransport, also where others would fit better: retry
# policies and callers go by them.


def _no_response(error: Exception) -> AzureError:
    if isinstance(error, NewConnectionError):
        return ServiceRequestError(error, error=error)
    if isinstance(error, ConnectTimeoutError):
        return ServiceRequestTimeoutError(error, error=error)
    if isinstance(error, ReadTimeoutError):
        return ServiceResponseTimeoutError(error, error=error)
    if isinstance(error, ProtocolError | InvalidHeader):
        return ServiceResponseError(error, error=error)
    return ServiceRequestError(error, error=error)


def _no_body(error: Exception) -> AzureError:
    if isinstance(error, ProtocolError):
        return _broken_body(error)
    if isinstance(error, CodingError):
        return ServiceResponseError(error, error=error)
    return ServiceRequestError(error, error=error)


def _broken_body(error: ProtocolError) -> AzureError:
    if "IncompleteRead" in str(error):
        return IncompleteReadError(error, error=error)
    return HttpResponseError(error, error=error)


def _raise_while_streaming(error: Exception, decode: bool) -> NoReturn:
    if isinstance(error, CodingError):
        raise DecodeError(error, error=error) from error
    if isinstance(error, ReadTimeoutError):
        raise ServiceResponseTimeoutError(error, error=error) from error
    if isinstance(error, ProtocolError) and decode:
        raise _broken_body(error) from error
    raise ServiceResponseError(error, error=error) from error
