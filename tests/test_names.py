"""The names that other code imports, and the cost of importing them."""

import importlib
import inspect
import re
from pathlib import Path

import pytest
from azure.core.credentials import AzureKeyCredential
from fresh_process import run

import azure.communication.identity
import azure.communication.identity.aio
from azure.communication.identity._api_versions import DEFAULT_VERSION
from azure.communication.identity._shared.auth_policy_utils import get_authentication_policy
from azure.communication.identity._shared.policy import HMACCredentialsPolicy
from azure.communication.identity._version import SDK_MONIKER, VERSION

PACKAGE = "azure.communication.identity"
ROOT = Path(__file__).resolve().parent.parent
IDENTIFIERS = [
    "CommunicationCloudEnvironment",
    "CommunicationIdentifier",
    "CommunicationIdentifierKind",
    "CommunicationUserIdentifier",
    "CommunicationUserProperties",
    "MicrosoftTeamsAppIdentifier",
    "MicrosoftTeamsAppProperties",
    "MicrosoftTeamsUserIdentifier",
    "MicrosoftTeamsUserProperties",
    "PhoneNumberIdentifier",
    "PhoneNumberProperties",
    "UnknownIdentifier",
    "identifier_from_raw_id",
]
NAMES = {
    "": ["CommunicationIdentityClient", "CommunicationTokenScope", "ApiVersion", *IDENTIFIERS],
    ".aio": ["CommunicationIdentityClient"],
    "._shared.models": [*IDENTIFIERS, "_MicrosoftBotIdentifier"],
    "._shared.utils": [
        "_convert_datetime_to_utc_int",
        "create_access_token",
        "get_current_utc_as_int",
        "get_current_utc_time",
        "parse_connection_str",
    ],
    "._shared.policy": ["HMACCredentialsPolicy"],
    "._shared.auth_policy_utils": ["get_authentication_policy"],
    "._api_versions": ["ApiVersion", "DEFAULT_VERSION"],
    "._shared.user_credential": ["CommunicationTokenCredential", "get_current_utc_as_int"],
    "._shared.user_credential_async": ["CommunicationTokenCredential", "get_current_utc_as_int"],
    "._version": ["SDK_MONIKER", "VERSION"],
    "._utils": ["convert_timedelta_to_mins"],
}


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module, names in NAMES.items() for name in names]
)
def test_a_name_that_other_code_imports_is_there(module: str, name: str) -> None:
    assert hasattr(importlib.import_module(PACKAGE + module), name)


def test_identifiers_are_the_same_by_either_path() -> None:
    models = importlib.import_module(f"{PACKAGE}._shared.models")
    for name in IDENTIFIERS:
        assert getattr(models, name) is getattr(azure.communication.identity, name)


@pytest.mark.parametrize("module", ["", ".aio", "._shared.models", "._generated.models"])
def test_all_is_sorted_and_true(module: str) -> None:
    found = importlib.import_module(PACKAGE + module)
    assert list(found.__all__) == sorted(set(found.__all__))
    for name in found.__all__:
        assert hasattr(found, name)


def test_all_has_every_public_name() -> None:
    found = azure.communication.identity
    public = {name for name in vars(found) if not name.startswith("_")}
    modules = {name for name in public if inspect.ismodule(getattr(found, name))}
    assert public - modules - {"VERSION"} == set(found.__all__)
    assert modules <= {"aio"}


def test_the_version_has_one_home() -> None:
    assert azure.communication.identity.__version__ == VERSION
    name, _, version = SDK_MONIKER.partition("/")
    assert (name, version) == ("communication-identity", VERSION)


def test_signatures_that_other_code_relies_on() -> None:
    assert isinstance(HMACCredentialsPolicy("host", "a2V5", False), HMACCredentialsPolicy)
    assert isinstance(
        HMACCredentialsPolicy(host="h", access_key="a2V5", decode_url=True), HMACCredentialsPolicy
    )
    assert isinstance(
        get_authentication_policy("https://host", AzureKeyCredential("a2V5"), False, True),
        HMACCredentialsPolicy,
    )
    parameters = inspect.signature(get_authentication_policy).parameters
    assert list(parameters) == ["endpoint", "credential", "decode_url", "is_async"]


@pytest.mark.parametrize("folder", ["azure", "azure/communication"])
def test_the_namespace_is_open_to_other_packages(folder: str) -> None:
    assert (ROOT / folder).is_dir()
    assert not (ROOT / folder / "__init__.py").exists()


CLIENTS = [
    azure.communication.identity.CommunicationIdentityClient,
    azure.communication.identity.aio.CommunicationIdentityClient,
]


@pytest.mark.parametrize("client", CLIENTS, ids=["sync", "async"])
def test_docstrings_name_the_version_that_is_the_default(client: type) -> None:
    for documented in (client, client.from_connection_string):  # type: ignore[attr-defined]
        named = re.findall(r"``([\w.-]+)`` by default", inspect.getdoc(documented) or "")
        assert named == [DEFAULT_VERSION.value]
        assert inspect.signature(documented).parameters["api_version"].default is DEFAULT_VERSION


HEAVY = "{'requests', 'aiohttp', 'msrest', 'urllib3', 'yarl'}"


@pytest.mark.parametrize(
    "statement",
    [
        "from azure.communication.identity import CommunicationUserIdentifier",
        "from azure.communication.identity.aio import CommunicationIdentityClient",
    ],
)
def test_an_import_brings_no_transport_and_no_msrest(statement: str) -> None:
    assert run(f"{statement}; import sys; print({HEAVY} & sys.modules.keys())") == "set()"


def test_the_async_client_does_not_import_requests() -> None:
    code = f"""
import sys
from azure.communication.identity.aio import CommunicationIdentityClient
CommunicationIdentityClient('https://host', 'a2V5')
print(sorted({HEAVY} & sys.modules.keys()))
"""
    assert run(code) == "['aiohttp', 'yarl']"


def test_a_call_of_the_sync_client_does_not_import_asyncio() -> None:
    code = """
import sys
from azure.communication.identity import CommunicationIdentityClient
from azure.core.exceptions import ServiceRequestError
with CommunicationIdentityClient('http://127.0.0.1:1', 'a2V5', retry_total=0) as client:
    try:
        client.create_user()
    except ServiceRequestError:
        print({'aiohttp', 'asyncio', 'requests', 'urllib3'} & sys.modules.keys())
"""
    assert run(code) == "{'urllib3'}"


def test_aiohttp_is_needed_only_when_an_async_client_is_made() -> None:
    code = """
import sys
sys.modules['aiohttp'] = None
from azure.communication.identity.aio import CommunicationIdentityClient
try:
    CommunicationIdentityClient('https://host', 'a2V5')
except ImportError as error:
    print(error)
from azure.communication.identity import CommunicationIdentityClient
with CommunicationIdentityClient('https://host', 'a2V5'):
    print('made')
"""
    message, made = run(code).splitlines()
    assert "pip install 'azure-communication-identity[aio]'" in message
    assert made == "made"
