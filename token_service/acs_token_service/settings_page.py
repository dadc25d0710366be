"""The page that explains the settings, written from the settings themselves."""

import json
from collections.abc import Iterable
from enum import Enum
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from .settings import PREFIX, Settings

_HEAD = """\
# Settings of acs-token-service

Each is an environment variable. This page is written by `acs-token-service settings`.

| Variable | Default | Meaning |
|---|---|---|
"""


def page() -> str:
    rows = [
        f"| `{PREFIX}{name.upper()}` | {_default(field)} | {_cell(field.description or '')} |\n"
        for name, field in Settings.model_fields.items()
    ]
    return _HEAD + "".join(rows)


def _default(field: FieldInfo) -> str:
    value = _plain(field.default)
    if value is None or value in ("", []):
        return ""
    text = value if isinstance(value, str) else json.dumps(value)
    return f"`{_cell(text)}`"


def _plain(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_none=True)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_plain(each) for each in value]
    return value


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
