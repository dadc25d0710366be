"""Writes api.md: every public name of the library with its signature, as a stub.

    python tools/api_surface.py           writes it
    python tools/api_surface.py --check   exits with 1 if it is not up to date

A change of the public surface changes this file, so that reviewers see it. griffe reads the
sources, without importing them, and ruff formats the stub.
"""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import griffe

ROOT = Path(__file__).parents[1]
API = ROOT / "api.md"
PACKAGE = "azure.communication.identity"
MODULES = [PACKAGE, f"{PACKAGE}.aio"]
OPTIONS = "_pipeline.options"

_HEAD = """\
# Public names

Written by `python tools/api_surface.py`, and checked by a test. Names that are not listed are
private. The keyword arguments of each `Unpack[…]` are at the end, and other names that signatures
use at the end of each part.
"""
# Special names that are used through syntax: `with`, and `case` with positions.
_LISTED_SPECIAL = {"__aenter__", "__aexit__", "__enter__", "__exit__", "__init__", "__match_args__"}


def surface(root: Path = ROOT) -> str:
    """The text of api.md."""
    package = griffe.load(PACKAGE, search_paths=[root], allow_inspection=False)
    stubs = {name: [*map(_resolved, _exported(package, name))] for name in MODULES}
    unpacked = sorted(set(re.findall(r"Unpack\[(\w+)\]", str([*map(_lines, stubs.values())]))))
    stubs["Keyword arguments"] = [package[f"{OPTIONS}.{name}"] for name in unpacked]
    listed = {entry.canonical_path for entries in stubs.values() for entry in entries}
    for entries in stubs.values():
        entries += [
            _resolved(package[path.removeprefix(f"{PACKAGE}.")])
            for path in sorted(_named(entries) - listed)
            if path.startswith(PACKAGE) and path.rpartition(".")[0] not in listed  # no members
        ]
    return "\n".join([_HEAD, *(f"## {title}\n\n{_stub(of)}" for title, of in stubs.items())])


def _exported(
    package: griffe.Object | griffe.Alias, name: str
) -> Iterator[griffe.Object | griffe.Alias]:
    module = package if name == PACKAGE else package[name.removeprefix(f"{PACKAGE}.")]
    return (module[name] for name in sorted(map(str, module.exports or [])))


def _resolved(member: griffe.Object | griffe.Alias) -> griffe.Object:
    return member.final_target if isinstance(member, griffe.Alias) else member


def _stub(entries: list[griffe.Object]) -> str:
    """The entries as a block of Markdown, with the imports of the names from elsewhere."""
    imports: dict[str, set[str]] = {}
    for path in _named(entries):
        module, _, name = path.rpartition(".")
        if not path.startswith(PACKAGE) and module:
            imports.setdefault(module, set()).add(name)
    lines = [
        f"from {module} import {', '.join(sorted(imports[module]))}" for module in sorted(imports)
    ]
    formatted = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "--stdin-filename", "api.pyi", "-"],
        input="\n".join([*lines, *_lines(entries)]),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
        cwd=ROOT,
    )
    return f"```pyi\n{formatted.stdout}```\n"


def _lines(entries: Iterable[griffe.Object]) -> list[str]:
    return [line for entry in entries for line in _entry(entry)]


def _entry(entry: griffe.Object) -> Iterator[str]:
    if isinstance(entry, griffe.Function):
        yield from _function(entry)
    elif isinstance(entry, griffe.Attribute):
        yield from _attribute(entry)
    elif isinstance(entry, griffe.Class):
        bases = [str(base) for base in entry.bases if not _is_of_package(base)]
        if total := entry.keywords.get("total"):
            bases = ["TypedDict", f"total={total}"]
        yield f"class {entry.name}({', '.join(bases)}):"
        lines = [line for member in _members(entry) for line in _entry(member)]
        yield from (f"    {line}" for line in lines or ["..."])


def _members(owner: griffe.Class) -> Iterator[griffe.Object]:
    """The public members of a class, the inherited ones included."""
    for name, member in sorted(owner.all_members.items()):
        if not name.startswith("_") or name in _LISTED_SPECIAL:
            yield _resolved(member)


def _attribute(attribute: griffe.Attribute) -> Iterator[str]:
    if "property" in attribute.labels:
        yield "@property"
        yield f"def {attribute.name}(self) -> {attribute.annotation}: ..."
    elif attribute.annotation is None:
        yield f"{attribute.name} = {attribute.value}"
    else:
        yield f"{attribute.name}: {attribute.annotation}"


def _function(function: griffe.Function) -> Iterator[str]:
    is_method = function.parent is not None and function.parent.is_class
    first = "cls" if "classmethod" in function.labels else "self"
    for signature in function.overloads or [function]:
        if function.overloads:
            yield "@overload"
        if "classmethod" in function.labels:
            yield "@classmethod"
        name, parameters = signature.signature(return_type=True).split("(", 1)
        if is_method:
            parameters = f"{first}{parameters if parameters[0] == ')' else f', {parameters}'}"
        yield f"{'async ' * ('async' in function.labels)}def {name}({parameters}: ..."


def _named(entries: list[griffe.Object]) -> set[str]:
    """The paths of the names in the signatures of the entries."""
    members = [member for it in entries if isinstance(it, griffe.Class) for member in _members(it)]
    expressions: list[object] = []
    for each in [*entries, *members]:
        if isinstance(each, griffe.Class):
            expressions += [base for base in each.bases if not _is_of_package(base)]
        elif isinstance(each, griffe.Attribute):
            expressions += [each.value if each in entries else None, each.annotation]
        elif isinstance(each, griffe.Function):
            for function in each.overloads or [each]:
                expressions += [function.returns]
                expressions += [parameter.annotation for parameter in function.parameters]
                expressions += [parameter.default for parameter in function.parameters]
    named = {
        name.canonical_path
        for expression in expressions
        if isinstance(expression, griffe.Expr)
        for name in expression.iterate()
        if isinstance(name, griffe.ExprName)
    }
    has_overloads = any(isinstance(each, griffe.Function) and each.overloads for each in members)
    return named | {"typing.overload"} if has_overloads else named


def _is_of_package(expression: str | griffe.Expr) -> bool:
    return isinstance(expression, griffe.Expr) and expression.canonical_path.startswith(PACKAGE)


def main(arguments: list[str]) -> int:
    """Runs the program; returns the exit status."""
    text = surface()
    if arguments == ["--check"]:
        return int(API.read_text(encoding="utf-8") != text)
    API.write_text(text, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
