"""The container image: its stages are built in a clean folder, and its entry point is run there.

No container engine is needed: the instructions of the Dockerfile are carried out by this test, with
the paths of the image in a separate folder.
"""

import fnmatch
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from dockerfile import Dockerfile, copy_context

FOLDER = Path(__file__).parents[2]
IMAGE_PATHS = re.compile(r"(?<![\w.])/(opt|data|trust)\b")

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the image is of Linux")


DOCKERFILE = Dockerfile(FOLDER / "Dockerfile")


class Image(NamedTuple):
    """The contents of the image, below `root`."""

    root: Path
    environment: dict[str, str]
    entry_point: list[str]
    health_check: list[str]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    root = tmp_path_factory.mktemp("image")
    source = root / "source"
    source.mkdir()
    copy_context(FOLDER, FOLDER / ".dockerignore", source)

    def within(text: str) -> str:
        return IMAGE_PATHS.sub(rf"{root}/\1", text)

    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(root)}
    for name in ("PIP_INDEX_URL", "PIP_CONFIG_FILE", "PIP_CERT"):  # of the machine, for the build
        if name in os.environ:
            environment[name] = os.environ[name]
    run = DOCKERFILE.arguments_of("RUN")
    subprocess.run(["bash", "-ec", within(run[0])], cwd=source, env=environment, check=True)
    # The other one makes the user, which needs root; of it, the folders.
    for folder in re.findall(r" (/\w+)(?= |$)", run[1].partition("install")[2]):
        (root / folder[1:]).mkdir()
    shutil.rmtree(source)  # absent from the second stage
    health_check = DOCKERFILE.arguments_of("HEALTHCHECK")[0].partition("CMD ")[2]
    return Image(
        root,
        {name: within(value) for name, value in DOCKERFILE.settings()},
        [within(part) for part in json.loads(DOCKERFILE.arguments_of("ENTRYPOINT")[0])],
        [within(part) for part in json.loads(health_check)],
    )


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


class Running(NamedTuple):
    process: "subprocess.Popen[str]"
    environment: dict[str, str]


@pytest.fixture
def running(image: Image) -> Iterator[Running]:
    """The entry point with the environment of the compose file, on a port that is free here."""
    compose = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
    service = compose["services"]["emulator"]
    environment = {
        **image.environment,
        **service["environment"],
        "ACS_IDENTITY_EMULATOR_CONTROL_TOKEN": "local",
        "ACS_IDENTITY_EMULATOR_PORT": free_port(),
    }
    with subprocess.Popen(
        image.entry_point,
        env=environment,
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield Running(process, environment)
        process.kill()


def test_the_entry_point_serves_and_is_healthy(image: Image, running: Running) -> None:
    process, environment = running
    deadline = time.monotonic() + 30
    while subprocess.run(image.health_check, env=environment, check=False).returncode:
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()[1]
    assert process.stdout is not None
    connection_string = process.stdout.readline().strip()
    assert re.fullmatch(r"endpoint=http://127\.0\.0\.1:\d+/;accesskey=[\w+/]+=*", connection_string)
    assert (image.root / "data" / "emulator.db").exists()
    assert (image.root / "trust" / "emulator.pem").exists()
    assert (image.root / "trust" / "emulator.ca-bundle.pem").exists()
    process.terminate()
    _, log = process.communicate(timeout=10)
    assert process.returncode == 0
    assert all(json.loads(line) for line in log.splitlines())
    assert subprocess.run(image.health_check, env=environment, check=False).returncode == 1


def test_without_a_control_token_it_does_not_start(image: Image) -> None:
    done = subprocess.run(
        image.entry_point, env=image.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "--control-token must be set" in done.stderr


def test_nothing_runs_as_root_and_there_is_one_port() -> None:
    names = [found.name for found in DOCKERFILE.instructions]
    assert DOCKERFILE.arguments_of("USER") == ["emulator"]
    assert names.index("USER") < names.index("ENTRYPOINT")
    assert "useradd" in DOCKERFILE.arguments_of("RUN")[1]
    assert DOCKERFILE.arguments_of("EXPOSE") == ["10010"]
    compose = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
    assert compose["services"]["emulator"]["ports"] == ["127.0.0.1:10010:10010"]


def test_the_image_has_the_package_and_no_tests(image: Image) -> None:
    (site,) = (image.root / "opt" / "emulator" / "lib").glob("python*/site-packages")
    installed = {path.name for path in site.iterdir()}
    assert "acs_identity_emulator" in installed
    assert not fnmatch.filter(installed, "test*")
