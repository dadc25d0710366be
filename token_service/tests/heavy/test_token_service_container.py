"""The container image and the compose file, without a container engine.

The instructions of the Dockerfile are carried out in a folder, and its entry point runs with the
environment of the compose file; PostgreSQL, Redis and the emulator run on this machine.
"""

import json
import os
import re
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from dockerfile import Dockerfile, copy_context

FOLDER = Path(__file__).parents[2]
CHECKOUT = FOLDER.parent
DOCKERFILE = Dockerfile(FOLDER / "Dockerfile")
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))["services"]
IMAGE_PATHS = re.compile(r"(?<![\w.])/(opt|data|trust)\b")
CONTROL_TOKEN = "local"


class Image(NamedTuple):
    """What the image would hold, below `root`."""

    root: Path
    environment: dict[str, str]

    def within(self, text: str) -> str:
        return IMAGE_PATHS.sub(rf"{self.root}/\1", text)

    def command(self, text: str) -> list[str]:
        return [self.within(part) for part in json.loads(text)]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    root = tmp_path_factory.mktemp("image")
    source = root / "source"
    copy_context(CHECKOUT, FOLDER / "Dockerfile.dockerignore", source)
    image = Image(root, {})
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(root)}
    for name, value in os.environ.items():
        if name.startswith("PIP_"):  # of the machine, for the build
            environment[name] = value
    build, folders = DOCKERFILE.arguments_of("RUN")
    subprocess.run(["bash", "-ec", image.within(build)], cwd=source, env=environment, check=True)
    # The other one makes the user, which needs root; of it, the folder.
    assert folders.endswith("install --directory --owner=service /data")
    (root / "data").mkdir()
    settings = {name: image.within(value) for name, value in DOCKERFILE.settings()}
    return image._replace(environment=settings)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture(scope="module")
