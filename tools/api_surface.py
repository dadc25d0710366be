"""Writes api.md: every public name of the library with its signature.

    python tools/api_surface.py           writes it
    python tools/api_surface.py --check   exits with 1 if it is not up to date

A change of the public surface is thereby a change of a file, to be seen in review.
"""

import enum
import importlib
import inspect
import re
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, TracebackType, UnionType
from typing import Any

API = Path(__file__).parents[1] / "api.md"
MODULES = ["azure.communication.identity", "azure.communication.identity.aio"]

_HEAD = """\
# Public names

Written by `python tools/api_surface.py`, and held by a test. What is not listed here is private.
The keyword arguments that stand behind `Unpack[…]` are at the end. A `Policy` is a policy of the
azure-core pipeline.
"""
_WIDTH = 100
# Special methods that a user calls through syntax. The others (__eq__, __hash__, …) are behaviour,
# which tests show.
_LISTED_SPECIAL = {"__aenter__", "__aexit__", "__enter__", "__exit__"}
_OPTIONS = importlib.import_module("azure.communication.identity._pipeline.options")
_POLICY = _OPTIONS.Policy
_NAMES = {None: "None", NoneType: "None", TracebackType: "TracebackType"}
_UNPACKED = re.compile(r"Unpack\[(\w+)\]")


def surface() -> str:
    """The text of api.md."""
    modules = [importlib.import_module(name) for name in MODULES]
    sections = [
        _section(
            module.__name__,
            [line for name in sorted(module.__all__) for line in _entry(name, vars(module)[name])],
        )
        for module in modules
    ]
    names = sorted(set(_UNPACKED.findall("\n".join(sections))))
    lines = [line for name in names for line in _entry(name, getattr(_OPTIONS, name))]
    return "\n".join([_HEAD, *sections, _section("Keyword arguments", lines)])


def _section(title: str, lines: list[str]) -> str:
    return "\n".join([f"## {title}", "", "```", *lines[:-1], "```", ""])


def _entry(name: str, value: Any) -> Iterator[str]:
    if not inspect.isclass(value):
        yield from _signature(f"def {name}", value)
    elif issubclass(value, enum.Enum):
        yield f"class {name}({', '.join(base.__name__ for base in value.__bases__)})"
        yield from (f"    {member.name} = {member.value!r}" for member in value)
    elif typing.is_typeddict(value):
        yield f"class {name}(TypedDict)"
        fields = typing.get_type_hints(value)
        yield from (f"    {key}: {_type(kind)}" for key, kind in sorted(fields.items()))
    else:
        if getattr(value, "_is_protocol", False):
            yield f"class {name}(Protocol)"
        else:
            yield from _signature(f"class {name}", value)
        yield from (f"    {line}" for line in _members(value))
    yield ""


def _members(owner: type[Any]) -> Iterator[str]:
    attributes = {
        name: kind
        for base in reversed(owner.__mro__)
        for name, kind in inspect.get_annotations(base).items()
        if not name.startswith("_")
    }
    for name, kind in sorted(attributes.items()):
        yield f"{name}: {_type(kind)}"
    for name in sorted(dir(owner)):
        if name in attributes or (name.startswith("_") and name not in _LISTED_SPECIAL):
            continue
        member = inspect.getattr_static(owner, name)
        if isinstance(member, property):
            returned = inspect.signature(member.fget).return_annotation if member.fget else Any
            yield f"{name}: {_type(returned)}  # read-only"
        elif isinstance(member, classmethod | staticmethod):
            yield f"@{type(member).__name__}"
            yield from _signature(f"def {name}", getattr(owner, name))
        elif callable(member):
            is_async = inspect.iscoroutinefunction(inspect.unwrap(member))
            yield from _signature(f"{'async ' * is_async}def {name}", member)


def _signature(head: str, function: Any) -> Iterator[str]:
    # Not str(signature): how that shows types differs from one Python to the next.
    signature = inspect.signature(function)
    parts: list[str] = []
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in parts:
            parts.append("*")
        parts.append(_parameter(parameter))
    returned = signature.return_annotation
    is_class = inspect.isclass(function) or returned is signature.empty
    tail = ")" if is_class else f") -> {_type(returned)}"
    line = f"{head}({', '.join(parts)}{tail}"
    if len(line) <= _WIDTH:
        yield line
    else:
        yield f"{head}("
        yield from (f"    {part}," for part in parts)
        yield tail


def _parameter(parameter: inspect.Parameter) -> str:
    text = "**" * (parameter.kind is parameter.VAR_KEYWORD) + parameter.name
    if parameter.annotation is not parameter.empty:
        text += f": {_type(parameter.annotation)}"
    if parameter.default is not parameter.empty:
        default = parameter.default
        text += " = " + (str(default) if isinstance(default, enum.Enum) else repr(default))
    return text


def _type(annotation: Any) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation == _POLICY:
        return "Policy"
    if isinstance(annotation, enum.Enum):
        return str(annotation)
    if isinstance(annotation, str):
        return annotation
    if isinstance(annotation, list):
        return f"[{', '.join(map(_type, annotation))}]"
    if annotation in _NAMES:
        return _NAMES[annotation]
    if origin in (typing.Union, UnionType):
        if set(typing.get_args(_POLICY)) < set(arguments):
            arguments = (_POLICY, *(a for a in arguments if a not in typing.get_args(_POLICY)))
        return " | ".join(map(_type, arguments))
    if arguments:
        return f"{_type(origin)}[{', '.join(map(_type, arguments))}]"
    return getattr(annotation, "__name__", None) or str(annotation).rpartition(".")[2]


def main(arguments: list[str]) -> int:
    """Runs the program; returns the exit status."""
    text = surface()
    if arguments == ["--check"]:
        return int(API.read_text(encoding="utf-8") != text)
    API.write_text(text, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
