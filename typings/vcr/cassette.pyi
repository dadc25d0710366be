from collections.abc import Sequence
from typing import Any

class Cassette:
    @property
    def all_played(self) -> bool: ...
    @property
    def responses(self) -> Sequence[dict[str, Any]]: ...
