"""Replaces user ids in texts, which are personal data, by salted hashes."""

import re
from hashlib import blake2b
from os import urandom
from urllib.parse import unquote

# Per process: the hash of a user is the same in all of its logs, and meaningless elsewhere.
_SALT = urandom(16)
_HASHED = re.compile("user-[0-9a-f]{16}")

_COLON = "(?::|%(?:25)?3[Aa])"  # as it is, or quoted once or twice
_END = r"[^\s/?#&\"'<>,;()\[\]{}\\]"
_GUID = "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
# An id is the second group of each.
_PATTERNS = [
    re.compile(pattern)
    for pattern in (
        # The path of an identity or of an assignment; ids of any form stand there.
        r"(/identities/|/assignments/)([^/?#\s\"'<>\\]+)",
        # JSON; ids of any form, those of Entra and custom ids included.
        r'("(?:id|customId|userId|objectId)"\s*:\s*")((?:[^"\\]|\\.)+)',
        rf'(")({_GUID})(?="\s*:)',
        # Raw ids anywhere: users and apps, and phone numbers.
        rf"(?<![\w%:])()((?:8|28){_COLON}[a-z-]+{_COLON}{_END}*[\w%-])",
        rf"(?<![\w%:])()(4{_COLON}(?:\+|%(?:25)?2B)?(?:\d{{5,}}|anonymous)(?:_\w+)?)",
    )
]


def hashed(user_id: str) -> str:
    """The stand-in for an id, quoted or not."""
    if _HASHED.fullmatch(user_id):
        return user_id
    plain = unquote(unquote(user_id))
    digest = blake2b(plain.encode("utf-8", "surrogatepass"), key=_SALT, digest_size=8)
    return f"user-{digest.hexdigest()}"


def without_user_ids(text: str) -> str:
    """The text, in which hashes replace the ids of users, apps and phone numbers."""
    for pattern in _PATTERNS:
        text = pattern.sub(lambda match: match[1] + hashed(match[2]), text)
    return text
