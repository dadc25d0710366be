# Emitted by tools/generate_rest_layer.py from swagger/communication_identity.json. Do not edit.
"""What all operations share on the way out to a request, and back from a response."""

from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from json import dumps, loads
from typing import Any, NoReturn, Protocol, cast
from urllib.parse import quote

from azure.core.exceptions import (
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
    map_error,
)
from azure.core.pipeline import PipelineResponse
from azure.core.rest import HttpRequest
from typing_extensions import TypeVar

JSON = Mapping[str, Any]
ErrorMap = Mapping[int, type[HttpResponseError]]
T = TypeVar("T", default=JSON)
ClsType = Callable[[PipelineResponse[Any, Any], JSON], T]

_ERRORS: ErrorMap = {
    401: ClientAuthenticationError,
    404: ResourceNotFoundError,
    409: ResourceExistsError,
}
# RFC 3986, 3.3 and 3.4: what may stand in a segment of a path, and in the name or the value of a
# query, as it is. HTTP libraries leave these alone; what else they would quote is quoted already,
# so that the URL which is signed is the one that is sent.
_LITERAL_IN_SEGMENT = "!$&'()*+,;=:@"
_LITERAL_IN_QUERY = "!$'()*,:@/?"


class Serializable(Protocol):
    """A model, which makes its own JSON."""

    def serialize(self) -> JSON: ...


class JsonRequest(HttpRequest):
    """A request with JSON for its body, or none.

    What the pipeline asks each request about its older kinds is answered here, and not by the
    search that HttpRequest makes for names that it does not have.
    """

    files: Any = None
    multipart_mixed_info: Any = None

    __setattr__ = object.__setattr__  # type: ignore[assignment]

    @property
    def body(self) -> Any:
        return self.content

    @body.setter
    def body(self, value: Any) -> None:
        self._data = value

    data = body

    def prepare_multipart_body(self, content_index: int = 0) -> int:
        return content_index


def build_request(
    method: str,
    path: str,
    api_version: str,
    headers: Mapping[str, str] | None,
    params: Mapping[str, str] | None,
    json: JSON | Serializable | None = None,
    has_body: bool = False,
) -> HttpRequest:
    """A request whose URL is relative to the endpoint."""
    if params:
        query = _query((*{**params, "api-version": api_version}.items(),))
    else:
        query = _query((("api-version", api_version),))
    all_headers = {"Accept": "application/json"}
    if has_body:
        all_headers["Content-Type"] = "application/json"
    # Behind the others, which they replace whatever the case they are written in.
    all_headers.update(headers or {})
    content = None if json is None else dumps(_plain(json))
    return JsonRequest(method, f"{path}?{query}", headers=all_headers, content=content)


@lru_cache
def _query(parameters: tuple[tuple[str, str], ...]) -> str:
    # Nearly always that of one version.
    return "&".join(
        f"{quote(name, _LITERAL_IN_QUERY)}={quote(value, _LITERAL_IN_QUERY)}"
        for name, value in parameters
    )


def segment(value: str) -> str:
    """A value as a segment of a path.

    :raises ValueError: It cannot be one: it would be taken for another path.
    """
    if value in ("", ".", ".."):
        raise ValueError(f"{value!r} cannot be a segment of a path.")
    return quote(value, _LITERAL_IN_SEGMENT)


def _plain(json: JSON | Serializable) -> JSON:
    return json if isinstance(json, Mapping) else json.serialize()


def check_status(
    response: PipelineResponse[Any, Any], statuses: Collection[int], errors: ErrorMap | None
) -> None:
    """Raises the error that a response is, unless its status is a success."""
    status = response.http_response.status_code
    if status not in statuses:
        map_error(status, response.http_response, {**_ERRORS, **(errors or {})})
        _raise_with_model(response.http_response)


def result(response: PipelineResponse[Any, Any], cls: ClsType[T] | None) -> T:
    """The JSON of a response, or what ``cls`` makes of it."""
    try:
        json: JSON = loads(_content(response.http_response))
    except ValueError:
        raise undecodable(response, "its body is not JSON") from None
    if not isinstance(json, dict):
        raise undecodable(response, "its body is not a JSON object")
    return cls(response, json) if cls else cast(T, json)


def undecodable(response: PipelineResponse[Any, Any], reason: str) -> DecodeError:
    """The error for a response that is a success, but not what was promised."""
    status = response.http_response.status_code
    return _UndecodableError(
        f"The service answered with status {status}, but {reason}.",
        response=response.http_response,
    )


class _UndecodableError(DecodeError):
    def __str__(self) -> str:
        # Without the body, which may hold a token.
        return str(self.message)


def _content(http_response: Any) -> bytes | str:
    content = http_response.content
    if isinstance(content, bytes):
        return content
    # The transport answers with a response of another make.
    text: str = http_response.text()
    return text


def _raise_with_model(http_response: Any) -> NoReturn:
    # Here and not above: only errors are worth the import of msrest.
    from .models import CommunicationErrorResponse

    try:
        model = CommunicationErrorResponse.deserialize(loads(_content(http_response)))
    except Exception:  # noqa: BLE001 - whatever the body is, it is the error that matters
        model = None
    raise HttpResponseError(response=http_response, model=model)
