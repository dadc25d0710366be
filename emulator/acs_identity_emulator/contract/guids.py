"""GUIDs and raw ids as the service writes them."""

import re

GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_GUID = re.compile(GUID)
RAW_ID = re.compile(rf"8:(?:acs|dod-acs|gcch-acs):{GUID}_{GUID}(?:_{GUID})?")


def is_guid(value: object) -> bool:
    return isinstance(value, str) and _GUID.fullmatch(value) is not None


def check_guid(name: str, value: object) -> None:
    """:raises ValueError: If the value is not a GUID."""
    if not is_guid(value):
        raise ValueError(f"{name} must be a GUID, not {value!r}")
