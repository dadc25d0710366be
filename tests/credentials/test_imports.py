"""Credentials are cheap to import."""

import pytest
from fresh_process import run


@pytest.mark.parametrize("module", ["user_credential", "user_credential_async"])
def test_no_transport_and_no_msrest_are_imported(module: str) -> None:
    program = (
        "import sys\n"
        f"import azure.communication.identity._shared.{module}\n"
        "print(sorted({'requests', 'aiohttp', 'msrest'} & sys.modules.keys()))"
    )

    assert run(program) == "[]"
