"""Reads the REST API for the templates from its OpenAPI 2.0 description.

Supports exactly the keywords that swagger/communication_identity.json uses. Any other keyword is an
error, to avoid wrong guesses.
"""

import json
import re
from collections.abc import Container, Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

from rest_model import (
    Body,
    Enum,
    EnumMember,
    Model,
    Operation,
    OperationGroup,
    Pageable,
    PathParameter,
    Property,
)

_Node = dict[str, Any]

MODELS = "azure.communication.identity._generated.models"
"""The full name of the package of the models."""

_DEFINITION = "#/definitions/"
_MSREST_TYPES = {"string": "str", "integer": "int", "boolean": "bool"}
_CONSTRAINTS = {
    "minLength": "min_length",
    "maxLength": "max_length",
    "minimum": "minimum",
    "maximum": "maximum",
    "minItems": "min_items",
}
# The keywords that this module does not read have no effect on a client.
_COMMON = {"description", "x-acs-api-versions"}
_OPERATION = _COMMON | {
    "operationId", "summary", "consumes", "produces", "security", "parameters", "responses",
    "x-ms-pageable",
}  # fmt: skip
_BODY = _COMMON | {"name", "in", "required", "schema", "x-ms-client-default"}
_PATH_PARAMETER = _COMMON | {
    "name", "in", "required", "type", "minLength",
    "x-ms-skip-url-encoding", "x-ms-parameter-location",
}  # fmt: skip
_DEFINITION_OF = {
    "object": _COMMON | {"type", "required", "properties"},
    "string": _COMMON | {"type", "enum", "x-ms-enum"},
}
_PROPERTY = (
    _COMMON
    | _CONSTRAINTS.keys()
    | {"$ref", "type", "format", "items", "default", "readOnly", "x-nullable", "x-ms-client-name"}
)
_FORMATS = {None, "date-time", "int32"}


