"""The documents are correct: their Python runs, their links lead somewhere."""

import logging
import os
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from textwrap import dedent
from typing import Any
from unittest import mock
from uuid import UUID

import pytest
from azure.core.settings import settings

from acs_identity_emulator import IdentityEmulator
from azure.communication.identity import CommunicationIdentityClient

CHECKOUT = Path(__file__).parents[1]
DOCUMENTS = [
    *sorted(CHECKOUT.glob("*.md")),
    CHECKOUT / "emulator" / "README.md",
    *sorted((CHECKOUT / "docs").glob("*.md")),
    *sorted((CHECKOUT / "docs" / "reference").glob("*.md")),
]
WITH_LINKS = [
    *DOCUMENTS,
    *sorted((CHECKOUT / "benchmarks").glob("*.md")),
    *sorted((CHECKOUT / "token_service").glob("*.md")),
]
WITH_SNIPPETS = [
    path
    for path in DOCUMENTS
    # The programs of that page are run on every official version, by a test of their own.
    if "```python\n" in path.read_text(encoding="utf-8") and path.name != "other-clients.md"
]
FENCED = re.compile(r"^ *```(.*)\n((?:.*\n)*?) *```$", re.MULTILINE)
FOREIGN_USER = f"8:acs:{UUID(int=1)}_{UUID(int=2)}"
APP, USER, TENANT = (str(UUID(int=number)) for number in (11, 12, 13))


def name(path: object) -> str | None:
    return path.relative_to(CHECKOUT).as_posix() if isinstance(path, Path) else None


def snippets(path: Path, language: str = "python") -> list[str]:
    """The fenced blocks of a document, each on the lines that it has there."""
    text = path.read_text(encoding="utf-8")
    return [
        "\n" * text.count("\n", 0, match.start(2)) + dedent(match[2])
        for match in FENCED.finditer(text)
        if match[1] == language
    ]


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The names that a reader of a document has: a resource, a user, and a Teams user."""
    logger = logging.getLogger("azure")
    level, handlers = logger.level, logger.handlers[:]
    with (
        mock.patch.dict(os.environ),  # which a document may change
        IdentityEmulator() as emulator,
        CommunicationIdentityClient.from_connection_string(emulator.connection_string) as client,
    ):
        connection_string = emulator.connection_string
        monkeypatch.setenv("AZURE_COMMUNICATION_SERVICE_CONNECTION_STRING", connection_string)
        monkeypatch.setenv("COMMUNICATION_SERVICES_CONNECTION_STRING", connection_string)
        monkeypatch.setenv("AZURE_COMMUNICATION_SERVICE_KEY", emulator.access_key)
        yield {
            "__name__": "__main__",
            "client": client,
            "connection_string": connection_string,
            "user": client.create_user(),
            "user_of_another_resource": FOREIGN_USER,
            "aad_token": emulator.issue_entra_token(client_id=APP, user_object_id=USER),
            "client_id": APP,
            "user_object_id": USER,
            "tenant_id": TENANT,
            "object_id": USER,
            "group_id": str(UUID(int=14)),
        }
    logger.setLevel(level)
    logger.handlers[:] = handlers
    settings.tracing_enabled.unset_value()


@pytest.mark.parametrize("document", WITH_SNIPPETS, ids=name)
def test_the_python_of_a_document_runs_from_top_to_bottom(
    document: Path, reader: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    for snippet in snippets(document):
        exec(compile(snippet, str(document), "exec"), reader)
    assert "eyJ" not in capsys.readouterr().out


def test_the_documents_have_python() -> None:
    assert {"README.md", "TROUBLESHOOTING.md", "emulator/README.md"} <= set(
        map(name, WITH_SNIPPETS)
    )


def test_the_readme_begins_with_trying_and_testing() -> None:
    # .ci/run runs these very lines, each block in an empty environment.
    trying, testing = (
        block.strip().splitlines() for block in snippets(CHECKOUT / "README.md", "sh")[:2]
    )
    assert trying[1:] == ["python samples/identity_samples.py"]
    assert testing[1:] == ["python -m pytest -n auto"]


def anchors(path: Path) -> set[str]:
    """The headings of a document, as links name them."""
    text = FENCED.sub("", path.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", WITH_LINKS, ids=name)
def test_links_lead_somewhere(document: Path) -> None:
    text = FENCED.sub("", document.read_text(encoding="utf-8"))
    for label, target in re.findall(r"\[([^\]]*)\]\(([^)]+)\)", text):
        assert label, f"nobody sees the link to {target}"
        if target.startswith("https://"):
            continue
        file, _, anchor = target.partition("#")
        path = document.parent / file if file else document
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), target


def rejected_calls(client: CommunicationIdentityClient) -> dict[str, Callable[[], object]]:
    """The messages of TROUBLESHOOTING.md, as far as one call shows them."""
    connect: Any = CommunicationIdentityClient.from_connection_string
    make: Any = CommunicationIdentityClient
    anything: Any = client
    return {
        "scopes must be a list of scopes": lambda: anything.get_token(FOREIGN_USER, "chat"),
        "token_expires_in must be a timedelta": lambda: anything.get_token(
            FOREIGN_USER, ["chat"], token_expires_in=60
        ),
        "user must be": lambda: anything.delete_user(None),
        "endpoint must be": lambda: make("ftp://host", "c2VjcmV0"),
        "The connection string has no": lambda: connect("accesskey=c2VjcmV0"),
        "The access key is not base64": lambda: make("https://host", "not-base64"),
        "… needs api_version": lambda: make(
            "https://host", "c2VjcmV0", api_version="2021-03-07"
        ).get_token(FOREIGN_USER, ["chat"], token_expires_in=timedelta(hours=1)),
        "… got an unexpected keyword argument": lambda: anything.create_user(retry_totl=0),
    }


def test_errors_are_worded_as_documented(reader: dict[str, Any]) -> None:
    text = (CHECKOUT / "TROUBLESHOOTING.md").read_text(encoding="utf-8")
    section = text.partition("## Errors of the service")[0]
    documented = set(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE))
    # These two are looked for by the tests without aiohttp, and by those of the async transport.
    documented -= {
        "The async client needs aiohttp",
        "The client has connections of another event loop",
    }
    calls = rejected_calls(reader["client"])
    assert documented == calls.keys()
    for wording, call in calls.items():
        with pytest.raises((TypeError, ValueError)) as caught:
            call()
        pattern = re.escape(wording).replace("…", ".+")
        assert re.match(pattern, str(caught.value)), str(caught.value)
