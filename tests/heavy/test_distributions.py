"""All distributions: what is in them, and that they work in an environment that has only them."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from zipfile import ZipFile

import pytest

from acs_identity_emulator import IdentityEmulator

CHECKOUT = Path(__file__).parents[2]


class Project(NamedTuple):
    """A distribution, and where its parts are in the checkout."""

    name: str
    folder: str
    package: str
    data: frozenset[str]
    sdist_extras: frozenset[str]
    wheel_extras: frozenset[str]


LIBRARY = Project(
    name="azure-communication-identity",
    folder=".",
    package="azure/communication/identity",
    data=frozenset({"py.typed"}),
    sdist_extras=frozenset({"CHANGELOG.md", "setup.py"}),
    wheel_extras=frozenset(),
)
EMULATOR = Project(
    name="acs-identity-emulator",
    folder="emulator",
    package="acs_identity_emulator",
    data=frozenset({"py.typed", "control/page.html"}),
    sdist_extras=frozenset(),
    wheel_extras=frozenset({"entry_points.txt"}),
)
TOKEN_SERVICE = Project(
    name="acs-token-service",
    folder="token_service",
    package="acs_token_service",
    data=frozenset({"py.typed", "web/page.html"}),
    sdist_extras=frozenset({"SETTINGS.md"}),
    wheel_extras=frozenset({"entry_points.txt"}),
)
PROJECTS = [LIBRARY, EMULATOR, TOKEN_SERVICE]
ALWAYS_IN_SDIST = {
    "LICENSE",
    "MANIFEST.in",
    "PKG-INFO",
    "README.md",
    "pyproject.toml",
    "setup.cfg",
}
ALWAYS_IN_DIST_INFO = {"METADATA", "RECORD", "WHEEL", "top_level.txt", "licenses/LICENSE"}


class Built(NamedTuple):
    """The files that a project was built into, and the source that they should hold."""

    project: Project
    source: Path
    sdist: Path
    wheel: Path


def copy_of_checkout(target: Path) -> Path:
    # A copy, because a build leaves a folder behind whose contents the next build packs again.
    ignored = shutil.ignore_patterns(".*", "*.egg-info", "__pycache__", "build", "dist")
    return shutil.copytree(CHECKOUT, target, ignore=ignored)


def build(project: Project, checkout: Path, output: Path) -> Built:
    source = checkout / project.folder
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(output), str(source))
    (sdist,) = output.glob("*.tar.gz")
    (wheel,) = output.glob("*.whl")
    return Built(project, source, sdist, wheel)


def run(*command: str, **environment: str) -> str:
    """Runs a program elsewhere than in the checkout, and returns what it printed."""
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(sys.executable).parent,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def modules(built: Built) -> set[str]:
    """The files of the package as they are in the tree: modules, and the data that they read."""
    package = built.source / built.project.package
    paths = [*package.rglob("*.py"), *(package / name for name in built.project.data)]
    return {path.relative_to(built.source).as_posix() for path in paths}


def files_of_wheel(built: Built) -> set[str]:
    with ZipFile(built.wheel) as wheel:
        return set(wheel.namelist())


def files_of_sdist(built: Built) -> set[str]:
    with tarfile.open(built.sdist) as sdist:
        files = [member.name for member in sdist.getmembers() if member.isfile()]
    root = built.sdist.name.removesuffix(".tar.gz")
    egg_info = f"{built.project.name.replace('-', '_')}.egg-info/"
    relative = {name.removeprefix(root + "/") for name in files}
    return {name for name in relative if not name.startswith(egg_info)}


def metadata(built: Built) -> Message:
    with ZipFile(built.wheel) as wheel:
        (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
        return HeaderParser().parsestr(wheel.read(name).decode())


@pytest.fixture(scope="session", params=PROJECTS, ids=lambda project: project.name)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("built")
    return build(request.param, copy_of_checkout(folder / "checkout"), folder / "dist")


def test_the_wheel_holds_the_package_and_nothing_else(built: Built) -> None:
    dist_info = built.wheel.name.removesuffix("-py3-none-any.whl") + ".dist-info/"
    expected = {dist_info + name for name in ALWAYS_IN_DIST_INFO | built.project.wheel_extras}
    assert files_of_wheel(built) == modules(built) | expected


def test_the_sdist_holds_what_builds_the_wheel_and_nothing_else(built: Built) -> None:
    expected = modules(built) | ALWAYS_IN_SDIST | built.project.sdist_extras
    assert files_of_sdist(built) == expected


def test_the_tree_holds_what_was_looked_for(built: Built) -> None:
    # Else the two tests above could agree on nothing.
    package = built.project.package
    assert {f"{package}/__init__.py", f"{package}/py.typed"} < modules(built)
    if built.project is TOKEN_SERVICE:
        assert f"{package}/people/migrations/versions/r0001_people.py" in modules(built)


def test_namespaces_stay_open_to_other_distributions(built: Built) -> None:
    closing = {"azure/__init__.py", "azure/communication/__init__.py"}
    assert not closing & files_of_wheel(built)


def test_stray_files_are_left_out(tmp_path: Path) -> None:
    checkout = copy_of_checkout(tmp_path / "checkout")
    package = checkout / LIBRARY.package
    strays = [
        checkout / "azure" / "stray.py",
        checkout / "azure" / "communication" / "stray.py",
        checkout / "stray.txt",
        package / "stray.txt",
        package / "_shared" / "stray.json",
        checkout / "tests" / "test_stray.py",
        checkout / "tools" / "__init__.py",
    ]
    for stray in strays:
        stray.parent.mkdir(exist_ok=True)
        stray.touch()
    built = build(LIBRARY, checkout, tmp_path / "dist")
    found = {name.rpartition("/")[2] for name in files_of_wheel(built) | files_of_sdist(built)}
    assert not found & {"stray.py", "stray.txt", "stray.json", "test_stray.py"}
    assert not any(name.startswith("tools") for name in files_of_wheel(built))


def test_metadata(built: Built) -> None:
    fields = metadata(built)
    assert fields["Name"] == built.project.name
    assert fields["Version"] == built.wheel.name.split("-")[1]
    assert fields["License-Expression"] == "MIT"
    assert fields["Requires-Python"] == ">=3.10"
    assert fields["Description-Content-Type"] == "text/markdown"
    assert {f"Programming Language :: Python :: 3.{minor}" for minor in range(10, 15)} <= set(
        fields.get_all("Classifier", [])
    )


def test_the_description_has_no_link_that_is_dead_on_an_index_page(built: Built) -> None:
    description = str(metadata(built).get_payload())
    assert description.startswith("# ")
    prose = re.sub("^```.*?^```$", "", description, flags=re.MULTILINE | re.DOTALL)
    assert not re.findall(r"\]\((?!https://|#)[^)]*\)", prose)


def test_the_index_would_take_both_files(built: Built) -> None:
    run(sys.executable, "-m", "twine", "check", "--strict", str(built.sdist), str(built.wheel))
    run(sys.executable, "-m", "check_wheel_contents", str(built.wheel))


def test_the_version_is_the_one_of_the_library() -> None:
    source = (CHECKOUT / LIBRARY.package / "_version.py").read_text(encoding="utf-8")
    changes = (CHECKOUT / "CHANGELOG.md").read_text(encoding="utf-8")
    latest = next(line for line in changes.splitlines() if line.startswith("## "))
    assert f'VERSION = "{latest.split()[1]}"' in source


class Environment:
    """A virtual environment that holds some distributions and what they require."""

    def __init__(self, folder: Path, *requirements: str | Path) -> None:
        venv.create(folder, with_pip=True, symlinks=os.name != "nt")
        self._scripts = folder / ("Scripts" if os.name == "nt" else "bin")
        self.install(*requirements)

    def install(self, *requirements: str | Path) -> None:
        """Installs them, and checks that everything which is installed agrees."""
        self.run("python", "-m", "pip", "install", "--quiet", *map(str, requirements))
        self.run("python", "-m", "pip", "check")

    def run(self, program: str, *arguments: str, **variables: str) -> str:
        return run(str(self._scripts / program), *arguments, **variables)


@pytest.fixture(scope="session")
def clean(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    wheels = [built.wheel]
    if built.project is TOKEN_SERVICE:
        folder = tmp_path_factory.mktemp("library")
        # The one of this checkout, which the index may not have yet.
        wheels.append(build(LIBRARY, copy_of_checkout(folder / "checkout"), folder / "dist").wheel)
    return Environment(tmp_path_factory.mktemp("clean"), *wheels)


CALLS = """
import os
from azure.communication.identity import CommunicationIdentityClient, CommunicationTokenScope
with CommunicationIdentityClient.from_connection_string(os.environ["CONNECTION_STRING"]) as client:
    user, token = client.create_user_and_token([CommunicationTokenScope.CHAT])
    client.revoke_tokens(user)
    client.delete_user(user)
