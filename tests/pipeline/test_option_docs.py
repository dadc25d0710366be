"""Each option says what it does where editors and the API reference show it."""

import ast
import inspect
from typing import Any

import pytest

from azure.communication.identity._pipeline import options

KINDS: list[Any] = [options.ClientOptions, options.AsyncClientOptions, options.RequestOptions]
SECONDS = ["retry_backoff_factor", "retry_backoff_max", "timeout", "connection_timeout"]


def documented() -> dict[str, dict[str, str]]:
    """From the TypedDicts and their keys to the docstrings under the keys."""
    found: dict[str, dict[str, str]] = {}
    for kind in ast.parse(inspect.getsource(options)).body:
        if isinstance(kind, ast.ClassDef):
            found[kind.name] = {
                key.target.id: text.value.value
                for key, text in zip(kind.body, kind.body[1:], strict=False)
                if isinstance(key, ast.AnnAssign)
                and isinstance(key.target, ast.Name)
                and isinstance(text, ast.Expr)
                and isinstance(text.value, ast.Constant)
                and isinstance(text.value.value, str)
            }
    return found


def docs_of(kind: Any) -> dict[str, str]:
    found = documented()
    result = dict(found[kind.__name__])
    for base in kind.__orig_bases__:
        if base.__name__ in found:
            result.update(docs_of(base))
    return result


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_each_accepted_option_has_a_docstring_with_its_default(kind: Any) -> None:
    docs = docs_of(kind)
    assert docs.keys() == kind.__annotations__.keys()
    for name, text in docs.items():
        assert "Default: " in " ".join(text.split()) + " ", name
        assert text.rstrip().endswith("."), name
    for name in SECONDS:
        assert "seconds" in docs[name]
