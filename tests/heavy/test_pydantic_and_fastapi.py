"""Identifiers in pydantic models and FastAPI: read from raw ids, and written as raw ids."""

import json
import subprocess
import sys
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from azure.communication.identity import (
    CommunicationIdentifier,
    CommunicationUserDetail,
    CommunicationUserIdentifier,
    CommunicationUserProperties,
    MicrosoftTeamsAppIdentifier,
    MicrosoftTeamsAppProperties,
    MicrosoftTeamsUserIdentifier,
    MicrosoftTeamsUserProperties,
    PhoneNumberIdentifier,
    PhoneNumberProperties,
    TeamsExtensionUserIdentifier,
    TeamsExtensionUserProperties,
    UnknownIdentifier,
    identifier_from_raw_id,
)

USER, PHONE, EXTENSION = "8:acs:resource_user", "4:+14255550123", "8:acs:resource_tenant_user"
RAW_IDS: dict[type[CommunicationIdentifier], str] = {
    CommunicationUserIdentifier: USER,
    PhoneNumberIdentifier: PHONE,
    MicrosoftTeamsUserIdentifier: "8:orgid:user",
    MicrosoftTeamsAppIdentifier: "28:orgid:app",
    TeamsExtensionUserIdentifier: EXTENSION,
    UnknownIdentifier: "48:calllogs",
}
each_class = pytest.mark.parametrize(("cls", "raw_id"), RAW_IDS.items())


def model_of(field: Any) -> type[BaseModel]:
    return type("Model", (BaseModel,), {"__annotations__": {"who": field}, "__module__": __name__})


@each_class
@pytest.mark.parametrize("of_the_protocol", [False, True])
def test_a_field_is_read_from_a_raw_id_and_written_as_one(
    cls: type[CommunicationIdentifier], raw_id: str, of_the_protocol: bool
) -> None:
    model = model_of(CommunicationIdentifier if of_the_protocol else cls)
    read: Any = model.model_validate({"who": raw_id})
    assert type(read.who) is cls
    assert read.who.raw_id == raw_id
    assert model.model_validate({"who": read.who}) == read
    assert read.model_dump() == {"who": raw_id}
    assert json.loads(read.model_dump_json()) == {"who": raw_id}
    assert model.model_validate_json(read.model_dump_json()) == read
    for mode in ("validation", "serialization"):
        field = model.model_json_schema(mode=mode)["properties"]["who"]
        assert field["type"] == "string"


@each_class
def test_the_raw_id_of_another_kind_is_an_error_that_names_both(
    cls: type[CommunicationIdentifier], raw_id: str
) -> None:
    for other in RAW_IDS.keys() - {cls}:
        with pytest.raises(ValidationError) as caught:
            model_of(other).model_validate({"who": raw_id})
        message = caught.value.errors()[0]["msg"]
        found = f"{cls.__module__}.{cls.__name__}"
        assert f"expected a {other.__name__} or its raw id, not a {found}" in message


class ForeignIdentifier:
    """An identifier of another Azure package."""

    def __init__(self, raw_id: Any) -> None:
        self.raw_id = raw_id


@each_class
def test_an_identifier_of_another_package_is_converted(
    cls: type[CommunicationIdentifier], raw_id: str
) -> None:
    read: Any = model_of(cls).model_validate({"who": ForeignIdentifier(raw_id)})
    assert type(read.who) is cls
    assert read.model_dump() == {"who": raw_id}


@pytest.mark.parametrize("value", [7, ForeignIdentifier(7), ForeignIdentifier(None)])
def test_an_error_names_the_module_of_a_class(value: object) -> None:
    kind = type(value)
    found = f"not a {kind.__module__}.{kind.__name__}"
    with pytest.raises(ValidationError, match=f"expected a CommunicationUserIdent.*{found}"):
        model_of(CommunicationUserIdentifier).model_validate({"who": value})


