"""The samples run as separate programs, against an emulator that they start or are given."""

import os
import re
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from acs_identity_emulator import IdentityEmulator

SAMPLES = Path(__file__).parents[1] / "samples"
CONNECTION_STRING = "AZURE_COMMUNICATION_SERVICE_CONNECTION_STRING"
CONNECTION_STRINGS = (
    CONNECTION_STRING,
    "COMMUNICATION_SERVICES_CONNECTION_STRING",
    "AZURE_COMMUNICATION_CONNECTION_STRING",
)
ENDPOINT = "AZURE_COMMUNICATION_SERVICE_ENDPOINT"

APP, USER, TENANT = (str(UUID(int=number)) for number in (11, 12, 13))

pytestmark = pytest.mark.parametrize("sample", ["identity_samples.py", "identity_samples_async.py"])

STEPS = [
    "Created the user USER",
    "Issued a token for chat; it expires TIME",
    "Issued a token for joining calls; it expires TIME",
    "Handed out a token that is kept fresh; it expires TIME",
    "Sent a request of your own; the status is 200",
    "Revoked the tokens of USER",
    "Deleted the user USER",
    "Created the user USER with a token; it expires TIME",
    "Deleted the user USER",
    "Created the user USER and found it again: True",
    "Its own id is sample-4711",
]
TEAMS = [
    "Exchanged the token of a Teams user; the new one expires TIME",
    "Let a Teams Phone user in through 1 application",
    "Let an Entra user in; it is on the list: True",
]


# Runs a program as if a package were not installed.
WITHOUT = """
import runpy, sys
_, module, program = sys.argv
sys.modules[module] = None
sys.argv[:] = [program]
sys.path[0] = program.rpartition("identity_samples")[0]
runpy.run_path(program, run_name="__main__")
"""


def run(
    sample: str, *arguments: str, without: str | None = None, **environment: str
) -> "subprocess.CompletedProcess[str]":
    ours = {*CONNECTION_STRINGS, ENDPOINT}
    inherited = {name: value for name, value in os.environ.items() if name not in ours}
    program = [] if without is None else ["-c", WITHOUT, without]
    return subprocess.run(
        [sys.executable, "-W", "error", *program, str(SAMPLES / sample), *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=inherited | environment,
        timeout=60,
    )


def steps(output: str) -> list[str]:
    output = re.sub(r"8:acs:[0-9a-f-]{36}_[0-9a-f-]{36}", "USER", output)
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00:00", "TIME", output).splitlines()


def test_starts_the_emulator_and_says_so(sample: str) -> None:
    done = run(sample)
    assert (done.returncode, done.stderr) == (0, "")
    introduction = "The environment names no resource: starting the emulator."
    assert steps(done.stdout) == [introduction, *STEPS, *TEAMS]


def test_prints_no_token(sample: str) -> None:
    # Every JWT begins with the base64 of '{"'.
    assert "eyJ" not in run(sample).stdout


def test_uses_the_connection_string_of_the_environment(sample: str) -> None:
    with IdentityEmulator() as emulator:
        resource_id = emulator.resource_id
        teams_user = {
            "TEAMS_USER_AAD_TOKEN": emulator.issue_entra_token(client_id=APP, user_object_id=USER),
            "TEAMS_USER_CLIENT_ID": APP,
            "TEAMS_USER_OBJECT_ID": USER,
            "TEAMS_USER_TENANT_ID": TENANT,
        }
        connection_string = {CONNECTION_STRING: emulator.connection_string}
        done = run(sample, **connection_string, **teams_user)
        without_teams = run(sample, **connection_string)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"8:acs:{resource_id}_" in done.stdout
    assert steps(done.stdout) == [*STEPS, *TEAMS]
    assert (without_teams.returncode, without_teams.stderr) == (0, "")
    introduction, *rest = steps(without_teams.stdout)
    assert introduction.startswith("Left out the examples with a Teams user: ")
    assert rest == STEPS


@pytest.mark.heavy
@pytest.mark.parametrize("name", CONNECTION_STRINGS)
def test_takes_the_connection_string_by_each_name_and_as_it_is_pasted(
    sample: str, name: str
) -> None:
    with IdentityEmulator() as emulator:
        done = run(sample, **{name: f'"{emulator.connection_string}"\r\n'})
    assert (done.returncode, done.stderr) == (0, "")
    assert steps(done.stdout)[1:] == STEPS


@pytest.mark.heavy
@pytest.mark.parametrize("name", CONNECTION_STRINGS)
def test_names_the_variable_that_is_wrong(sample: str, name: str) -> None:
    done = run(sample, **{name: "ACS=endpoint=https://host/;accesskey=c2VjcmV0"})
    assert done.returncode == 2
    assert f"{name}: The connection string begins with the name of a variable" in done.stderr
    assert "c2VjcmV0" not in done.stderr


def test_uses_the_endpoint_of_the_environment(sample: str) -> None:
    # Bearer tokens go out over https alone, so that an http endpoint shows which way was taken
    # without a network.
    done = run(sample, **{ENDPOINT: "http://127.0.0.1:9", "AZURE_TOKEN_CREDENTIALS": "dev"})
    assert done.returncode == 1
    assert "Bearer token authentication is not permitted for non-TLS" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({CONNECTION_STRING: "the key alone"}, f"{CONNECTION_STRING}: The connection string has"),
        ({ENDPOINT: "ftp://host"}, f"{ENDPOINT}: endpoint must be the URL of a resource"),
        ({ENDPOINT: "https://host", "AZURE_TOKEN_CREDENTIALS": "none"}, "AZURE_TOKEN_CREDENTIALS"),
    ],
)
def test_says_in_a_line_what_is_wrong_with_the_environment(
    sample: str, environment: dict[str, str], words: str
) -> None:
    done = run(sample, **environment)
    assert done.returncode == 2
    assert words in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("module", "environment", "words"),
    [
        ("acs_identity_emulator", {}, f"Set {CONNECTION_STRING} or {ENDPOINT}, or run "),
        ("azure.identity", {ENDPOINT: "https://host"}, "pip install azure-identity"),
    ],
)
def test_says_in_a_line_what_is_not_installed(
    sample: str, module: str, environment: dict[str, str], words: str
) -> None:
    done = run(sample, without=module, **environment)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert words in done.stderr


def test_refuses_arguments(sample: str) -> None:
    done = run(sample, "endpoint=https://host;accesskey=c2VjcmV0")
    assert (done.returncode, done.stdout) == (2, "")
    assert "error: unrecognized arguments: endpoint" in done.stderr
