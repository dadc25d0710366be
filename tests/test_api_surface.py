"""api.md is what tools/api_surface.py makes of the library as it is."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from azure.communication.identity import CommunicationIdentityClient, UnknownIdentifier

CHECKOUT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def program() -> ModuleType:
    path = CHECKOUT / "tools" / "api_surface.py"
    spec = importlib.util.spec_from_file_location("api_surface", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_api_md_is_up_to_date(program: ModuleType) -> None:
    written = (CHECKOUT / "api.md").read_text(encoding="utf-8")
    assert written == program.surface(), "run: python tools/api_surface.py"
    assert program.main(["--check"]) == 0


def renamed(self: object, identity: str) -> None: ...


@pytest.mark.parametrize(
    ("owner", "name", "value"),
    [
        (CommunicationIdentityClient, "create_user", renamed),
        (CommunicationIdentityClient, "another", renamed),
        (UnknownIdentifier, "another", property(lambda self: "")),
        (UnknownIdentifier, "__init__", renamed),
    ],
)
def test_a_change_of_the_surface_shows(
    program: ModuleType, monkeypatch: pytest.MonkeyPatch, owner: type, name: str, value: object
) -> None:
    monkeypatch.setattr(owner, name, value, raising=False)
    assert program.main(["--check"]) == 1


def test_private_names_do_not_show(program: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(UnknownIdentifier, "_another", renamed, raising=False)
    assert program.main(["--check"]) == 0
