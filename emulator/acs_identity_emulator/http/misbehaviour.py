"""Plays a fault on the response to one request."""

import asyncio
import http
from collections.abc import Awaitable, Callable

from ..authentication.authenticators import WireRequest
from ..contract import errors
from ..contract.errors import ServiceError
from ..contract.faults import Fault, Kind
from ..state.clock import ServiceClock
from .responses import BrokenOff, Reply, Response, fields_for_origin

Serve = Callable[[], Response | Awaitable[Response]]

_FRONT_DOOR_PAGE = b"""\
<!DOCTYPE html>
<html><head><title>Service unavailable</title></head>
<body><h2>Our services aren't available right now</h2></body></html>
"""


def _error_of_status(fault: Fault) -> ServiceError:
    """The service error of a status fault."""
    status = int(fault.value)
    if status == 429:
        return errors.too_many_requests(fault.retry_after)
    if status == 401:
        error = errors.denied(None)
    else:
        try:
            phrase = http.HTTPStatus(status).phrase
        except ValueError:
            phrase = "Unknown Error"
        error = ServiceError(status, "".join(phrase.title().split()), f"{phrase}.")
    error.retry_after = fault.retry_after
    return error


async def misbehave(fault: Fault, request: WireRequest, serve: Serve, clock: ServiceClock) -> Reply:
    """The response with the fault in it. `serve` performs the request; not every fault calls it.

    :raises ServiceError: If the fault is an error of the service.
    """
    match fault.kind:
        case Kind.HTML:
            fields = f"Content-Type: text/html; charset=utf-8\r\n{fields_for_origin(request)}"
            return Response(503, fields, _FRONT_DOOR_PAGE)
        case Kind.DELAY:
            await asyncio.sleep(fault.value)
            return await _settled(serve())
        case Kind.CLOCK:
            with clock.off_by(60 * fault.value):
                under_way = serve()  # reads the clock; only the signature may come later
            return await _settled(under_way)
        case Kind.RESET:
            return BrokenOff()
        case Kind.RESET_IN_BODY:
            return _broken_in_body(request, await _settled(serve()))
        case Kind.TRUNCATED:
            response = await _settled(serve())
            response.content = response.content[: len(response.content) // 2]
            return response
        case Kind.NO_FIELDS:
            response = await _settled(serve())
            if response.content and response.status < 300:
                response.content = b"{}"
            return response
        case Kind.STATUS:
            raise _error_of_status(fault)


async def _settled(response: Response | Awaitable[Response]) -> Response:
    return response if isinstance(response, Response) else await response


def _broken_in_body(request: WireRequest, response: Response) -> BrokenOff:
    encoded = response.encoded(request.method, is_http_1_1=True, closes=False)
    body_at = encoded.index(b"\r\n\r\n") + 4
    return BrokenOff(encoded[: (body_at + len(encoded)) // 2])
