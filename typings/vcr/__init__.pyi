from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from .cassette import Cassette
from .request import Request

class VCR:
    def __init__(
        self,
        *,
        record_mode: str,
        match_on: Sequence[str],
        before_record_request: Callable[[Request], Request],
        before_record_response: Callable[[dict[str, Any]], dict[str, Any]],
    ) -> None: ...
    def use_cassette(self, path: str) -> AbstractContextManager[Cassette]: ...
