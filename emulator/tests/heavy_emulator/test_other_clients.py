"""The page "Other clients" of the documents: every program on it runs, on every version it names.

Needs npm and packages from the registries of Python and Node.js; curl and the Azure CLI are skipped
where they are not installed.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from acs_identity_emulator import IdentityEmulator

PAGE = Path(__file__).parents[3] / "docs" / "other-clients.md"
PYTHON_VERSIONS = ["1.0.1", "1.1.0", "1.2.0", "1.3.1", "1.4.0", "1.5.0"]
NODE_VERSIONS = ["1.0.0", "1.1.0", "1.2.0", "1.3.1"]
RAW_ID = re.compile(r"8:acs:[0-9a-f-]{36}_[0-9a-f-]{36}")
JWT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+")


def programs(language: str) -> list[str]:
    blocks = re.findall(
        rf"^```{language}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S
    )
    assert blocks
    return blocks


@pytest.fixture
def variables() -> Iterator[dict[str, str]]:
    """The environment that the page asks for."""
    with IdentityEmulator() as emulator:
        yield {
            **os.environ,
            **emulator.trust_environment,
            **emulator.managed_identity_environment,
            "CONNECTION_STRING": emulator.connection_string,
            "ENDPOINT": emulator.endpoint,
        }


def output(command: list[str], variables: dict[str, str], folder: Path) -> str:
    done = subprocess.run(
        command, env=variables, cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def python_before_3_13() -> str:
    """The early versions call `TypedDict` in a way that Python 3.13 removed."""
    names = [f"python3.{minor}" for minor in (12, 11, 10)]
    for candidate in (sys.executable, *filter(None, map(shutil.which, names))):
        code = "import sys; sys.exit(sys.version_info >= (3, 13))"
        if (
            subprocess.run([candidate, "-c", code], capture_output=True, check=False).returncode
            == 0
        ):
            return candidate
    pytest.skip("versions before 1.4 need a Python before 3.13, which is not installed")


@pytest.fixture(scope="module", params=PYTHON_VERSIONS)
def official_python(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The interpreter of an environment with one version of the official library."""
    folder = tmp_path_factory.mktemp("official")
    creator = python_before_3_13() if request.param < "1.4" else sys.executable
    subprocess.run([creator, "-m", "venv", "--without-pip", str(folder)], check=True)
    interpreter = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    package = f"azure-communication-identity=={request.param}"
    # The early versions do not declare all that they import.
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--python", str(interpreter), "install", "--quiet"),
            *(package, "aiohttp", "six", "typing-extensions"),
        ],
        check=True,
        timeout=600,
    )
    return interpreter


@pytest.mark.parametrize(
    "program", programs("python"), ids=["connection", "key", "async", "bundle"]
)
def test_official_python(
    official_python: Path, variables: dict[str, str], tmp_path: Path, program: str
) -> None:
    if "connection_verify" in program:
        del variables["SSL_CERT_FILE"]
    printed = output([str(official_python), "-c", program], variables, tmp_path)
    assert (JWT if "get_token" in program else RAW_ID).fullmatch(printed)


def test_official_python_says_what_is_missing(
    official_python: Path, variables: dict[str, str], tmp_path: Path
) -> None:
    """The variable is what makes it trust the emulator."""
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        del variables[variable]
    command = [str(official_python), "-c", programs("python")[0]]
    done = subprocess.run(
        command, env=variables, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "CERTIFICATE_VERIFY_FAILED" in done.stderr


@pytest.fixture(scope="module", params=NODE_VERSIONS)
def node_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("node")
    (folder / "package.json").write_text("{}", encoding="utf-8")
    package = f"@azure/communication-identity@{request.param}"
    install = [npm, "install", "--silent", "--no-fund", "--no-audit", package]
    subprocess.run(install, cwd=folder, check=True, timeout=600)
    return folder


@pytest.mark.parametrize("program", programs("javascript"), ids=["http", "https"])
def test_javascript(node_folder: Path, variables: dict[str, str], program: str) -> None:
    printed = output(["node", "-e", program], variables, node_folder)
    assert (JWT if "getToken" in program else RAW_ID).fullmatch(printed)


@pytest.fixture
def with_token(variables: dict[str, str], tmp_path: Path) -> Path:
    """A folder with the token that the section about curl gets; its second command is checked."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    curl, _ = programs("sh")
    assert RAW_ID.search(output(["bash", "-ec", curl], variables, tmp_path))
    return tmp_path


@pytest.mark.parametrize("variable", ["CURL_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"])
def test_curl(variables: dict[str, str], with_token: Path, variable: str) -> None:
    """By each variable that it reads, and by its option."""
    file = variables[variable]
    for name in ("CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        variables.pop(name, None)
    call = programs("sh")[0].partition("> token\n")[2]
    if variable == "NODE_EXTRA_CA_CERTS":
        call = call.replace("--silent", f"--silent --cacert '{file}'")
    else:
        variables[variable] = file
    assert RAW_ID.search(output(["bash", "-ec", call], variables, with_token))


def test_azure_cli(variables: dict[str, str], with_token: Path) -> None:
    if shutil.which("az") is None:
        pytest.skip("the Azure CLI is not installed")
    variables |= {"AZURE_CONFIG_DIR": str(with_token), "AZURE_CORE_COLLECT_TELEMETRY": "false"}
    assert RAW_ID.search(output(["bash", "-ec", programs("sh")[1]], variables, with_token))


def test_the_pytest_fixture_sets_what_the_page_names() -> None:
    with IdentityEmulator() as emulator:
        for variable in emulator.trust_environment:
            assert f"`{variable}`" in PAGE.read_text(encoding="utf-8")
