"""The REST layer is the output of its generator, which rejects what it does not know."""

import copy
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import generate_rest_layer
import pytest
from generate_rest_layer import DESCRIPTION, TARGET, differences, generate
from rest_description import Description, snake_case

DOCUMENT = json.loads(DESCRIPTION.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("generated") / "_generated"
    generate(target)
    return target


def test_the_layer_is_what_the_generator_writes(generated: Path) -> None:
    assert differences(TARGET, generated) == []


def test_the_layer_is_written_in_place_of_what_is_there(tmp_path: Path, generated: Path) -> None:
    stale = tmp_path / "operations" / "_stale.py"
    stale.parent.mkdir()
    stale.touch()
    generate(tmp_path)
    assert differences(tmp_path, generated) == []


def test_differences_are_told_by_contents_and_in_all_folders(tmp_path: Path) -> None:
    left, right = tmp_path / "left", tmp_path / "right"
    for folder in (left, right):
        (folder / "below" / "__pycache__").mkdir(parents=True)
        (folder / "same.py").write_text("same")
    assert differences(left, right) == []
    (left / "below" / "__pycache__" / "same.pyc").touch()
    assert differences(left, right) == []
    (left / "changed.py").write_text("one")
    (right / "changed.py").write_text("two")
    (left / "below" / "only_here.py").touch()
    (right / "only_there").mkdir()
    assert differences(left, right) == ["changed.py", "only_there", "below/only_here.py"]


def test_the_check_names_what_has_drifted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "argv", ["generate_rest_layer.py", "--check"])
    monkeypatch.setattr(generate_rest_layer, "TARGET", tmp_path)

    def write_one_file(target: Path) -> None:
        target.mkdir()
        (target / "new.py").touch()

    monkeypatch.setattr(generate_rest_layer, "generate", write_one_file)
    assert generate_rest_layer.main() == 1
    assert capsys.readouterr().out.startswith("new.py is out of date")
    (tmp_path / "new.py").touch()
    assert generate_rest_layer.main() == 0


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("expiresInMinutes", "expires_in_minutes"),
        ("TeamsExtension", "teams_extension"),
        ("innerError", "inner_error"),
        ("id", "id"),
        ("V2Id", "v2_id"),
    ],
)
def test_names_are_written_as_python_writes_them(name: str, expected: str) -> None:
    assert snake_case(name) == expected


def everything(document: dict[str, Any]) -> list[Any]:
    api = Description(document)
    return [api.groups, api.enums, api.models]


def test_the_description_is_understood() -> None:
    groups, enums, models = everything(DOCUMENT)
    operations = [operation for group in groups for operation in group.operations]
    assert [group.name for group in groups] == [
        "communication_identity",
        "teams_extension",
        "entra",
    ]
    assert len(operations) == sum(len(methods) for methods in DOCUMENT["paths"].values())
    assert {item.name for item in enums + models} == set(DOCUMENT["definitions"])


def operation(document: dict[str, Any]) -> Any:
    return document["paths"]["/identities"]["post"]


def path_operation(document: dict[str, Any]) -> Any:
    return document["paths"]["/identities/{id}"]["delete"]


def pages(document: dict[str, Any]) -> Any:
    return document["paths"]["/access/entra/assignments"]["get"]


def merge_patch(document: dict[str, Any]) -> Any:
    patch = document["paths"]["/access/entra/assignments"]["patch"]
    return patch["parameters"][-1]["schema"]


def definition(document: dict[str, Any], name: str = "CommunicationIdentity") -> Any:
    return document["definitions"][name]


def some_property(document: dict[str, Any]) -> Any:
    return definition(document)["properties"]["customId"]


NOT_UNDERSTOOD: dict[str, Callable[[dict[str, Any]], object]] = {
    "deprecated": lambda it: operation(it).update(deprecated=True),
    "x-ms-long-running-operation": lambda it: path_operation(it).update(
        {"x-ms-long-running-operation": True}
    ),
    "header": lambda it: operation(it)["parameters"].append(
        {"name": "If-Match", "in": "header", "type": "string"}
    ),
    "formData": lambda it: operation(it)["parameters"].append({"name": "a", "in": "formData"}),
    "filter": lambda it: path_operation(it)["parameters"].append(
        {"name": "filter", "in": "query", "type": "string"}
    ),
    "pattern": lambda it: it["parameters"]["IdParameter"].update(pattern="8:.*"),
    "x-ms-client-flatten": lambda it: operation(it)["parameters"][-1].update(
        {"x-ms-client-flatten": True}
    ),
    "allOf": lambda it: definition(it).update(allOf=[]),
    "additionalProperties": lambda it: definition(it).update(additionalProperties=True),
    "array": lambda it: definition(it).update(type="array"),
    "maxItems": lambda it: some_property(it).update(maxItems=3),
    "number": lambda it: some_property(it).update(type="number"),
    "uuid": lambda it: some_property(it).update(format="uuid"),
    "successes have different schemas": lambda it: operation(it)["responses"].update(
        {"204": {"description": "Nothing."}}
    ),
    "operationName": lambda it: pages(it)["x-ms-pageable"].update(operationName="Next"),
    "nextUrl": lambda it: pages(it)["x-ms-pageable"].update(nextLinkName="nextUrl"),
    "minProperties": lambda it: merge_patch(it).update(minProperties=1),
    "minLength": lambda it: merge_patch(it)["additionalProperties"].update(minLength=1),
    "too many values": lambda it: operation(it)["consumes"].append("text/plain"),
    "enum and x-ms-enum differ": lambda it: definition(it, "CommunicationTokenScope")[
        "enum"
    ].append("sms"),
}


@pytest.mark.parametrize(("named", "change"), NOT_UNDERSTOOD.items(), ids=NOT_UNDERSTOOD)
def test_what_is_not_understood_is_an_error_that_names_it(
    named: str, change: Callable[[dict[str, Any]], object]
) -> None:
    document = copy.deepcopy(DOCUMENT)
    change(document)
    with pytest.raises(ValueError, match=named):
        everything(document)


@pytest.mark.parametrize(
    "remove",
    [
        lambda it: definition(it).pop("description"),
        lambda it: operation(it).pop("summary"),
        lambda it: operation(it).pop("operationId"),
        lambda it: it["parameters"].pop("IdParameter"),
    ],
)
def test_what_is_missing_is_an_error(remove: Callable[[dict[str, Any]], object]) -> None:
    document = copy.deepcopy(DOCUMENT)
    remove(document)
    with pytest.raises(KeyError):
        everything(document)