def test_an_instance_is_taken_as_it_is_unless_its_raw_id_is_of_another_kind() -> None:
    model = model_of(CommunicationUserIdentifier)
    for user in (
        CommunicationUserIdentifier("user", raw_id=USER),
        CommunicationUserIdentifier("an id of a test"),
    ):
        read: Any = model.model_validate({"who": user})
        assert read.who is user
    with pytest.raises(ValidationError, match=r"not a .*\.TeamsExtensionUserIdentifier"):
        model.model_validate({"who": CommunicationUserIdentifier(EXTENSION)})


@pytest.mark.parametrize("value", [7, None, b"8:acs:1", {"raw_id": USER}])
def test_a_value_of_another_type_is_an_error(value: object) -> None:
    with pytest.raises(ValidationError, match="expected a CommunicationIdentifier or its raw id"):
        model_of(CommunicationIdentifier).model_validate({"who": value})


def test_a_union_takes_either_kind() -> None:
    model = model_of(list[CommunicationUserIdentifier | PhoneNumberIdentifier])
    read: Any = model.model_validate({"who": [PHONE, USER]})
    assert read.who == [PhoneNumberIdentifier("+14255550123"), CommunicationUserIdentifier(USER)]


def test_a_dataclass_and_the_details_of_a_user_have_fields_too() -> None:
    @dataclass
    class Meeting:
        host: CommunicationUserIdentifier

    assert Meeting(host=USER).host == CommunicationUserIdentifier(USER)  # type: ignore[arg-type]
    details: Any = model_of(CommunicationUserDetail).model_validate({"who": {"user": USER}})
    assert details.who == CommunicationUserDetail(user=CommunicationUserIdentifier(USER))
    assert details.model_dump()["who"]["user"] == USER


@pytest.mark.parametrize(
    ("properties", "keys"),
    [
        (CommunicationUserProperties, {"id"}),
        (PhoneNumberProperties, {"value", "is_anonymous", "asserted_id"}),
        (MicrosoftTeamsUserProperties, {"user_id", "is_anonymous", "cloud"}),
        (MicrosoftTeamsAppProperties, {"app_id", "cloud"}),
        (TeamsExtensionUserProperties, {"user_id", "tenant_id", "resource_id", "cloud"}),
    ],
)
def test_pydantic_takes_the_properties(properties: Any, keys: set[str]) -> None:
    assert TypeAdapter(properties).json_schema()["properties"].keys() == keys


app = FastAPI()


class Call(BaseModel):
    source: CommunicationUserIdentifier
    targets: list[CommunicationIdentifier]


@app.post("/calls")
def call(call: Call) -> Call:
    return call


# By the protocol: FastAPI takes the classes, which are dataclasses, for the body of a request.
@app.get("/participants/{participant}")
def echoed(participant: CommunicationIdentifier) -> CommunicationIdentifier:
    assert participant == identifier_from_raw_id(participant.raw_id)
    return participant


@app.get("/host")
def host() -> CommunicationUserIdentifier:
    found: Any = ForeignIdentifier(USER)
    return found  # type: ignore[no-any-return]


def test_fastapi_returns_the_raw_id_of_an_identifier_of_another_package() -> None:
    assert TestClient(app).get("/host").json() == USER


def test_fastapi_takes_and_returns_raw_ids() -> None:
    client = TestClient(app)
    body = {"source": USER, "targets": [PHONE, EXTENSION, USER]}
    assert client.post("/calls", json=body).json() == body
    assert client.get(f"/participants/{PHONE}").json() == PHONE
    assert client.post("/calls", json={"source": PHONE, "targets": []}).status_code == 422
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    assert schemas["Call"]["properties"]["source"]["type"] == "string"


def test_the_library_does_not_import_pydantic() -> None:
    program = (
        "import sys, azure.communication.identity.aio; "
        "assert not {'pydantic', 'pydantic_core'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
