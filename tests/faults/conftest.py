"""Both schemes, and the client options for them."""

import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme
from faults.two_packets import PATIENCE


@pytest.fixture(scope="package")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(params=["http", "https"])
def context(request: pytest.FixtureRequest, authority: trustme.CA) -> ssl.SSLContext | None:
    """The TLS context of a server, or None."""
    if request.param == "http":
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture
def options(authority: trustme.CA, tmp_path: Path) -> dict[str, Any]:
    """The options of a client that trusts the server, and retries at once."""
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    return {
        "api_version": "2025-03-02-preview",
        "connection_verify": str(bundle),
        "retry_backoff_factor": 0.0001,
        "timeout": PATIENCE,
    }