print(user.raw_id)
"""


def is_there(module: str) -> str:
    return f"import importlib.util; print(importlib.util.find_spec({module!r}) is not None)"


def test_works_in_a_clean_environment(built: Built, clean: Environment) -> None:
    works = {LIBRARY: library_works, EMULATOR: emulator_works, TOKEN_SERVICE: token_service_works}
    works[built.project](built, clean)


def tells_its_version(built: Built, clean: Environment) -> None:
    name, version = built.project.name, metadata(built)["Version"]
    for program in (["python", "-m", built.project.package], [name]):
        assert clean.run(*program, "--version") == f"{name} {version}\n"


def library_works(_: Built, clean: Environment) -> None:
    clean.run("python", "-W", "error", str(CHECKOUT / "tests" / "without_aiohttp.py"))
    with IdentityEmulator() as emulator:
        variables = {"CONNECTION_STRING": emulator.connection_string}
        output = clean.run("python", "-W", "error", "-c", CALLS, **variables)
        assert output.startswith(f"8:acs:{emulator.resource_id}_")


def emulator_works(built: Built, clean: Environment) -> None:
    tells_its_version(built, clean)
    assert clean.run("python", "-c", is_there("azure")) == "False\n"


def token_service_works(built: Built, clean: Environment) -> None:
    tells_its_version(built, clean)
    # Without its extras: no emulator, no Redis, no PostgreSQL.
    for module in ("acs_identity_emulator", "redis", "asyncpg"):
        assert clean.run("python", "-c", is_there(module)) == "False\n"
    key = clean.run("acs-token-service", "new-key").strip()
    assert len(key) == 44
    with TemporaryDirectory() as folder:
        clean.run(
            "acs-token-service",
            "migrate",
            ACS_TOKEN_DATABASE_URL=f"sqlite+aiosqlite:///{folder}/people.db",
            ACS_TOKEN_RESOURCE_ENDPOINT="https://contoso.communication.azure.com",
            ACS_TOKEN_DEVELOPMENT_LOGIN="true",
        )
        assert Path(folder, "people.db").stat().st_size > 0


OFFICIAL = "azure-communication-identity==1.5.0"
INSTALLED = """
from importlib.metadata import distribution
from pathlib import Path
from azure.communication import identity
installed = distribution("azure-communication-identity")
recorded = {Path(file.locate()).resolve() for file in installed.files}
present = {path.resolve() for path in Path(identity.__file__).parent.rglob("*.py")}
print(installed.version, len(present), len(present - recorded))
"""


def test_replaces_the_official_package_and_makes_way_for_it(tmp_path: Path) -> None:
    wheel = build(LIBRARY, copy_of_checkout(tmp_path / "checkout"), tmp_path / "dist").wheel
    environment = Environment(tmp_path / "environment", OFFICIAL)
    for requirement, version in ((wheel, wheel.name.split("-")[1]), (OFFICIAL, "1.5.0")):
        environment.install(requirement)
        found = environment.run("python", "-W", "ignore", "-c", INSTALLED).split()
        assert found[0] == version
        assert int(found[1]) > 20
        # No module is left over from the other one.
        assert found[2] == "0"


def test_stands_beside_all_packages_of_communication_services(tmp_path: Path) -> None:
    wheel = build(LIBRARY, copy_of_checkout(tmp_path / "checkout"), tmp_path / "dist").wheel
    environment = Environment(tmp_path / "environment", wheel)
    names = [
        "callautomation",
        "chat",
        "email",
        "jobrouter",
        "messages",
        "phonenumbers",
        "rooms",
        "sms",
    ]
    environment.install(*(f"azure-communication-{name}" for name in names))
    imports = "; ".join(f"import azure.communication.{name}" for name in ["identity", *names])
    environment.run("python", "-W", "ignore", "-c", imports)
