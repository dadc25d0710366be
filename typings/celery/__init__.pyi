from collections.abc import Callable
from typing import Any

class Celery:
    conf: Any
    def __init__(self, main: str, *, broker: str, backend: str) -> None: ...
    def task(self, *, soft_time_limit: float) -> Callable[[Callable[..., object]], Any]: ...
