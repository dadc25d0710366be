"""Secrets as people paste them: characters to remove, and mistakes to name."""

import re
from collections.abc import Sequence

# A byte order mark and a zero-width space, which str.strip() does not count as white space.
_INVISIBLE = "\ufeff\u200b"
_MISREAD_MARK = "\u00ef\u00bb\u00bf"  # a byte order mark of UTF-8 that was decoded as cp1252
# Not after a character of base64, as a key may end in a word, or of a longer name.
_START = r"(?<![\w+/.-])"
_PART = rf"{_START}(?:endpoint|accesskey)\s*="
_QUOTE = "[\"'`]"
_NAMED = "begins with the name of a variable: remove the name and the '=' or ':' after it"

# A mistake, and the pattern that detects it, in any case. No message shows a part of the text.
MISTAKES = (
    (
        "has typographic quotes: remove them",
        "[\u2018-\u201f\u2032-\u2037\u2039\u203a\u00ab\u00bb\u00b4\uff02\uff07]",
    ),
    (_NAMED, rf"^(?!(?:endpoint|accesskey)\s*=)[^;/]*[=:]\s*{_QUOTE}?{_PART}"),
    *(
        (f"has {name} twice: pass one connection string", rf"({_START}{name}\s*=.*){{2}}")
        for name in ("endpoint", "accesskey")
    ),
    ("is a URL with a shared access signature (SAS), which is not an access key", "[?&]s(ig|v)="),
    ("begins with a quote: remove it", f"^{_QUOTE}"),
)
_MISTAKES_FOR_A_PART = (
    *MISTAKES,
    ("is a part of a connection string: pass all of it to from_connection_string", _PART),
)
MISTAKES_FOR_AN_ENDPOINT = (
    *_MISTAKES_FOR_A_PART,
    (_NAMED, rf"^[^/]*[=:]\s*{_QUOTE}?https?://"),
    ("is an access key", "^[A-Z0-9+/]{40,}={0,2}$"),
    # It may be a part of a key: '/' is a character of base64.
    ("has a path, but neither a scheme nor a domain", "^[^.:/]+/+[^/]"),
)
MISTAKES_FOR_A_KEY = (
    *_MISTAKES_FOR_A_PART,
    ("is a URL, not a key", "://"),
    ("is two keys: pass one", "[A-Z0-9+/]{30,}[^A-Z0-9+/]+[A-Z0-9+/]{30,}"),
    (_NAMED, rf"(?<!=)[=:]\s*{_QUOTE}?[A-Z0-9+/]"),
    ("has a quote: remove it", _QUOTE),
    ("has white space in it: pass one key", r"\s"),
)


def unwrapped(text: str) -> str:
    """The text without white space, byte order marks, and one pair of quotes around it."""
    text = _stripped(text)
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = _stripped(text[1:-1])
    return text


def _stripped(text: str) -> str:
    before = None
    while text != before:
        before, text = text, text.strip().strip(_INVISIBLE).removeprefix(_MISREAD_MARK)
    return text


def mistake(text: str, mistakes: Sequence[tuple[str, str]] = MISTAKES) -> str | None:
    """The first mistake in the text; None if there are no mistakes."""
    return next((name for name, regex in mistakes if re.search(regex, text, re.I | re.S)), None)
