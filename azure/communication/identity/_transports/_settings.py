"""Reads the options of a transport."""

import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from azure.core.configuration import ConnectionConfiguration

from . import _limits

# Sockets do not take much more.
_LONGEST_SECONDS = 1e9
_CA_BUNDLE_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


class Timeouts(NamedTuple):
    """Seconds, or None for no limit."""

    connect: float | None
    read: float | None


def connection_configuration(options: Mapping[str, Any]) -> ConnectionConfiguration:
    """How to connect.

    :param options: The options of a transport.
    :raises TypeError: If a timeout is not a number.
    :raises ValueError: If a timeout is negative, or ``connection_verify`` is empty.
    """
    given = {
        "connection_timeout": _limits.CONNECT_SECONDS,
        "read_timeout": _limits.READ_SECONDS,
        **options,
    }
    timeouts(given["connection_timeout"], given["read_timeout"])
    verification(given.get("connection_verify"))
    return ConnectionConfiguration(**given)


def authorities(use_environment: bool) -> str | bool:
    """The CA bundle that the environment names, as requests reads it, or True for the default one.

    :param bool use_environment: Whether to look into the environment.
    """
    variables = _CA_BUNDLE_VARIABLES if use_environment else ()
    return next(filter(None, map(os.environ.get, variables)), True)


def timeouts(connect: Any, read: Any) -> Timeouts:
    """The timeouts that options ask for. 0, None and more than 30 years are no limit.

    :param connect: Seconds, or a pair of both timeouts, as requests has it.
    :param read: Seconds. Ignored if `connect` is a pair.
    :raises TypeError: If a timeout is not a number.
    :raises ValueError: If a timeout is negative.
    """
    if isinstance(connect, tuple | list):
        if len(connect) != 2:
            raise ValueError("connection_timeout must be a number or a pair (connect, read).")
        connect, read = connect
    return _timeouts(connect, read)


@lru_cache(maxsize=32, typed=True)
def _timeouts(connect: Any, read: Any) -> Timeouts:
    return Timeouts(_seconds("connection_timeout", connect), _seconds("read_timeout", read))


def _seconds(name: str, value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number of seconds or None, not {type(value).__name__}.")
    if not value >= 0:
        raise ValueError(f"{name} must not be negative: {value}.")
    return float(value) if 0 < value < _LONGEST_SECONDS else None


def verification(verify: Any, authorities: str | bool = True) -> bool | str:
    """Whether to verify certificates, or against which CA bundle.

    :param verify: The option. None and True are the same.
    :param authorities: What to trust if the option names no bundle.
    :raises TypeError: If the option is neither a bool nor a path.
    :raises ValueError: If it is empty: an unset variable must not disable verification.
    """
    if verify is None or isinstance(verify, bool):
        return False if verify is False else authorities
    if not isinstance(verify, str | os.PathLike):
        raise TypeError(
            f"connection_verify must be a bool or the path of a CA bundle, not "
            f"{type(verify).__name__}."
        )
    path = os.fspath(verify)
    if not path:
        raise ValueError(
            "connection_verify is empty. Pass the path of a CA bundle, or False to disable the "
            "verification of certificates."
        )
    return str(path)