def emulator_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The emulator as in the compose file, whose volume `trust` is a folder here."""
    trust = tmp_path_factory.getbasetemp() / "trust"
    trust.mkdir()
    port = free_port()
    options = ["--port", str(port), "--ca-file", str(trust / "emulator.pem")]
    environment = {**os.environ, **COMPOSE["emulator"]["environment"]}
    with subprocess.Popen(
        [sys.executable, "-m", "acs_identity_emulator", *options],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("endpoint=")
        yield port
        process.kill()


@pytest.fixture
def environment(
    image: Image,
    emulator_port: int,
    postgresql_url: str,
    redis_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, str]:
    """Of the service in the compose file, with the addresses of this machine for its hosts."""
    found = dict(COMPOSE["service"]["environment"])
    trust = tmp_path_factory.getbasetemp() / "trust"
    text = json.dumps(found).replace("emulator:10010", f"127.0.0.1:{emulator_port}")
    text = text.replace("redis://cache:6379/0", redis_url).replace("/trust/", f"{trust}/")
    text = text.replace("postgresql+asyncpg://tokens:tokens@database:5432/tokens", postgresql_url)
    found = json.loads(text)
    found["ACS_TOKEN_CACHE_KEYS"] = re.sub(
        r"^\$\{ACS_TOKEN_CACHE_KEYS:-(.*)\}$", r"\1", found["ACS_TOKEN_CACHE_KEYS"]
    )
    assert "$" not in json.dumps(found)
    return {**image.environment, **found, "ACS_TOKEN_PORT": str(free_port())}


def post(url: str, body: Any, token: str) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode())
    request.add_header("Authorization", f"Bearer {token}")
    with urllib.request.urlopen(request) as response:
        return json.load(response)


def get(url: str, token: str = "") -> tuple[int, Any]:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def sign_in(emulator_port: int) -> str:
    """As the comment of the compose file says."""
    comment = (FOLDER / "compose.yaml").read_text(encoding="utf-8").replace("\n#", "")
    body = re.search(r"-d '(\{.*?\})'", comment)
    assert body is not None
    url = f"http://127.0.0.1:{emulator_port}/.emulator/entra/tokens"
    return str(post(url, json.loads(body[1]), CONTROL_TOKEN)["token"])


def test_the_entry_point_serves_and_is_healthy(
    image: Image, environment: dict[str, str], emulator_port: int
) -> None:
    entry_point = image.command(DOCKERFILE.arguments_of("ENTRYPOINT")[0])
    health_check = image.command(DOCKERFILE.arguments_of("HEALTHCHECK")[0].partition("CMD ")[2])

    def health() -> int:
        return subprocess.run(
            health_check, env=environment, check=False, stderr=subprocess.DEVNULL
        ).returncode

    with subprocess.Popen(
        [*entry_point, *COMPOSE["service"]["command"]],
        env=environment,
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            deadline = time.monotonic() + 120
            while health():
                assert process.poll() is None, process.communicate()
                assert time.monotonic() < deadline
                time.sleep(0.2)
            url = f"http://127.0.0.1:{environment['ACS_TOKEN_PORT']}"
            status, ready = get(f"{url}/readyz")
            assert (status, ready["resource"], ready["sharedCache"]) == (200, "ok", "ok")
            bearer = sign_in(emulator_port)
            status, answer = get(f"{url}/token?scopes=chat", bearer)
            assert status == 200, answer
            assert answer["scopes"] == ["chat"]
            assert get(f"{url}/token?scopes=chat", bearer) == (status, answer)
            assert get(f"{url}/")[0] == 404  # the page is for the development login
            process.terminate()
            _, log = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0
    assert all(json.loads(line) for line in log.splitlines())
    assert health() != 0


def test_without_a_resource_it_does_not_start(image: Image) -> None:
    entry_point = image.command(DOCKERFILE.arguments_of("ENTRYPOINT")[0])
    done = subprocess.run(
        entry_point, env=image.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "set one of ACS_TOKEN_RESOURCE_CONNECTION_STRING" in done.stderr


def test_nothing_runs_as_root_and_there_is_one_port() -> None:
    names = [found.name for found in DOCKERFILE.instructions]
    assert DOCKERFILE.arguments_of("USER") == ["service"]
    assert names.index("USER") < names.index("ENTRYPOINT")
    assert "useradd" in DOCKERFILE.arguments_of("RUN")[1]
    assert DOCKERFILE.arguments_of("EXPOSE") == ["8080"]
    service = COMPOSE["service"]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    published = [port for each in COMPOSE.values() for port in each.get("ports", ())]
    assert published == ["127.0.0.1:8080:8080", "127.0.0.1:10010:10010"]  # of this machine only


def test_the_service_starts_when_all_it_needs_is_healthy() -> None:
    needed = COMPOSE["service"]["depends_on"]
    assert set(needed) == {"database", "cache", "emulator"}
    assert {each["condition"] for each in needed.values()} == {"service_healthy"}
    assert "healthcheck" in COMPOSE["database"]
    assert "healthcheck" in COMPOSE["cache"]
    emulator = Dockerfile(CHECKOUT / "emulator" / "Dockerfile")
    assert emulator.arguments_of("HEALTHCHECK")


def test_the_image_has_the_service_and_neither_tests_nor_emulator(image: Image) -> None:
    (site,) = (image.root / "opt" / "service" / "lib").glob("python*/site-packages")
    installed = {path.name for path in site.iterdir()}
    assert {"acs_token_service", "asyncpg", "redis"} <= installed
    assert (site / "acs_token_service" / "web" / "page.html").exists()
    assert not [name for name in installed if name.startswith("test")]
    assert "acs_identity_emulator" not in installed


def test_the_certificates_of_the_emulator_are_trusted(
    emulator_port: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    bundle = tmp_path_factory.getbasetemp() / "trust" / "emulator.ca-bundle.pem"
    context = ssl.create_default_context(cafile=str(bundle))
    url = f"https://127.0.0.1:{emulator_port}/adfs/discovery/keys"
    with urllib.request.urlopen(url, context=context) as response:
        assert json.load(response)["keys"]
