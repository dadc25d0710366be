"""The connections of the async client."""

import time
from typing import Any
from weakref import WeakKeyDictionary

import aiohttp

from . import _limits


class Connector(aiohttp.TCPConnector):
    """Keeps connections, and tells which of them may carry another request."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(keepalive_timeout=_limits.IDLE_SECONDS, **kwargs)
        self._opened_at: WeakKeyDictionary[Any, float] = WeakKeyDictionary()

    async def connect(self, *args: Any, **kwargs: Any) -> Any:
        """Takes an idle connection or opens one, as the base class does.

        Unsolicited data on an idle connection would be mistaken for the response, and a connection
        that lives for hours never sees that the addresses of a name have changed: both are closed.
        """
        while True:
            connection: Any = await super().connect(*args, **kwargs)
            protocol, now = connection.protocol, time.monotonic()
            age = now - self._opened_at.setdefault(protocol, now)
            if age < _limits.CONNECTION_SECONDS and not protocol.should_close:
                return connection
            connection.close()
