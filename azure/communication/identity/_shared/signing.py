"""The signature of a request by an access key, as pure functions.

The steps are the content hash of the body, the string to sign, and its HMAC-SHA256 under the
decoded key. The scheme is documented in the REST reference under "Authentication":
https://learn.microsoft.com/rest/api/communication/authentication
"""

import hmac
import re
from base64 import b64decode
from binascii import b2a_base64
from hashlib import sha256

from .pasted import MISTAKES_FOR_A_KEY, mistake, unwrapped

SIGNED_HEADERS = "x-ms-date;host;x-ms-content-sha256"

# Stricter than b64decode, which skips characters that are not base64, and excess padding.
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


def decode_access_key(access_key: str) -> bytes:
    """Decodes an access key.

    :param str access_key: The key, in base64, as the Azure portal shows it. White space, a byte
        order mark and one pair of quotes may stand around it.
    :rtype: bytes
    :raises TypeError: If the key is not a str.
    :raises ValueError: If the key is not base64. The message does not show the key.
    """
    if not isinstance(access_key, str):
        raise TypeError(f"The access key must be a str, not {type(access_key).__name__}.")
    key = unwrapped(access_key)
    if not key or not _BASE64.fullmatch(key):
        problem = mistake(key, MISTAKES_FOR_A_KEY) or "is not base64"
        raise ValueError(
            f"The access key {problem}. Copy the whole key, or the whole connection string, from "
            "the Keys page of the Communication Services resource in the Azure portal."
        )
    return b64decode(key)


def content_hash(body: bytes) -> str:
    """The base64 of the SHA-256 of a body, for the header ``x-ms-content-sha256``.

    :param bytes body: The body exactly as it is sent; empty for a request without a body.
    :rtype: str
    """
    return b2a_base64(sha256(body).digest(), newline=False).decode("ascii")


def string_to_sign(method: str, path_and_query: str, date: str, host: str, hashed: str) -> str:
    """The part of a request that is signed.

    :param str method: The HTTP method.
    :param str path_and_query: The quoted path and query, exactly as they are sent.
    :param str date: The value of the header ``x-ms-date``.
    :param str host: The value of the header ``Host``.
    :param str hashed: The value of the header ``x-ms-content-sha256``.
    :rtype: str
    """
    return f"{method.upper()}\n{path_and_query}\n{date};{host};{hashed}"


def signature(key: bytes, to_sign: str) -> str:
    """The base64 of the HMAC-SHA256 of a string to sign.

    :param bytes key: The decoded access key.
    :param str to_sign: The result of :func:`string_to_sign`.
    :rtype: str
    """
    return b2a_base64(hmac.digest(key, to_sign.encode(), "sha256"), newline=False).decode("ascii")
