"""Each option has a docstring, which editors and the API reference show."""

import ast
import inspect
from typing import Any

import pytest

from azure.communication.identity._pipeline import options
from azure.communication.identity._transports import _limits

KINDS: list[Any] = [options.ClientOptions, options.AsyncClientOptions, options.RequestOptions]
SECONDS = ["retry_backoff_factor", "retry_backoff_max", "timeout", "connection_timeout"]


def docs_of(name: str) -> dict[str, str]:
    """From the keys of a TypedDict and of its bases to the docstrings under the keys."""
    for kind in ast.parse(inspect.getsource(options)).body:
        if isinstance(kind, ast.ClassDef) and kind.name == name:
            found = {
                key.target.id: text.value.value
                for key, text in zip(kind.body, kind.body[1:], strict=False)
                if isinstance(key, ast.AnnAssign)
                and isinstance(key.target, ast.Name)
                and isinstance(text, ast.Expr)
                and isinstance(text.value, ast.Constant)
                and isinstance(text.value.value, str)
            }
            for base in kind.bases:
                found |= docs_of(ast.unparse(base))
            return found
    return {}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_each_accepted_option_has_a_docstring_with_its_default(kind: Any) -> None:
    docs = docs_of(kind.__name__)
    assert docs.keys() == kind.__annotations__.keys()
    for name, text in docs.items():
        assert "Default: " in " ".join(text.split()) + " ", name
        assert text.rstrip().endswith("."), name
    for name in SECONDS:
        assert "seconds" in docs[name]


@pytest.mark.parametrize("kind", [*KINDS, options.BaseClientOptions, options.PipelineOptions])
def test_each_option_may_be_left_out(kind: Any) -> None:
    assert not kind.__required_keys__


def test_the_timeouts_are_those_of_the_transports() -> None:
    docs = docs_of("PipelineOptions")
    assert f"Default: {_limits.CONNECT_SECONDS:g}." in docs["connection_timeout"]
    assert f"Default: {_limits.READ_SECONDS:g}." in docs["read_timeout"]
