"""The limits of the transports are those that the documents name."""

from pathlib import Path

import pytest

from azure.communication.identity._transports import _limits

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ("migrating.md", f"| {_limits.CONNECT_SECONDS:g} s and {_limits.READ_SECONDS:g} s |"),
        ("migrating.md", f"at most {_limits.MAX_HEADER_BYTES / 1024:g} KiB of headers"),
        ("migrating.md", f"and {_limits.MAX_BODY_BYTES / 1024**2:g} MiB of body"),
        ("processes.md", f"closed instead of reused after {_limits.IDLE_SECONDS:g} seconds"),
        ("processes.md", f"for at most {_limits.CONNECTION_SECONDS / 60:g} minutes"),
    ],
)
def test_a_limit_is_documented(document: str, text: str) -> None:
    assert text in (DOCS / document).read_text("utf-8")
