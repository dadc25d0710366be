# What the generated models use of msrest, which has no annotations of its own.
from collections.abc import Mapping
from typing import Any, ClassVar

from typing_extensions import Self

class Model:
    _validation: ClassVar[dict[str, dict[str, Any]]]
    _attribute_map: ClassVar[dict[str, dict[str, str]]]
    def __init__(self, **kwargs: Any) -> None: ...
    def serialize(self, keep_readonly: bool = ..., **kwargs: Any) -> dict[str, Any]: ...
    @classmethod
    def deserialize(cls, data: Mapping[str, Any], content_type: str | None = ...) -> Self: ...
    def validate(self) -> list[Exception]: ...
