"""What all identifiers have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import total_ordering
from operator import attrgetter
from typing import Any

# Before Python 3.12, typing's own Protocol counts attributes that are set later as members.
from typing_extensions import Protocol, runtime_checkable

from .enums import CommunicationIdentifierKind


@runtime_checkable
class CommunicationIdentifier(Protocol):
    """The interface of all identifiers, those of other Azure packages included.

    ``raw_id`` is the identifier as a str, ``kind`` says what it identifies, and ``properties`` are
    the parts of the raw id.

    ``json.dumps(…, default=vars)`` writes an identifier as an object with ``raw_id`` and
    ``properties``; ``default=operator.attrgetter("raw_id")`` writes the raw id alone. Pydantic
    models and FastAPI validate identifiers from their raw ids, and serialize them to raw ids; a
    path parameter of FastAPI is annotated with this protocol.
    """

    @property
    def raw_id(self) -> str: ...

    @property
    def kind(self) -> CommunicationIdentifierKind: ...

    @property
    def properties(self) -> Mapping[str, Any]: ...


def _pydantic_core_schema(cls: type[CommunicationIdentifier], source: Any, handler: Any) -> Any:
    # Imported here: only pydantic calls this, so it is installed.
    from pydantic_core import core_schema

    from .identifiers import UnknownIdentifier
    from .raw_ids import identifier_from_raw_id

    def validated(value: object) -> CommunicationIdentifier:
        raw_id = value if isinstance(value, str) else getattr(value, "raw_id", None)
        named = identifier_from_raw_id(raw_id) if isinstance(raw_id, str) else None
        if isinstance(value, cls) and isinstance(named, cls | UnknownIdentifier):
            return value
        if isinstance(named, cls):
            return named
        # Also for an instance with the raw id of another kind, which would be serialized, but not
        # validated again. Not a TypeError, which pydantic does not report.
        found = type(named or value)
        raise ValueError(
            f"expected a {cls.__name__} or its raw id, not a {found.__module__}.{found.__name__}"
        )

    return core_schema.json_or_python_schema(
        core_schema.no_info_after_validator_function(validated, core_schema.str_schema()),
        core_schema.no_info_plain_validator_function(validated),
        serialization=core_schema.plain_serializer_function_ser_schema(
            attrgetter("raw_id"), return_schema=core_schema.str_schema()
        ),
    )


# Set here and not in the class, where it would be a member of the protocol.
CommunicationIdentifier.__get_pydantic_core_schema__ = classmethod(  # type: ignore[attr-defined]
    _pydantic_core_schema
)


# Frozen: the hash depends on the raw id. Apart from the class below, whose kind is not a field.
@dataclass(frozen=True, init=False, eq=False, repr=False, match_args=False)
class _Fields:
    """The fields of an identifier."""  # without which the decorator takes 2 ms to make a text

    raw_id: str
    """The raw id: the string that names this identifier everywhere."""
    properties: Any  # a TypedDict in each class


@total_ordering
class Identifier(_Fields):
    """Compared and sorted by raw id."""

    kind: Any  # a Literal in each class

    def _fill(self, raw_id: str, properties: Any) -> None:
        if not isinstance(raw_id, str):
            raise not_a_str("raw_id", raw_id)
        fields = self.__dict__
        fields["raw_id"] = raw_id
        fields["properties"] = properties

    def __eq__(self, other: object) -> bool:
        # Not by class: each Azure package has its own class for the same user.
        raw_id = getattr(other, "raw_id", None)
        return self.raw_id == raw_id if isinstance(raw_id, str) else NotImplemented

    def __lt__(self, other: CommunicationIdentifier) -> bool:
        if not isinstance(other, Identifier | CommunicationIdentifier):
            return NotImplemented
        return self.raw_id < other.raw_id

    def __hash__(self) -> int:
        return hash(self.raw_id)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(raw_id={self.raw_id!r})"

    __get_pydantic_core_schema__ = classmethod(_pydantic_core_schema)


def not_a_str(name: str, value: object) -> TypeError:
    return TypeError(f"{name} must be a str, not {type(value).__name__}.")
