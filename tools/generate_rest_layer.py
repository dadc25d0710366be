"""Generates the REST layer, azure/communication/identity/_generated/, from swagger/.

    python tools/generate_rest_layer.py          # write the layer
    python tools/generate_rest_layer.py --check  # exit with 1 if the layer is out of date

The layer has the shape of autorest's output: configuration, client, operation groups, request
builders and msrest models. The sync and async code comes from the same templates.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from filecmp import dircmp
from pathlib import Path
from textwrap import fill

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from rest_description import MODELS, Description

ROOT = Path(__file__).resolve().parent.parent
DESCRIPTION = ROOT / "swagger" / "communication_identity.json"
TEMPLATES = Path(__file__).resolve().parent / "templates"
TARGET = ROOT / "azure" / "communication" / "identity" / "_generated"

# The files that the sync and async layers share, with their templates.
ONCE = {
    "_enums.py": "enums.py.jinja",
    "_messages.py": "messages.py.jinja",
    "_request_builders.py": "request_builders.py.jinja",
    "models/__init__.py": "models_init.py.jinja",
    "models/_enums.py": "models_enums.py.jinja",
    "models/_models.py": "models.py.jinja",
}
# Written for the sync client and, under aio/, for the async client.
TWICE = {
    "__init__.py": "init.py.jinja",
    "_client.py": "client.py.jinja",
    "_configuration.py": "configuration.py.jinja",
    "operations/__init__.py": "operations_init.py.jinja",
}


def generate(target: Path) -> None:
    """Replaces the contents of ``target`` with the generated layer."""
    description = Description.read(DESCRIPTION)
    templates = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - the output is Python, not HTML
    )
    templates.filters["lines"] = _lines
    templates.globals["models_path"] = MODELS
    shutil.rmtree(target, ignore_errors=True)

    def emit(name: str, template: str, **variables: object) -> None:
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = templates.get_template(template).render(api=description, **variables)
        path.write_text(text, encoding="utf-8", newline="\n")

    for name, template in ONCE.items():
        emit(name, template)
    for is_async in (False, True):
        folder = "aio/" if is_async else ""
        for name, template in TWICE.items():
            emit(folder + name, template, is_async=is_async)
        for group in description.groups:
            name = f"operations/_{group.name}_operations.py"
            emit(folder + name, "operations.py.jinja", is_async=is_async, group=group)
    _format(target)


def _lines(text: str, indent: int) -> str:
    """Wraps a paragraph or a field of a docstring."""
    margin = " " * indent
    return fill(
        text,
        width=100,
        initial_indent=margin,
        # Continuation lines of a field are indented.
        subsequent_indent=margin + ("    " if text.startswith(":") else ""),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _format(target: Path) -> None:
    configuration = ["--config", str(ROOT / "pyproject.toml"), "--no-cache", "--quiet"]
    ruff = [sys.executable, "-m", "ruff"]
    # The linter sorts imports, the formatter breaks lines.
    for command in (["check", "--select", "I,F401", "--fix"], ["format"]):
        subprocess.run([*ruff, *command, *configuration, str(target)], check=True)


def differences(found: Path, wanted: Path) -> list[str]:
    """Lists the files that differ between two folders, except compiled files."""
    return _differences(dircmp(found, wanted, ignore=["__pycache__"]), "")


def _differences(comparison: "dircmp[str]", folder: str) -> list[str]:
    # Compare contents: sizes and modification times may be equal for different files.
    names = comparison.left_only + comparison.right_only
    for name in comparison.common_files:
        left, right = (Path(side, name) for side in (comparison.left, comparison.right))
        if left.read_bytes() != right.read_bytes():
            names.append(name)
    found = [folder + name for name in sorted(names)]
    for name, below in comparison.subdirs.items():
        found += _differences(below, f"{folder}{name}/")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    if not parser.parse_args().check:
        generate(TARGET)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder, "_generated")
        generate(wanted)
        changed = differences(TARGET, wanted)
    for name in changed:
        print(f"{name} is out of date: run tools/generate_rest_layer.py")
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
