"""Why a request is rejected: for the log and the journal of the emulator, never for the client.

Reasons show ids, times and versions. They never hold a key, a signature or a token.
"""

import re
from enum import Enum
from typing import NamedTuple
from urllib.parse import unquote

from .guids import GUID


class ReasonCode(Enum):
    """The check that failed."""

    NO_CREDENTIALS = "no-credentials"
    MALFORMED_CREDENTIALS = "malformed-credentials"
    DATE = "date"
    CONTENT_HASH = "content-hash"
    SIGNATURE = "signature"
    UNKNOWN_KEY = "unknown-key"
    UNENCRYPTED = "unencrypted"
    FOREIGN_PAGE = "foreign-page"
    HOST = "host"
    CONTROL_TOKEN = "control-token"  # noqa: S105 - the name of a check
    MANAGED_IDENTITY = "managed-identity"
    ENTRA_TOKEN = "entra-token"  # noqa: S105 - the name of a check
    ENTRA_CLIENT = "entra-client"
    WRONG_CREDENTIALS = "wrong-credentials"
    UNKNOWN_IDENTITY = "unknown-identity"
    DELETED_IDENTITY = "deleted-identity"
    NO_ASSIGNMENT = "no-assignment"
    PATH = "path"
    METHOD = "method"
    API_VERSION = "api-version"


class Reason(NamedTuple):
    """The check that failed, and how.

    :param text: One sentence that fits on a log line.
    :param details: What only the level DEBUG shows, such as the string to sign.
    """

    code: ReasonCode
    text: str
    details: str | None = None

    def __str__(self) -> str:
        return f"{self.code.value}: {self.text}"


_WORDS = frozenset(
    [
        "",
        *("access", "assignments", "entra", "identities", "teamsExtension", "teamsUser", "tenants"),
        *(".emulator", "applications", "ca.pem", "clock", "connection-strings", "faults"),
        *("health", "jwks.json", "keys", "limits", "managed-identity", "msi", "openapi.json"),
        *("primary", "requests", "reset", "rotate", "secondary", "token", "tokens", "validate"),
        *(".well-known", "adfs", "common", "discovery", "instance", "oauth2"),
        *("openid-configuration", "v2.0"),
    ]
)
_SEGMENTS = 10  # of a path that are shown at most
_ID_OR_ACTION = re.compile(
    rf"{GUID}|\d+:[a-z-]{{1,16}}:(?:{GUID}_)*{GUID}|:[A-Za-z]{{1,24}}", re.ASCII
)
_FIRST_WORD = re.compile(r"[A-Za-z]{1,24}", re.ASCII)
_HARMLESS_PARAMETERS = re.compile(r"api-version=[\w.-]{0,32}", re.ASCII | re.IGNORECASE)
_REDACTED = "..."


def shown_path(path: str) -> str:
    """A path with its words and ids; everything else could be a secret and is redacted."""
    root, *segments = path.split("/", _SEGMENTS + 1)
    if len(segments) > _SEGMENTS:
        segments[-1] = _REDACTED
    shown = [segment if _is_harmless(unquote(segment)) else _REDACTED for segment in segments]
    if segments and _FIRST_WORD.fullmatch(segments[0]):
        shown[0] = segments[0]
    return "/".join([root and _REDACTED, *shown])


def _is_harmless(segment: str) -> bool:
    return segment in _WORDS or _ID_OR_ACTION.fullmatch(segment) is not None


def shown_target(target: str) -> str:
    """Path and query, redacted like `shown_path`; of the query, the api version is shown."""
    path, mark, query = target.partition("?")
    parameters = (
        parameter if _HARMLESS_PARAMETERS.fullmatch(parameter) else _REDACTED
        for parameter in query.split("&")
    )
    return shown_path(path) + mark + ("&".join(parameters) if query else "")


def shown_text(text: str, longest: int = 40) -> str:
    """A text that a client chose, quoted, in ASCII on one line; a longer one could be a secret."""
    return ascii(text) if len(text) <= longest else f"a text of {len(text)} characters"