def snake_case(name: str) -> str:
    """Converts a name such as ``expiresInMinutes`` to ``expires_in_minutes``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _refuse_unknown(what: str, found: Iterable[object], known: Container[object]) -> None:
    unknown = sorted(str(name) for name in found if name not in known)
    if unknown:
        raise ValueError(f"{what}: the generator does not support {', '.join(unknown)}")


class Description:
    """The REST API."""

    def __init__(self, document: _Node) -> None:
        self._document = document
        for name, node in document["definitions"].items():
            _refuse_unknown(name, [node["type"]], _DEFINITION_OF)
            _refuse_unknown(name, node, _DEFINITION_OF[node["type"]])
        self.title: str = document["info"]["title"]
        self.description: str = document["info"]["description"]
        self.default_version: str = document["info"]["version"]
        self._all_versions: list[str] = document["info"]["x-acs-api-versions"]
        self.endpoint_description: str = self._follow("#/parameters/EndpointParameter")[
            "description"
        ]

    @classmethod
    def read(cls, path: Path) -> "Description":
        """Reads a description from a file."""
        return cls(json.loads(path.read_text(encoding="utf-8")))

    @cached_property
    def groups(self) -> list[OperationGroup]:
        """All operations, by group."""
        operations: dict[str, list[Operation]] = {}
        for path, methods in self._document["paths"].items():
            for method, node in methods.items():
                class_name, _, _ = node["operationId"].partition("_")
                operations.setdefault(class_name, []).append(self._operation(path, method, node))
        return [
            OperationGroup(snake_case(name), f"{name}Operations", found)
            for name, found in operations.items()
        ]

    @cached_property
    def enums(self) -> list[Enum]:
        """All enums."""
        return [
            Enum(name, node["description"], [_member(value) for value in self._values(node)])
            for name, node in self._document["definitions"].items()
            if "enum" in node
        ]

    @cached_property
    def models(self) -> list[Model]:
        """All models."""
        return [
            Model(name, node["description"], self._properties(node))
            for name, node in self._document["definitions"].items()
            if node["type"] == "object"
        ]

    def _operation(self, path: str, method: str, node: _Node) -> Operation:
        group, _, name = node["operationId"].partition("_")
        _refuse_unknown(node["operationId"], node, _OPERATION)
        parameters = [self._resolved(parameter) for parameter in node["parameters"]]
        for found in parameters:
            what = f"{node['operationId']}, parameter {found['name']}"
            if found["in"] == "query":
                _refuse_unknown(what, [found["name"]], {"api-version"})
            else:
                _refuse_unknown(what, [found["in"]], {"path", "body"})
                _refuse_unknown(what, found, _BODY if found["in"] == "body" else _PATH_PARAMETER)
        successes = {
            int(status): answer
            for status, answer in node["responses"].items()
            if status.startswith("2")
        }
        results = {self._reference(answer.get("schema")) for answer in successes.values()}
        pageable = node.get("x-ms-pageable")
        if pageable:
            # A success without a body counts as a page without items.
            results.discard(None)
        if len(results) != 1:
            raise ValueError(f"{node['operationId']}: the successes have different schemas")
        (result,) = results
        return Operation(
            name=snake_case(name),
            group=snake_case(group),
            summary=node["summary"],
            description=node["description"],
            method=method.upper(),
            path=path,
            path_parameters=[
                PathParameter(found["name"], snake_case(found["name"]), found["description"])
                for found in parameters
                if found["in"] == "path" and found["name"] != "endpoint"
            ],
            body=self._body(parameters, node.get("consumes", [])),
            statuses=sorted(successes),
            result=result,
            result_description=next(iter(successes.values()))["description"],
            pageable=self._pageable(pageable, result),
            versions=node.get("x-acs-api-versions", self._all_versions),
        )

    def _body(self, parameters: list[_Node], consumes: list[str]) -> Body | None:
        for parameter in parameters:
            if parameter["in"] == "body":
                (content_type,) = consumes
                annotation, doc_type = self._body_types(parameter["schema"])
                default = parameter.get("x-ms-client-default")
                return Body(
                    annotation=annotation,
                    doc_type=doc_type,
                    content_type=content_type,
                    description=parameter["description"],
                    optional=not parameter["required"] or default is not None,
                    default=None if default is None else repr(default),
                )
        return None

    def _body_types(self, schema: _Node) -> tuple[str, str]:
        """The annotation and the docstring type of a body: a model, or a map of models."""
        name = self._reference(schema)
        if name is not None:
            return f"JSON | _models.{name}", f"JSON or ~{MODELS}.{name}"
        _refuse_unknown("body", schema, {"type", "additionalProperties"})
        _refuse_unknown("body", [schema["type"]], {"object"})
        item = schema["additionalProperties"]
        _refuse_unknown("body", item, {"$ref", "x-nullable"})
        annotation, doc_type = self._body_types({"$ref": item["$ref"]})
        if item.get("x-nullable"):
            annotation, doc_type = f"{annotation} | None", f"{doc_type} or None"
        return f"Mapping[str, {annotation}]", f"~collections.abc.Mapping[str, {doc_type}]"

    def _pageable(self, node: _Node | None, result: str | None) -> Pageable | None:
        if node is None:
            return None
        _refuse_unknown("x-ms-pageable", node, {"itemName", "nextLinkName"})
        pageable = Pageable(node["itemName"], node["nextLinkName"])
        properties = self._document["definitions"][result]["properties"]
        _refuse_unknown("x-ms-pageable", [pageable.items, pageable.next_link], properties)
        return pageable

    def _properties(self, node: _Node) -> list[Property]:
        required = node.get("required", [])
        return [
            self._property(name, found, name in required)
            for name, found in node.get("properties", {}).items()
        ]

    def _property(self, wire_name: str, node: _Node, required: bool) -> Property:
        _refuse_unknown(f"property {wire_name}", node, _PROPERTY)
        msrest_type, annotation, doc_type = self._types(node)
        return Property(
            wire_name=wire_name,
            name=snake_case(node.get("x-ms-client-name", wire_name)),
            msrest_type=msrest_type,
            annotation=annotation,
            doc_type=doc_type,
            description=node["description"],
            required=required,
            read_only=node.get("readOnly", False),
            constraints={
                rule: node[keyword] for keyword, rule in _CONSTRAINTS.items() if keyword in node
            },
        )

    def _types(self, node: _Node) -> tuple[str, str, str]:
        """The type of a property for msrest, annotations and docstrings."""
        name = self._reference(node)
        if name is not None and "enum" in self._document["definitions"][name]:
            # The enum is extensible: accept unlisted values too.
            return "str", f"_enums.{name} | str", f"str or ~{MODELS}.{name}"
        if name is not None:
            return name, name, f"~{MODELS}.{name}"
        if node["type"] == "array":
            msrest_type, annotation, doc_type = self._types(node["items"])
            return f"[{msrest_type}]", f"Sequence[{annotation}]", f"list[{doc_type}]"
        if node.get("format") == "date-time":
            return "iso-8601", "datetime", "~datetime.datetime"
        _refuse_unknown("format", [node.get("format")], _FORMATS)
        _refuse_unknown("type", [node["type"]], _MSREST_TYPES)
        simple = _MSREST_TYPES[node["type"]]
        return simple, simple, simple

    def _values(self, node: _Node) -> list[_Node]:
        values: list[_Node] = node["x-ms-enum"]["values"]
        if [value["value"] for value in values] != node["enum"]:
            raise ValueError(f"{node['x-ms-enum']['name']}: enum and x-ms-enum differ")
        return values

    def _resolved(self, node: _Node) -> _Node:
        return self._follow(node["$ref"]) if "$ref" in node else node

    def _follow(self, reference: str) -> _Node:
        node = self._document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]
        return node

    def _reference(self, node: _Node | None) -> str | None:
        """The name of the definition in a schema's ``$ref``."""
        if node is None or "$ref" not in node:
            return None
        name: str = node["$ref"].removeprefix(_DEFINITION)
        return name


def _member(node: _Node) -> EnumMember:
    return EnumMember(snake_case(node["name"]).upper(), node["value"], node["description"])
