"""Which values are tokens, and when tokens expire."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Coroutine
from inspect import isawaitable, iscoroutinefunction
from typing import NamedTuple

from .utils import create_access_token

# 9999-12-31T23:59:59Z, the last second of datetime. Times in milliseconds are later.
_LATEST_EXPIRY = 253_402_300_799


class AsyncMismatchError(TypeError):
    """A sync function where an async one is expected, or the reverse."""


class ReadToken(NamedTuple):
    """A token and its expiry in Unix seconds: None if it cannot be read."""

    token: str
    expires_on: int | None


def read_token(value: object) -> ReadToken:
    """Reads a token and its expiry.

    :param value: A str, or a token together with its expiry: an ``AccessToken``, an
        ``AccessTokenInfo``, or an object with the same attributes.
    :return: The token and its expiry. That of an encrypted JWT cannot be read.
    :raises TypeError: If the value is not a token, or its expiry is not a number.
    :raises ValueError: If the token is malformed, or its expiry is not a time before the year
        10000. The message does not contain the token.
    """
    if isinstance(value, str):
        _check_text(value)
        return ReadToken(value, _legible_expiry(value))
    refuse_awaitable(value)
    token, expires_on = getattr(value, "token", None), getattr(value, "expires_on", None)
    if not isinstance(token, str):
        if token is not None:
            raise TypeError(
                f"The token of an AccessToken must be a str, not {type(token).__name__}."
            )
        raise TypeError(
            "The token must be a str or an azure.core.credentials.AccessToken, not "
            f"{type(value).__name__}."
        )
    _check_text(token)
    if not isinstance(expires_on, int | float):
        raise TypeError(
            "The expires_on of the token must be a number, in Unix seconds, not "
            f"{type(expires_on).__name__}."
        )
    return ReadToken(token, _whole_seconds(expires_on))


def refuse_async(name: str, argument: object, owner: str = "CommunicationTokenCredential") -> None:
    """Rejects an async argument of a sync class.

    :param str name: The name of the argument.
    :param argument: A function that returns a token, or an Entra credential.
    :param str owner: The name of the class.
    :raises TypeError: If the function, or a method of the credential, is an ``async def``.
    """
    if _is_async(argument):
        raise AsyncMismatchError(
            f"{name} is async. Use {owner} of azure.communication.identity.aio for it."
        )


def refuse_awaitable(
    value: object,
    names: str = "token_refresher or token_credential",
    owner: str = "CommunicationTokenCredential",
) -> None:
    """Rejects what an async function returned, where a token is expected.

    :param value: What should be a token.
    :param str names: The arguments that it may come from.
    :param str owner: The name of the class.
    :raises TypeError: If the value can be awaited.
    """
    if isawaitable(value):
        if isinstance(value, Coroutine):
            value.close()  # otherwise Python warns that the coroutine was never awaited
        raise AsyncMismatchError(
            f"Expected a token, not a {type(value).__name__}: await it, or, if {names} is async, "
            f"use {owner} of azure.communication.identity.aio for it."
        )


def refuse_sync(name: str, credential: object, owner: str = "CommunicationTokenCredential") -> None:
    """Rejects a sync Entra credential as an argument of an async class.

    Methods that are not ``async def`` may still return an awaitable: see :func:`awaitable`.

    :param str name: The name of the argument.
    :param credential: The Entra credential.
    :param str owner: The name of the class.
    :raises TypeError: If no method is ``async def``, and ``with`` accepts the credential but
        ``async with`` does not.
    """
    is_sync = hasattr(credential, "__exit__") and not hasattr(credential, "__aexit__")
    if is_sync and not _is_async(credential):
        raise AsyncMismatchError(
            f"{name} is not async. Use {owner} of azure.communication.identity for it, or pass an "
            "async one."
        )


def awaitable(name: str, value: object) -> Awaitable[object]:
    """Checks what an argument of an async credential returned.

    :param str name: The name of the argument.
    :param value: What the argument returned.
    :raises TypeError: If the value cannot be awaited.
    """
    if not isawaitable(value):
        raise AsyncMismatchError(
            f"{name} must be async, but it returned {type(value).__name__}, which cannot be "
            "awaited. Use CommunicationTokenCredential of azure.communication.identity for a sync "
            "one."
        )
    return value


def _is_async(argument: object) -> bool:
    methods = ("__call__", "get_token", "get_token_info")
    parts = [argument, *(getattr(argument, name, None) for name in methods)]
    return any(map(iscoroutinefunction, parts))


def _check_text(token: str) -> None:
    fault = None
    words = token.split()
    if not words:
        fault = "is empty"
    elif words[0].lower() == "bearer":
        fault = "begins with 'Bearer': pass only the text after it"
    elif not {'"', "'"}.isdisjoint(token):
        fault = "contains quotes: remove them"
    elif token != token.strip() or (len(words) > 1 and not _is_indented_jwt(token)):
        space = "a newline" if "\n" in token or "\r" in token else "white space"
        fault = f"contains {space}: remove it"
    elif not (token.isascii() and "".join(words).isprintable()):
        fault = "contains a character that is not printable ASCII"
    if fault:
        raise ValueError(f"The token {fault}.")


def _is_indented_jwt(token: str) -> bool:
    """Whether white space stands only around the parts, as in 1.5.0's own tests."""
    parts = token.split(".")
    return _jwt_expiry(token) is not None and all(len(part.split()) == 1 for part in parts)


def _legible_expiry(token: str) -> int | None:
    expires_on = _jwt_expiry(token)
    if expires_on is not None:
        return _whole_seconds(expires_on)
    # A signed JWT has three parts, of which everyone can read the first. An encrypted one has five,
    # and only the service can read it.
    header, *others = token.split(".")
    if len(others) == 2 and not _is_json_object(header):
        raise ValueError(
            "The token is a damaged JWT: the first of its three parts is not the base64url of a "
            "JSON object."
        )
    return None


def _jwt_expiry(token: str) -> int | None:
    try:
        return create_access_token(token).expires_on
    except ValueError:
        return None


def _is_json_object(part: str) -> bool:
    part = part.rstrip("=")
    try:
        return isinstance(json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4))), dict)
    except (ValueError, RecursionError):
        return False


def _whole_seconds(expires_on: float) -> int:
    if expires_on > _LATEST_EXPIRY:
        raise ValueError(
            "The expires_on of the token is after the year 9999: expected Unix seconds, and these "
            "may be milliseconds."
        )
    if not expires_on >= -_LATEST_EXPIRY:
        raise ValueError("The expires_on of the token is not a time.")
    return int(expires_on)
