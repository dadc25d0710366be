"""An endpoint under `/.emulator/`: its handler, and its description for the OpenAPI document."""

from collections.abc import Callable, Collection, Container, Iterable, Mapping
from typing import NamedTuple
from urllib.parse import parse_qs

from ..authentication.authenticators import WireRequest
from ..contract.errors import ServiceError, before_controller
from ..contract.numbers import decimal_in
from ..operations import bodies
from ..operations.calls import Answer

PREFIX = "/.emulator/"

Schema = Mapping[str, object]

TEXT: Schema = {"type": "string"}
FILLED: Schema = {"type": "string", "minLength": 1}
GUID: Schema = {"type": "string", "format": "uuid"}


def nullable(schema: Schema) -> Schema:
    """The schema of a value that may also be null, which is the same as leaving it out."""
    return {**schema, "nullable": True}


class ControlCall(NamedTuple):
    """One request to an endpoint."""

    wire: WireRequest
    path_parameter: str = ""

    def body(self) -> dict[str, object]:
        """The JSON object in the body.

        :raises ServiceError: If the body is not a JSON object.
        """
        return bodies.json_object(self.wire.body)

    def query(self, name: str) -> str | None:
        """A parameter of the query; None if it is missing.

        :raises ServiceError: If it occurs more than once.
        """
        values = self.queries().get(name, [])
        if len(values) > 1:
            raise invalid(f"The query has {name} more than once.")
        return values[0] if values else None

    def queries(self) -> dict[str, list[str]]:
        """All parameters of the query, those without a value too."""
        return parse_qs(self.wire.target.partition("?")[2], keep_blank_values=True)

    def integer(self, name: str, allowed: Container[int], expected: str) -> int | None:
        """A parameter of the query that is a number; None if it is missing.

        :param expected: What the error calls the allowed numbers.
        :raises ServiceError: If it is not one of them, or occurs more than once.
        """
        text = self.query(name)
        if text is None:
            return None
        number = decimal_in(text, allowed)
        if number is None:
            raise invalid(f"{name} must be {expected}, not {text!r}.")
        return number


class Endpoint(NamedTuple):
    """One method of one path.

    :param method: The HTTP method.
    :param path: What follows the prefix; it may contain one parameter in braces.
    :param summary: One sentence.
    :param handler: Answers a request.
    :param parameter: The schema of the parameter of the path.
    :param request: The schema of the body's properties; None if there is no body.
    :param required: The properties that a body must have.
    :param query: The schemas of the parameters of the query.
    :param response: The schema of the answer; None for an empty answer (204).
    :param media_type: The content type of the answer.
    :param is_public: Whether it needs no control token, because nothing secret is behind it.
    """

    method: str
    path: str
    summary: str
    handler: Callable[[ControlCall], Answer]
    parameter: Schema = TEXT
    request: Mapping[str, Schema] | None = None
    required: tuple[str, ...] = ()
    query: Mapping[str, Schema] = {}
    response: Schema | None = None
    media_type: str = "application/json"
    is_public: bool = False

    def check_names(self, call: ControlCall) -> None:
        """:raises ServiceError: If the query or the body has a name that the endpoint lacks."""
        self._check("query parameter", call.queries(), self.query)
        self._check("member of the body", call.body(), self.request or {})

    def _check(self, kind: str, sent: Iterable[str], known: Collection[str]) -> None:
        for name in sent:
            if name not in known:
                takes = ", ".join(known) or "none"
                raise invalid(f"Unknown {kind} {name!r}: {self.method} {self.path} takes {takes}.")


def invalid(message: str) -> ServiceError:
    """The error for a request with invalid values."""
    return before_controller(400, "ValidationError", message)


def number(body: Mapping[str, object], name: str) -> float | None:
    """A number; None if the property is absent or null.

    :raises ServiceError: If the property is not a number.
    """
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid(f"{name} must be a number.")
    try:
        return float(value)
    except OverflowError:
        raise invalid(f"{name} is too large.") from None


def camel(name: str) -> str:
    """The name of an argument or attribute as it is in JSON."""
    first, *others = name.split("_")
    return first + "".join(other.title() for other in others)
