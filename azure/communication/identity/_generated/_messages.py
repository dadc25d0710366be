# Emitted by tools/generate_rest_layer.py from swagger/communication_identity.json. Do not edit.
"""Builds requests and reads responses for all operations."""

from collections.abc import Callable, Collection, Mapping
from functools import cached_property, lru_cache
from json import JSONEncoder, loads
from typing import Any, Protocol, cast
from urllib.parse import SplitResult, quote, unquote, urlsplit

from azure.core.exceptions import (
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.core.rest import HttpRequest
from typing_extensions import TypeVar

JSON = Mapping[str, Any]
ErrorMap = Mapping[int, type[HttpResponseError]]
Response = Any
"""An azure-core response, sync or async, whose body has been read."""
T = TypeVar("T", default=JSON)
ClsType = Callable[[Response, JSON], T]

_ERRORS: ErrorMap = {
    401: ClientAuthenticationError,
    404: ResourceNotFoundError,
    409: ResourceExistsError,
}
# The characters that RFC 3986 (3.3, 3.4) allows in a path segment, and in the name or value of a
# query parameter. HTTP libraries send them unchanged. All others are quoted here, so that the
# signed URL is the URL on the wire.
_LITERAL_IN_SEGMENT = "!$&'()*+,;=:@"
_LITERAL_IN_QUERY = "!$'()*,:@/?"
_MOST_OBJECTS_OF_AN_ERROR = 200
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class Serializable(Protocol):
    """A model, which serializes itself."""

    def serialize(self) -> JSON: ...


def _serialized(model: Serializable) -> JSON:
    return model.serialize()


_to_json = JSONEncoder(default=_serialized).encode


def build_request(
    method: str,
    path: str,
    api_version: str,
    headers: Mapping[str, str] | None,
    params: Mapping[str, str] | None,
    json: JSON | Serializable | None = None,
    content_type: str | None = None,
) -> HttpRequest:
    """Builds a request with a URL relative to the endpoint."""
    if params:
        query = _query((*{**params, "api-version": api_version}.items(),))
    else:
        query = _query((("api-version", api_version),))
    all_headers = {"Accept": "application/json"}
    if content_type:
        all_headers["Content-Type"] = content_type
    content = None if json is None else _to_json(json)
    request = HttpRequest(method, f"{path}?{query}", headers=all_headers, content=content)
    if headers:
        # Case-insensitive, unlike all_headers.
        request.headers.update(headers)
    return request


def build_next_page_request(
    endpoint: str, next_link: str, api_version: str, headers: Mapping[str, str] | None
) -> HttpRequest:
    """Builds the request for another page.

    :raises TypeError: If the link is not a str.
    :raises ValueError: If the link does not lead to the endpoint.
    """
    if not isinstance(next_link, str):
        raise TypeError(
            f"A continuation token must be a str, and not {type(next_link).__name__}: pass what "
            "the continuation_token of by_page() was."
        )
    url = url_at(endpoint, next_link)
    if "api-version=" not in url:
        url += f"{'&' if '?' in url else '?'}{_query((('api-version', api_version),))}"
    request = HttpRequest("GET", url, headers={"Accept": "application/json"})
    request.headers.update(headers or {})
    return request


@lru_cache
def _query(parameters: tuple[tuple[str, str], ...]) -> str:
    # Cached because nearly all requests have the same query.
    return "&".join(
        f"{quote(name, _LITERAL_IN_QUERY)}={quote(value, _LITERAL_IN_QUERY)}"
        for name, value in parameters
    )


def segment(value: str) -> str:
    """Quotes a value for use as a path segment.

    :raises ValueError: If the value would change the path: if it is empty, ``.`` or ``..``.
    """
    if value in ("", ".", ".."):
        raise ValueError(f"{value!r} cannot be a segment of a path.")
    return quote(value, _LITERAL_IN_SEGMENT)


def url_at(endpoint: str, url: str) -> str:
    """Resolves a URL at the endpoint: a relative one is appended to the endpoint.

    :raises ValueError: If the URL has another scheme, host or port, where the credentials must not
        be sent, or a path with ``.`` or ``..``, which HTTP libraries change after signing.
    """
    base, parts = urlsplit(endpoint), urlsplit(url)
    root = endpoint.rstrip("/")
    path = f"/{parts.path.lstrip('/')}"
    if parts.scheme or parts.netloc:
        root = f"{base.scheme}://{base.netloc}"
        if _origin(parts) != _origin(base):
            raise ValueError(
                f"The URL must be relative or begin with {root}/: the credentials must not be sent "
                "to another host."
            )
    if not {".", ".."}.isdisjoint(unquote(path).split("/")):
        raise ValueError("The URL must not have '.' or '..' in its path.")
    query = f"?{quote(parts.query, _LITERAL_IN_QUERY + '&=+;%')}" if parts.query else ""
    return f"{root}{quote(path, _LITERAL_IN_SEGMENT + '/%')}{query}"


def _origin(parts: SplitResult) -> tuple[str, str]:
    netloc = parts.netloc.lower()
    return parts.scheme, netloc.removesuffix(_DEFAULT_PORTS.get(parts.scheme, ""))


def check_status(response: Response, statuses: Collection[int], error_map: ErrorMap | None) -> None:
    """Raises the error for a response unless its status is a success.

    :raises ~azure.core.exceptions.HttpResponseError: If the status is not in ``statuses``.
    """
    status = response.status_code
    if status in statuses:
        return
    error_type = (error_map or {}).get(status) or _ERRORS.get(status)
    error = _error(error_type or HttpResponseError, response)
    if status < 300 and error.error is None:
        error = _error(UnexpectedSuccessError, response)
    if error_type is None and error.error is not None:
        error.model = _LazyModel(_content(error.response))
    raise error


def result(response: Response, cls: ClsType[T] | None) -> T:
    """Returns the JSON of a response, or the result of ``cls``.

    :raises ~azure.core.exceptions.DecodeError: If the body is not a JSON object.
    """
    try:
        json = _json_object(response)
        return cls(response, json) if cls else cast(T, json)
    except DecodeError as error:
        # Reports of errors show the locals of each frame: here and below, the token.
        failed = error.with_traceback(None)
        json = {}
    raise failed


def page(
    response: Response, endpoint: str, items_name: str, link_name: str, cls: ClsType[T] | None
) -> tuple[str | None, list[T]]:
    """Returns the URL of the next page, if any, and the items of a page.

    :raises ~azure.core.exceptions.DecodeError: If the body is not a page, or the link does not lead
        to another page at the endpoint.
    """
    try:
        return _page(response, endpoint, items_name, link_name, cls)
    except DecodeError as error:
        failed = error.with_traceback(None)
    raise failed


def _page(
    response: Response, endpoint: str, items_name: str, link_name: str, cls: ClsType[T] | None
) -> tuple[str | None, list[T]]:
    if response.status_code == 204:
        return None, []
    json = _json_object(response)
    items = json.get(items_name)
    if not isinstance(items, list):
        raise undecodable(response, f"{items_name} in its body is not a list")
    link = json.get(link_name) or None
    if link is not None:
        link = _next_page(response, endpoint, link)
        if link is None:
            raise undecodable(
                response, f"{link_name} in its body does not lead to another page at {endpoint}"
            )
    return link, [cls(response, item) for item in items] if cls else items


def _next_page(response: Response, endpoint: str, link: Any) -> str | None:
    try:
        url = url_at(endpoint, link)
    except (TypeError, ValueError, AttributeError):
        return None
    # A page that links to itself would repeat without end.
    return None if url == response.request.url else url


def undecodable(response: Response, reason: str) -> DecodeError:
    """Returns the error for a success whose body is invalid."""
    message = f"The service answered with status {response.status_code}, but {reason}."
    return _error(InvalidBodyError, response, message)


class InvalidBodyError(DecodeError):
    """A :class:`~azure.core.exceptions.DecodeError` whose text omits the body, which may contain a
    token."""

    def __str__(self) -> str:
        return str(self.message)


class UnexpectedSuccessError(HttpResponseError):
    """A 2xx status that the operation does not have. The text omits the body, which may contain a
    token."""

    def __str__(self) -> str:
        return str(self.message)


E = TypeVar("E", bound=HttpResponseError)


def _error(error_type: type[E], response: Response, message: str | None = None) -> E:
    # Set by a pipeline that redacts errors; not an attribute that a mock makes up.
    if shown := getattr(response, "__dict__", {}).get("shown_in_errors"):
        response = shown(response)
    if _nests_deeply(response):
        # azure-core would format the body as a message of quadratic size.
        message = message or f"Operation returned an invalid status '{response.reason}'"
        error = error_type(message=message)
        error.response = response
        error.status_code, error.reason = response.status_code, response.reason
    else:
        error = error_type(response=response, **({"message": message} if message else {}))
    # azure-core keeps the exception that the caller is handling, which is not the cause of this one
    # and would prevent pickling.
    error.exc_type = error.exc_value = error.exc_traceback = None
    return error


def _nests_deeply(response: Response) -> bool:
    """Whether the body may have more levels than any error of the service."""
    try:
        content = _content(response)
        body = content.encode() if isinstance(content, str) else content
    except (ValueError, LookupError):
        return False
    return body.count(b"{") + body.count(b"[") > _MOST_OBJECTS_OF_AN_ERROR


class _LazyModel:
    """The body of an error as a ``CommunicationErrorResponse``, deserialized on first use.

    The import of msrest blocks an event loop for about 100 ms, and few programs use the model.
    """

    def __init__(self, body: bytes | str) -> None:
        self._body = body

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._model, name)

    @cached_property
    def _model(self) -> Any:
        from .models import CommunicationErrorResponse

        try:
            return CommunicationErrorResponse.deserialize(loads(self._body))
        except ValueError:
            # The members of the error have other types than in the description.
            return CommunicationErrorResponse.deserialize({})


def _json_object(response: Response) -> JSON:
    try:
        json: Any = loads(_content(response))
        reason = "its body is not a JSON object"
    except (ValueError, LookupError, RecursionError):
        # The error is raised below, so that it does not refer to this one.
        json, reason = None, "its body is not JSON"
    if not isinstance(json, dict):
        raise undecodable(response, reason)
    return json


def _content(response: Response) -> bytes | str:
    content = response.content
    if isinstance(content, bytes):
        return content
    # A response of a custom transport.
    text: str = response.text()
    return text
