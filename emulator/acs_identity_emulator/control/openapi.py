"""The OpenAPI document of the endpoints below `/.emulator/`, made from their table."""

import re
from collections.abc import Iterable

from .._version import __version__
from .endpoints import PREFIX, Endpoint

_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
        }
    },
}
_PARAMETER = re.compile(r"\{(\w+)\}")


def document(endpoints: Iterable[Endpoint]) -> dict[str, object]:
    """The document, as OpenAPI 3.0.3."""
    paths: dict[str, dict[str, object]] = {}
    for endpoint in endpoints:
        operations = paths.setdefault(f"{PREFIX}{endpoint.path}", {})
        operations[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "acs-identity-emulator",
            "version": __version__,
            "description": "Unknown query parameters, and unknown members of a body, get 400.",
        },
        "paths": paths,
        "components": {
            "schemas": {"Error": _ERROR},
            "securitySchemes": {"controlToken": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(endpoint: Endpoint) -> dict[str, object]:
    operation: dict[str, object] = {
        "operationId": f"{endpoint.method.lower()}-{endpoint.path}",
        "summary": endpoint.summary,
        "responses": _responses(endpoint),
        # A token is needed only where the emulator listens beyond loopback.
        "security": [{}] if endpoint.is_public else [{}, {"controlToken": []}],
    }
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": endpoint.parameter}
        for name in _PARAMETER.findall(endpoint.path)
    ]
    parameters += [
        # `explode` matters to arrays only: commas separate the items.
        {"name": name, "in": "query", "explode": False, "schema": schema}
        for name, schema in endpoint.query.items()
    ]
    if parameters:
        operation["parameters"] = parameters
    if endpoint.request is not None:
        schema: dict[str, object] = {
            "type": "object",
            "properties": endpoint.request,
            "additionalProperties": False,
        }
        if endpoint.required:
            schema["required"] = list(endpoint.required)
        else:
            schema["nullable"] = True
        operation["requestBody"] = {
            "required": bool(endpoint.required),
            "content": {"application/json": {"schema": schema}},
        }
    return operation


def _responses(endpoint: Endpoint) -> dict[str, object]:
    if endpoint.response is None:
        success: tuple[str, dict[str, object]] = ("204", {"description": "Done."})
    else:
        content = {endpoint.media_type: {"schema": endpoint.response}}
        success = ("200", {"description": "The answer.", "content": content})
    error = {
        "description": "The request is rejected.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
    return {success[0]: success[1], "4XX": error}
