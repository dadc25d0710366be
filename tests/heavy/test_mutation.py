"""tools/mutation.py finds its modules and tests."""

import mutation
import pytest


def test_each_module_has_its_tests(capsys: pytest.CaptureFixture[str]) -> None:
    assert mutation.main(["--list", "_shared/signing"]) == 0
    assert capsys.readouterr().out.startswith(
        "azure/communication/identity/_shared/signing.py: tests/test_signing.py"
    )
