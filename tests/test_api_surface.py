"""api.md is what tools/api_surface.py makes of the sources, and shows every change of them."""

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from azure.communication import identity
from azure.communication.identity import aio

CHECKOUT = Path(__file__).parents[1]
SHARED = "_shared/identifiers.py"
CLIENT = "_communication_identity_client.py"


@pytest.fixture(scope="module")
def program() -> ModuleType:
    path = CHECKOUT / "tools" / "api_surface.py"
    spec = importlib.util.spec_from_file_location("api_surface", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def surface(program: ModuleType) -> str:
    text: str = program.surface()
    return text


def test_api_md_is_up_to_date(program: ModuleType, surface: str) -> None:
    written = (CHECKOUT / "api.md").read_text(encoding="utf-8")
    assert written == surface, "run: python tools/api_surface.py"
    assert program.main(["--check"]) == 0


def test_api_md_lists_what_is_exported(surface: str) -> None:
    _, sync, asynchronous, _ = surface.split("\n## ")
    for module, text in ((identity, sync), (aio, asynchronous)):
        for name in module.__all__:
            assert f"\nclass {name}" in text or f"\ndef {name}(" in text


def test_api_md_is_right_where_it_was_wrong(surface: str) -> None:
    assert "    def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken: ..." in surface
    assert (
        "    async def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken: ..." in surface
    )
    assert "    client_ids: tuple[str, ...]\n" in surface
    assert surface.count("    @overload\n    def __init__(\n") == 6
    assert "    def from_connection_string(\n        cls,\n" in surface
    assert "class RequestOptions(TypedDict, total=False):" in surface
    identifier = surface.split("class CommunicationUserIdentifier:")[1].split("\nclass ")[0]
    assert "    raw_id: str\n" in identifier  # inherited from a private class


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        (CLIENT, "    def create_user(", "    def create_users("),
        (CLIENT, "    def close(self) -> None:", "    def close(self) -> bool:"),
        (CLIENT, "    def close(self)", "    async def close(self)"),
        (SHARED, "def __init__(self, id: str, *", "def __init__(self, id: object, *"),
        (SHARED, "def __init__(self, identifier: str", "def __init__(self, *identifier: str"),
        (SHARED, "raw_id: str | None = None", 'raw_id: str | None = ""'),
        (SHARED, '__match_args__ = ("value",)', '__match_args__ = ("raw_id",)'),
        (SHARED, "    asserted_id: NotRequired[str]", "    asserted_id: str"),
        ("_shared/identifier_base.py", "    raw_id: str", "    raw_id: object"),
        ("_pipeline/options.py", "    redact_user_ids: bool", "    redact_user_ids: int"),
        ("_api_versions.py", "V2021_03_07 = ", "V2021_03_08 = "),
        ("__init__.py", '    "UnknownIdentifier",\n', ""),
    ],
)
def test_a_change_of_the_surface_shows(
    program: ModuleType, surface: str, tmp_path: Path, file: str, before: str, after: str
) -> None:
    assert changed(program, tmp_path, file, before, after) != surface


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        (CLIENT, "    def close(self)", "    def _flush(self) -> None: ...\n\n    def close(self)"),
        (CLIENT, '"""Creates a user.', '"""Makes a user.'),
    ],
)
def test_private_names_and_docstrings_do_not_show(
    program: ModuleType, surface: str, tmp_path: Path, file: str, before: str, after: str
) -> None:
    assert changed(program, tmp_path, file, before, after) == surface


def changed(program: ModuleType, tmp_path: Path, file: str, before: str, after: str) -> str:
    """The surface of the sources after a change in one place."""
    shutil.copytree(CHECKOUT / "azure", tmp_path / "azure")
    path = tmp_path / "azure" / "communication" / "identity" / file
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), "utf-8")
    changed: str = program.surface(tmp_path)
    return changed
