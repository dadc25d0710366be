"""Other Azure packages take our identifiers as they take those of the official package.

Two environments have these packages of today: one with the official azure-communication-identity
1.5.0, and one with this library. In both, azure_packages.py tries each operation with each kind.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("azure_packages.py")
PACKAGES = [
    "azure-communication-chat==1.3.0",
    "azure-communication-callautomation==1.6.0",
    "azure-communication-rooms==1.2.0",
    "azure-communication-messages==1.1.0",
    "requests",
]
EXTENSION = "TeamsExtensionUserIdentifier"
Outcomes = dict[str, Any]


def outcomes(folder: Path, identity: str) -> Outcomes:
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", *PACKAGES, identity]
    subprocess.run(install, check=True, cwd=ROOT)
    command = [str(python), "-W", "ignore", str(PROGRAM)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder)
    found: Outcomes = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    folder = tmp_path_factory.mktemp("environment") / "official"
    return outcomes(folder, "azure-communication-identity==1.5.0")


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    built = tmp_path_factory.mktemp("built")
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", str(built), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (wheel,) = built.glob("*.whl")
    return outcomes(tmp_path_factory.mktemp("environment") / "ours", str(wheel))


def is_extension(label: str) -> bool:
    return label == EXTENSION or label.count("_") == 2


@pytest.mark.parametrize("package", ["chat", "callautomation", "rooms", "messages"])
def test_the_asynchronous_clients_send_what_the_synchronous_ones_send(
    ours: Outcomes, package: str
) -> None:
    sent = [
        outcome[0]
        for calls in ours[f"{package}.aio"]["identity"].values()
        for outcome in calls.values()
        if isinstance(outcome[0], list)
    ]
    assert len(sent) >= 19
    assert ours[f"{package}.aio"] == ours[package]


def test_callautomation_sends_what_it_sends_for_its_own_identifiers(ours: Outcomes) -> None:
    found = ours["callautomation"]
    assert len(found["own"]) == 19
    assert found["identity"] == found["own"]
    phone = found["identity"]["PhoneNumberIdentifier"]["add"][0][2]["participantToAdd"]
    assert phone == {"rawId": "4:+14255550123", "phoneNumber": {"value": "+14255550123"}}
    extension = found["identity"][EXTENSION]["add"][0][2]["participantToAdd"]
    assert extension["teamsExtensionUser"]["tenantId"] == "t"


@pytest.mark.parametrize("package", ["chat", "rooms", "messages"])
def test_a_package_does_what_it_does_for_the_identifiers_of_the_official_one(
    ours: Outcomes, official: Outcomes, package: str
) -> None:
    compared = {
        label: outcome
        for label, outcome in official[package]["identity"].items()
        if package == "rooms" or not is_extension(label)
    }
    assert len(compared) >= 16
    assert {label: ours[package]["identity"][label] for label in compared} == compared


def test_chat_takes_a_teams_extension_user_by_its_raw_id(
    ours: Outcomes, official: Outcomes
) -> None:
    for label, calls in ours["chat"]["identity"].items():
        if not is_extension(label):
            continue
        raw_id = "8:acs:r_t_u" if label == EXTENSION else label
        by_raw_id = {"rawId": raw_id}
        assert {name: outcome[1:] for name, outcome in calls.items()} == {
            "create thread": [],
            "add": [],
            "remove": [],
        }
        (participant,) = calls["create thread"][0][2]["participants"]
        assert participant == {"communicationIdentifier": by_raw_id}
        assert calls["remove"][0][2] == by_raw_id
    # For one kind that the official package knows the same calls fail.
    assert "KeyError" in official["chat"]["identity"]["8:orgid:user"]["create thread"]


def test_rooms_and_messages_take_a_teams_extension_user_by_its_raw_id(ours: Outcomes) -> None:
    rooms = ours["rooms"]["identity"][EXTENSION]
    assert all(list(sent[0][2]["participants"]) == ["8:acs:r_t_u"] for sent in rooms.values())
    messages = ours["messages"]["identity"][EXTENSION]["send to the raw id"]
    assert messages[0][2]["to"] == ["8:acs:r_t_u"]
