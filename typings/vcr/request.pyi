from collections.abc import Mapping

class Request:
    method: str
    uri: str
    body: bytes | str | None
    headers: Mapping[str, str]
    def __init__(
        self, method: str, uri: str, body: bytes | str | None, headers: Mapping[str, str]
    ) -> None: ...
