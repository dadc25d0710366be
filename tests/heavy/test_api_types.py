"""api.md is correct: pyright infers the same type for each name of the library and of api.md."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from azure.communication import identity
from azure.communication.identity import aio

ROOT = Path(__file__).parents[2]
LIBRARY = "azure.communication.identity"
OPTIONS = f"{LIBRARY}._pipeline.options"
# The stub of each module, with the module that it tells of.
MODULES = {"sync_stub": LIBRARY, "async_stub": f"{LIBRARY}.aio", "option_stub": OPTIONS}
REVEALED = re.compile(r'Type of "(real|stub)_(.*?)" is "(.*)"', re.DOTALL)


@pytest.fixture(scope="module")
def stubs() -> dict[str, str]:
    """The stubs in api.md, with the names of the library that each takes from another."""
    text = (ROOT / "api.md").read_text("utf-8")
    sync, asynchronous, options = re.findall(r"```pyi\n(.*?)```", text, re.DOTALL)
    used = ", ".join(re.findall(r"^class (\w+)", options, re.MULTILINE))
    used = f"from {OPTIONS} import {used}\n"
    shared = ", ".join(sorted(set(identity.__all__) - set(aio.__all__)))
    return {
        "sync_stub": used + sync,
        "async_stub": f"{used}from {LIBRARY} import {shared}\n{asynchronous}",
        "option_stub": f"from {LIBRARY} import ApiVersion\n{options}",
    }


def expressions(stub: str, text: str) -> Iterator[str]:
    """Lines that reveal the type of each name of a stub, and of its real counterpart."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            yield from (f"reveal_type({kind}_{stub}.{node.name})" for kind in ("real", "stub"))
        elif isinstance(node, ast.ClassDef):
            is_dict = "TypedDict" in map(ast.unparse, node.bases)
            for member in node.body:
                for kind in ("real", "stub"):
                    yield revealing(kind, stub, node.name, member, is_dict)


def revealing(kind: str, stub: str, owner: str, member: ast.stmt, is_dict: bool) -> str:
    path = f"{kind}_{stub}.{owner}"
    if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef):
        decorators = [ast.unparse(each) for each in member.decorator_list]
        if "property" not in decorators:
            return f"reveal_type({path}.{member.name})"
        name = member.name
    elif isinstance(member, ast.AnnAssign):
        name = ast.unparse(member.target)
    else:
        assert isinstance(member, ast.Assign)
        return f"reveal_type({path}.{ast.unparse(member.targets[0])})"
    # An attribute of instances, whose name pyright prints.
    variable = f"{kind}_{stub}_{owner}"
    item = f'["{name}"]' if is_dict else f".{name}"
    return f"def _({variable}: {path}): reveal_type({variable}{item})"


def test_pyright_sees_the_library_as_api_md_tells(stubs: dict[str, str], tmp_path: Path) -> None:
    lines: list[str] = []
    for stub, module in MODULES.items():
        (tmp_path / f"{stub}.pyi").write_text(stubs[stub], "utf-8")
        lines += [f"import {stub} as stub_{stub}", f"import {module} as real_{stub}"]
        lines += expressions(stub, stubs[stub])
    (tmp_path / "revealing.py").write_text("\n".join(lines), "utf-8")
    found: dict[str, dict[str, set[str]]] = {"real": {}, "stub": {}}
    for each in diagnostics(tmp_path):
        match = REVEALED.fullmatch(each["message"])
        assert match, each
        # The decorator of azure-core for traces turns a coroutine into an Awaitable.
        shown = re.sub(r"CoroutineType\[Any, Any, (.*)\]$", r"Awaitable[\1]", match[3])
        found[match[1]].setdefault(match[2], set()).add(shown)
    assert len(found["real"]) >= 250
    assert found["stub"] == found["real"]


def diagnostics(folder: Path) -> list[dict[str, Any]]:
    configuration = {
        "extraPaths": [str(ROOT)],
        "pythonVersion": "3.10",
        "reportMissingModuleSource": False,  # stubs alone
        "reportTypedDictNotRequiredAccess": False,
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(configuration), "utf-8")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pyright", "--project", str(folder)),
            *("--pythonpath", sys.executable, "--outputjson"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["generalDiagnostics"]
    return found


@pytest.mark.parametrize("stub", ["sync_stub", "async_stub"])
def test_api_md_lists_all_public_members(stubs: dict[str, str], stub: str) -> None:
    module = import_module(MODULES[stub])
    for node in ast.parse(stubs[stub]).body:
        if not isinstance(node, ast.ClassDef):
            continue
        owner = getattr(module, node.name)
        if {"TypedDict", "Enum"} & {ast.unparse(base) for base in node.bases}:
            members = set(owner.__annotations__) or set(owner.__members__)
        else:
            fields = [vars(base).get("__annotations__", {}) for base in owner.__mro__]
            members = {*dir(owner), *(name for names in fields for name in names)}
        listed = {
            each.name
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
            else ast.unparse(each.target if isinstance(each, ast.AnnAssign) else each.targets[0])
            for each in node.body
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.AnnAssign | ast.Assign)
        }
        public = {name for name in members if not name.startswith("_")}
        assert {name for name in listed if not name.startswith("_")} == public
