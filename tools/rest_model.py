"""The parts of the REST API, as the templates see them."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Property:
    """A property of a model."""

    wire_name: str
    name: str
    msrest_type: str
    annotation: str
    doc_type: str
    description: str
    required: bool
    read_only: bool
    constraints: dict[str, int]

    @property
    def validation(self) -> dict[str, Any]:
        """The validation rules in msrest's format."""
        rules: dict[str, Any] = dict(self.constraints)
        if self.required:
            rules["required"] = True
        if self.read_only:
            rules["readonly"] = True
        return rules


@dataclass(frozen=True)
class Model:
    """An object in a body."""

    name: str
    description: str
    properties: list[Property]


@dataclass(frozen=True)
class EnumMember:
    """A value of an enum."""

    name: str
    value: str
    description: str


@dataclass(frozen=True)
class Enum:
    """An extensible enum of strings."""

    name: str
    description: str
    members: list[EnumMember]


@dataclass(frozen=True)
class PathParameter:
    """A parameter in the path."""

    wire_name: str
    name: str
    description: str


@dataclass(frozen=True)
class Body:
    """The body of a request."""

    annotation: str
    doc_type: str
    content_type: str
    description: str
    optional: bool
    default: str | None


@dataclass(frozen=True)
class Pageable:
    """The properties of a page, by their names in JSON."""

    items: str
    next_link: str


@dataclass(frozen=True)
class Operation:
    """An operation."""

    name: str
    group: str
    summary: str
    description: str
    method: str
    path: str
    path_parameters: list[PathParameter]
    body: Body | None
    statuses: list[int]
    result: str | None
    result_description: str
    pageable: Pageable | None
    versions: list[str]

    @property
    def builder(self) -> str:
        """The name of the function that builds the request."""
        return f"build_{self.group}_{self.name}_request"


@dataclass(frozen=True)
class OperationGroup:
    """The operations whose ids have the same prefix."""

    name: str
    class_name: str
    operations: list[Operation]
