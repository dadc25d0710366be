"""tools/mutation.py finds its modules and tests, and the mutants of one module."""

import mutation
import pytest


def test_each_module_has_its_tests(capsys: pytest.CaptureFixture[str]) -> None:
    assert mutation.main(["--list", "_shared/signing"]) == 0
    assert capsys.readouterr().out.startswith(
        "azure/communication/identity/_shared/signing.py: tests/test_signing.py"
    )


def test_a_module_whose_mutants_are_killed(capsys: pytest.CaptureFixture[str]) -> None:
    assert mutation.main(["_shared/keywords"]) == 0
    assert "4 mutants, 4 killed, 0 survived, 2 equivalent" in capsys.readouterr().out


def test_a_survivor_is_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutation, "equivalent_mutants", set)
    assert mutation.main(["_shared/keywords"]) == 1
    printed = capsys.readouterr().out
    assert "4 killed, 2 survived, 0 equivalent" in printed
    assert (
        "  + nearest = [] if name in known else get_close_matches(name, sorted(known), n= 2)"
        in printed
    )
