"""Request bodies: JSON objects and their fields, rejected with the errors of the service."""

import json
import re
from collections.abc import Mapping
from typing import NoReturn

from ..contract import errors

# Two escapes make one character; a lone surrogate is invalid and is neither stored nor sent.
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_INT32 = range(-(2**31), 2**31)


def json_object(body: bytes) -> dict[str, object]:
    """The JSON object in a body; an empty body and `null` are an empty object.

    :raises ServiceError: If the body is not a JSON object.
    """
    if not body:
        return {}
    try:
        text = body.decode(json.detect_encoding(body))
        value: object = _decode(text)
        if _SURROGATE.search(text) is not None:
            _encode(value).encode("utf-8")
    except (ValueError, RecursionError):
        raise errors.body_not_json() from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise errors.body_not_object()
    return value


def strings(body: Mapping[str, object], name: str) -> list[str] | None:
    """A list of str; None if the field is absent or null.

    :raises ServiceError: If the value has another type.
    """
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    raise errors.field_has_wrong_type(_shown(name), "an array of strings")


def string(body: Mapping[str, object], name: str) -> str | None:
    """A str; None if the field is absent or null.

    :raises ServiceError: If the value has another type.
    """
    value = body.get(name)
    if value is None or isinstance(value, str):
        return value
    raise errors.field_has_wrong_type(_shown(name), "a string")


def int32(body: Mapping[str, object], name: str) -> int | None:
    """An int; None if the field is absent or null.

    :raises ServiceError: If the value has another type, or does not fit in 32 bits.
    """
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and value in _INT32:
        return value
    raise errors.field_has_wrong_type(_shown(name), "a 32-bit integer")


def required_string(body: Mapping[str, object], name: str) -> str:
    """:raises ServiceError: If the field is absent, null, empty, or not a str."""
    value = string(body, name)
    if not value:
        raise errors.field_required(_shown(name))
    return value


def _shown(name: str) -> str:
    """The name of the field in errors: `Scopes` for `scopes`."""
    return name[0].upper() + name[1:]


def _not_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


_decode = json.JSONDecoder(parse_constant=_not_json).decode
_encode = json.JSONEncoder(ensure_ascii=False).encode
