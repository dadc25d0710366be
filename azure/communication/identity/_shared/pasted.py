"""Secrets as people paste them: characters to remove, and mistakes to name."""

import re
from collections.abc import Mapping

# str.strip() does not count them as white space.
_BYTE_ORDER_MARK, _ZERO_WIDTH_SPACE = "\ufeff", "\u200b"
# Not after a character of base64: a key may end in a word.
_START = r"(?<![A-Za-z0-9+/])"
_PART = rf"{_START}(?:endpoint|accesskey)\s*="

# A mistake, and the pattern that detects it. No message shows a part of the text.
MISTAKES = {
    "has typographic quotes: remove them": "[\u2018-\u201f\u00ab\u00bb]",
    "begins with the name of a variable: remove the name and the '=' after it": (
        rf"""^(?!endpoint|accesskey)(?:\w+\s+)?\w+\s*=\s*["']?{_PART}"""
    ),
    **{
        f"has {name} twice: pass one connection string": rf"({_START}{name}\s*=.*){{2}}"
        for name in ("endpoint", "accesskey")
    },
    "is a URL with a shared access signature (SAS), which is not an access key": r"[?&]s(?:ig|v)=",
}
MISTAKES_FOR_A_KEY = {
    **MISTAKES,
    "is a part of a connection string: pass all of it to from_connection_string": _PART,
    "is a URL, not a key": "://",
    "begins with the name of a variable: remove the name and the '='": (
        r"""^(?:\w+\s+)?\w+\s*=["']?[A-Za-z0-9+/]"""
    ),
    "has white space in it: pass one key": r"\s",
}


def unwrapped(text: str) -> str:
    """The text without white space, a byte order mark, and one pair of quotes around it."""
    text = text.strip().strip(_BYTE_ORDER_MARK + _ZERO_WIDTH_SPACE).strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1].strip()
    return text


def mistake(text: str, mistakes: Mapping[str, str] = MISTAKES) -> str | None:
    """The first mistake in the text; None if there are no mistakes."""
    return next(
        (name for name, regex in mistakes.items() if re.search(regex, text, re.I | re.S)), None
    )
