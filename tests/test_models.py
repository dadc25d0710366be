"""The classes of results are values: made by names, compared by their fields, never changed."""

import dataclasses
from typing import Any

import pytest

from azure.communication.identity import (
    CommunicationUserDetail,
    CommunicationUserIdentifier,
    EntraAssignment,
    EntraAssignmentUpdate,
    TeamsExtensionAssignment,
)

MODELS: list[tuple[type, dict[str, Any], dict[str, Any]]] = [
    (
        CommunicationUserDetail,
        {"user": CommunicationUserIdentifier("8:acs:x")},
        {"custom_id": None, "last_token_issued_at": None},
    ),
    (
        TeamsExtensionAssignment,
        {"tenant_id": "t", "object_id": "o", "principal_type": "user"},
        {"client_ids": ()},
    ),
    (
        EntraAssignment,
        {"object_id": "o", "tenant_id": "t", "principal_type": "user"},
        {"client_ids": ()},
    ),
    (
        EntraAssignmentUpdate,
        {"tenant_id": "t", "principal_type": "user", "client_ids": ["c"]},
        {},
    ),
]


@pytest.mark.parametrize(("model", "required", "defaults"), MODELS, ids=lambda value: str(value))
def test_a_value(model: Any, required: dict[str, Any], defaults: dict[str, Any]) -> None:
    value = model(**required)
    assert vars(value) == {**required, **defaults}
    assert value == model(**required, **defaults)
    assert value != model(**{**required, next(iter(required)): "another"})
    for name in required:
        assert repr(required[name]) in repr(value)
        with pytest.raises(TypeError, match=name):
            model(**{given: required[given] for given in required if given != name})
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, name, "another")
    with pytest.raises(TypeError, match="positional argument"):
        model(*required.values())
