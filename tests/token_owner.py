"""Whose token it is."""

import base64
import json


def owner(token: str) -> str:
    """The raw id of the user that a token is for."""
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return f"8:{claims['skypeid']}"
