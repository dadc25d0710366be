"""Numbers as clients and users write them."""

from collections.abc import Container


def decimal_in(text: str, allowed: Container[int]) -> int | None:
    """The number of ASCII digits; None if the text is not one, or the number is not allowed."""
    if text.isascii() and text.isdecimal() and len(text) <= 9 and int(text) in allowed:
        return int(text)
    return None
