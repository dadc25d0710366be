"""Credentials are cheap to import."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["user_credential", "user_credential_async"])
def test_no_transport_and_no_msrest_are_imported(module: str) -> None:
    program = (
        "import sys\n"
        f"import azure.communication.identity._shared.{module}\n"
        "print(sorted({'requests', 'aiohttp', 'msrest'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout.strip() == "[]"
