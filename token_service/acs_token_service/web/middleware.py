"""Middleware of each request: logs and metrics, errors, headers, CORS."""

import logging
import time
from collections.abc import Collection
from contextlib import nullcontext

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from multidict import CIMultiDict

from ..telemetry import metrics
from ..telemetry.logs import Repeated, describe
from ..telemetry.tracing import request_span
from ..tokens.errors import TokenServiceError
from .errors import failure, response_to, response_to_http

_LOG = logging.getLogger("acs_token_service.requests")
_FAILURES = Repeated(_LOG)

# OWASP's recommendation for an API. The pages of the service set another Content-Security-Policy.
SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Server": "acs-token-service",
    "X-Frame-Options": "DENY",
}
_HSTS = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}
_OWN_POLICY = "Content-Security-Policy"
_METHODS = "GET, POST, DELETE"
_REQUEST_HEADERS = "Authorization, Content-Type, traceparent, tracestate"
# Clients can invent methods, and labels are never dropped.
_KNOWN_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_UNKNOWN = "unknown"


def route_of(request: web.Request) -> str:
    """The route as registered: the requested path may hold anything."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else _UNKNOWN


def recording(*, traced: bool, log_requests: bool) -> Middleware:
    """Turns errors into responses; counts, times, traces and logs requests."""

    @web.middleware
    async def record(request: web.Request, handler: Handler) -> web.StreamResponse:
        started = time.perf_counter()
        route = route_of(request)
        span = request_span(request.method, route, request.headers) if traced else nullcontext()
        with span as current:
            response = await _answer(request, handler)
            if current is not None:
                current.set_attribute("http.response.status_code", response.status)
        seconds = time.perf_counter() - started
        method = request.method if request.method in _KNOWN_METHODS else _UNKNOWN
        metrics.request_series(route, method, response.status).observe(seconds)
        if log_requests:
            _LOG.info(
                "request",
                extra={
                    "method": request.method,
                    "route": route,
                    "status": response.status,
                    "milliseconds": round(seconds * 1000, 1),
                },
            )
        return response

    return record


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except TokenServiceError as error:
        response = response_to(error)
        if response.status >= 500:
            _FAILURES.note(f"{route_of(request)}: {error}")
        return response
    except web.HTTPException as error:
        return response_to_http(error)
    except Exception as error:  # noqa: BLE001 - an internal error is a 500, logged without values
        _LOG.error("A request failed", extra={"error": describe(error)})
        return failure(500, "InternalError", "the service made a mistake")


def securing(origins: Collection[str], *, hsts: bool) -> Middleware:
    """Adds the security and CORS headers.

    :param origins: The origins whose pages may call the service.
    :param hsts: Whether to tell browsers to use https only.
    """
    constant = CIMultiDict({**SECURITY_HEADERS, **(_HSTS if hsts else {})})

    @web.middleware
    async def secure(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        is_preflight = (
            request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        )
        response = web.Response(status=204) if is_preflight else await handler(request)
        headers = response.headers
        if _OWN_POLICY in headers:
            for name, value in constant.items():
                headers.setdefault(name, value)
        else:
            headers.extend(constant)
        if origins:
            headers["Vary"] = "Origin"
        if origin is not None and origin in origins:
            headers["Access-Control-Allow-Origin"] = origin
            headers["Access-Control-Expose-Headers"] = "Retry-After"
            headers["Cross-Origin-Resource-Policy"] = "cross-origin"
            if is_preflight:
                headers["Access-Control-Allow-Methods"] = _METHODS
                headers["Access-Control-Allow-Headers"] = _REQUEST_HEADERS
                headers["Access-Control-Max-Age"] = "7200"
        return response

    return secure
