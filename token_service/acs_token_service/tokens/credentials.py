"""The key of the resource, replaced while the service runs."""

import asyncio
import hmac
import logging
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from azure.core.credentials import AzureKeyCredential
from yarl import URL

from azure.communication.identity import parse_connection_string

_LOG = logging.getLogger(__name__)


@lru_cache(maxsize=2)
def key_id(access_key: str) -> str:
    """Tells an access key from others, without showing it.

    It is stored beside tokens. A key of the resource has 512 random bits, which cannot be guessed
    from it.
    """
    return hmac.digest(access_key.encode(), b"acs-token-service key id", "sha256")[:12].hex()


def check_endpoint(endpoint: str, schemes: Sequence[str]) -> None:
    """:raises ValueError: If it is not the URL of a resource. It is not shown."""
    try:
        url = URL(endpoint)
        is_valid = url.scheme in schemes and url.host and url == url.origin() / ""
    except ValueError:
        is_valid = False
    if not is_valid:
        raise ValueError(
            "the endpoint must be a URL such as https://NAME.communication.azure.com "
            f"({' or '.join(schemes)}), without a path"
        )


class ConnectionString(NamedTuple):
    endpoint: str
    access_key: str

    @property
    def credential(self) -> AzureKeyCredential:
        return AzureKeyCredential(self.access_key)

    @classmethod
    def parse(cls, text: str) -> "ConnectionString":
        """:raises ValueError: If the text is not a connection string. The message has no key."""
        endpoint, access_key = parse_connection_string(text)
        check_endpoint(endpoint, ("https", "http"))
        return cls(endpoint, access_key)


class KeyFile:
    """A credential that follows a file with a connection string, such as a mounted secret."""

    def __init__(self, path: Path) -> None:
        """:raises ValueError: If the file cannot be read or holds no connection string."""
        self._path = path
        self.endpoint, key = self._read()
        self.credential = AzureKeyCredential(key)

    def _read(self) -> ConnectionString:
        try:
            return ConnectionString.parse(self._path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ValueError(f"{self._path} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise ValueError(f"{self._path} is not valid: {error}") from None

    async def reload(self) -> bool:
        """Reads the file again; returns whether the key has changed.

        A file that is being replaced, or names another resource, changes nothing.
        """
        try:
            endpoint, key = await asyncio.to_thread(self._read)
        except ValueError as error:
            _LOG.warning("The key of the resource stays as it was: %s", error)
            return False
        if endpoint != self.endpoint:
            _LOG.error("The connection string names another resource: restart the service")
            return False
        if key == self.credential.key:
            return False
        self.credential.update(key)
        _LOG.info("The key of the resource was replaced")
        return True
