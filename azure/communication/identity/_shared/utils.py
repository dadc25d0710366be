"""Connection strings, tokens and times, by the path of azure-communication-identity 1.5.0."""

import calendar
import json
import re
import time
from base64 import urlsafe_b64decode
from datetime import datetime
from email.utils import formatdate

from azure.core.credentials import AccessToken

from .pasted import mistake, unwrapped
from .signing import decode_access_key
from .urls import endpoint_url

_FORMAT = "endpoint=https://<resource>.communication.azure.com/;accesskey=<key>"


def parse_connection_string(conn_str: str) -> tuple[str, str]:
    """Splits a connection string into the endpoint and the access key.

    The order and the case of the parts do not matter, and other parts are ignored. White space, a
    byte order mark and one pair of quotes may stand around the string and around its parts.

    :param str conn_str: ``endpoint=https://<resource>.communication.azure.com/;accesskey=<key>``,
        from the Keys page of the resource in the Azure portal.
    :return: The endpoint, without a trailing slash, and the access key.
    :rtype: tuple[str, str]
    :raises TypeError: If the connection string is not a str.
    :raises ValueError: If a part is missing or given twice, the endpoint is not a URL, or the key
        is not base64. The message does not show the key.
    """
    endpoint, access_key = _parts(conn_str)
    return endpoint_url(endpoint), access_key


def parse_connection_str(conn_str: str | None) -> tuple[str, str]:
    """The endpoint and the access key, as 1.5.0 returns them.

    :return: The endpoint as it is written, without a trailing slash and without ``https://``,
        which clients assume, and the access key.
    """
    endpoint, access_key = _parts(conn_str)
    return re.sub("^https://", "", endpoint, flags=re.I), access_key


def _parts(conn_str: str | None) -> tuple[str, str]:
    if conn_str is None:
        raise ValueError(f"The connection string is None. Expected: {_FORMAT}")
    if not isinstance(conn_str, str):
        raise TypeError(f"The connection string must be a str, not {type(conn_str).__name__}.")
    text = unwrapped(conn_str)
    parts: dict[str, str] = {}
    for part in text.split(";"):
        name, _, value = part.partition("=")
        parts[name.strip().lower()] = unwrapped(value)
    endpoint = parts.get("endpoint", "").rstrip("/")
    parts["endpoint"] = "" if endpoint.lower() in ("https:", "http:") else endpoint
    missing = " and no ".join(name for name in ("endpoint", "accesskey") if not parts.get(name))
    if problem := mistake(text) or (missing and f"has no {missing}"):
        raise ValueError(f"The connection string {problem}. Expected: {_FORMAT}")
    decode_access_key(parts["accesskey"])
    return endpoint, parts["accesskey"]


def get_current_utc_time() -> str:
    """The current time in the format of HTTP: ``Tue, 24 Nov 2026 09:05:00 GMT``."""
    return formatdate(usegmt=True)


def current_time() -> float:
    """The current time, in Unix seconds."""
    return time.time()  # looked up at each call: libraries that freeze the time replace it


def get_current_utc_as_int() -> int:
    """The current time, in whole Unix seconds."""
    return int(time.time())


def _convert_datetime_to_utc_int(input_datetime: datetime) -> int:
    """A time in whole Unix seconds. A time without a time zone is UTC."""
    return calendar.timegm(input_datetime.utctimetuple())


def create_access_token(token: str) -> AccessToken:
    """Reads the expiry of a token.

    :param str token: A JWT, such as a user's token. The signature is not checked.
    :return: The token, with its expiry in whole Unix seconds.
    :rtype: ~azure.core.credentials.AccessToken
    :raises TypeError: If the token is not a str.
    :raises ValueError: If the token is not a JWT with an expiry. The message does not show the
        token.
    """
    if not isinstance(token, str):
        raise TypeError(f"The token must be a str, not {type(token).__name__}.")
    try:
        _, payload, _ = token.split(".")
        # White space and padding are not in base64url, but some tokens have them.
        payload = "".join(payload.split()).rstrip("=")
        claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return AccessToken(token, int(claims["exp"]))
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        # The cause would show parts of the token.
        raise ValueError(
            "The token is not a JWT with an expiry: expected three parts joined by dots, of which "
            "the second is the base64url of a JSON object with a numeric exp."
        ) from None
