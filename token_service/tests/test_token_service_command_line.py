"""The program: `python -m acs_token_service`."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientError, ClientSession
from processes import environment_of, program
from running_service import Browser, Services, until, until_faults_are_used

from acs_token_service import __version__
from acs_token_service.cli import main
from acs_token_service.extras import missing
from acs_token_service.server import bind, serve
from acs_token_service.settings import Settings
from acs_token_service.settings_page import page
from acs_token_service.tokens.credentials import ConnectionString, KeyFile

embedded = pytest.mark.parametrize("storage", ["embedded"], indirect=True)


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "acs_token_service", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.mark.heavy
async def test_one_command_runs_it_on_the_emulator_with_nothing_else() -> None:
    async with program("--dev", environment={}) as running, ClientSession() as session:
        browser = Browser(running.url, session)
        ada = await browser.sign_in("ada")
        reply = await ada.ask()
        assert reply.status == 200
        assert (await browser.send("GET", "/readyz")).status == 200
        assert await running.stop() == 0


def test_dev_leaves_the_storage_of_the_environment_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    database = tmp_path / "production.db"
    monkeypatch.setenv("ACS_TOKEN_DATABASE_URL", f"sqlite+aiosqlite:///{database}")
    monkeypatch.setenv("acs_token_cache_url", "redis://127.0.0.1:1")
    monkeypatch.setenv("ACS_TOKEN_RESOURCE_ENDPOINT", "https://contoso.communication.azure.com")
    monkeypatch.setattr("acs_token_service.telemetry.logs.set_up", lambda _level: None)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        # It migrates its database before it listens.
        assert main(["--dev", "--port", str(taken.getsockname()[1])]) == 2
    assert "cannot listen" in capsys.readouterr().err
    assert not database.exists()


@pytest.mark.heavy
@embedded
async def test_workers_share_a_port_and_are_started_again(services: Services) -> None:
    environment = environment_of(services.settings())
    async with (
        program("--workers", "2", environment=environment) as running,
        ClientSession() as session,
    ):
        browser = Browser(running.url, session)
        workers = await two_workers(running.process.pid)
        ada = await browser.sign_in("ada")
        for _ in range(5):
            async with ClientSession() as another:  # a connection of its own
                assert (await ada.at(Browser(running.url, another)).ask()).status == 200
        metrics = await browser.send("GET", "/metrics")
        # Of both workers, whichever is asked.
        assert (
            'acs_token_request_seconds_count{method="GET",route="/token",status="200"} 5.0'
            in metrics.body
        )
        os.kill(workers[0], signal.SIGKILL)
        assert await two_workers(running.process.pid, without=workers[0])
        await answers_again(running.url)
        assert await running.stop() == 0
        assert children(running.process.pid) == []


@pytest.mark.heavy
@embedded
async def test_workers_end_when_the_program_is_killed(services: Services) -> None:
    environment = environment_of(services.settings())
    async with program("--workers", "2", environment=environment) as running:
        workers = await two_workers(running.process.pid)
        await running.kill()
        await until(lambda: not any(map(is_running, workers)))


def is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}/exe").exists()


@embedded
async def test_the_end_of_its_lifeline_stops_a_worker(services: Services) -> None:
    settings = services.settings(port=0)
    lifeline, held = os.pipe()
    listening = asyncio.Event()
    serving = asyncio.create_task(
        serve(settings, bind(settings, shared=False), listening.set, lifeline=lifeline)
    )
    await listening.wait()
    os.close(held)
    try:
        await asyncio.wait_for(serving, 5)
    finally:
        os.close(lifeline)


def children(pid: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(each) for each in found.stdout.split()]


async def two_workers(pid: int, without: int | None = None) -> list[int]:
    for _ in range(300):
        running = children(pid)
        if len(running) == 2 and without not in running:
            return running
        await asyncio.sleep(0.1)
    raise AssertionError("there are not two workers")


async def answers_again(url: str) -> None:
    for _ in range(100):
        try:
            async with ClientSession() as session:
                if (await Browser(url, session).send("GET", "/healthz")).status == 200:
                    return
        except ClientError:
            await asyncio.sleep(0.1)
    raise AssertionError("no worker answers")


@pytest.mark.heavy
@embedded
@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_stop_finishes_what_was_begun(services: Services, workers: str) -> None:
    settings = environment_of(services.settings())
    async with (
        program("--workers", workers, environment=settings) as running,
        ClientSession() as session,
    ):
        ada = await Browser(running.url, session).sign_in("ada")
        services.emulator.inject("issue", "delay:1")
        asking = asyncio.create_task(ada.ask())
        await until_faults_are_used(services.emulator)
        stopping = asyncio.create_task(running.stop())
        assert (await asking).status == 200
        assert await stopping == 0


@pytest.mark.heavy
@embedded
async def test_a_stop_finishes_what_a_browser_does_not_wait_for(services: Services) -> None:
    async with (
        program(environment=environment_of(services.settings())) as running,
        ClientSession() as session,
    ):
        ada = await Browser(running.url, session).sign_in("ada")
        token = await ada.token()
        services.emulator.inject("revoke", "delay:1")
        leaving = asyncio.create_task(ada.sign_out())
        await until_faults_are_used(services.emulator)
        leaving.cancel()
        assert await running.stop() == 0
        assert not services.emulator.is_token_valid(token)


def test_the_settings_page_is_the_one_of_the_settings() -> None:
    # Written by: acs-token-service settings > token_service/SETTINGS.md
    written = Path(__file__).parents[1].joinpath("SETTINGS.md").read_text(encoding="utf-8")
    assert written == page() == run("settings").stdout


def test_it_tells_its_version() -> None:
    assert run("--version").stdout == f"acs-token-service {__version__}\n"


KEY = "c2VjcmV0"
RESOURCE = f"endpoint=https://contoso.communication.azure.com/;accesskey={KEY}"
VALID = {
    "ACS_TOKEN_RESOURCE_CONNECTION_STRING": RESOURCE,
    "ACS_TOKEN_DEVELOPMENT_LOGIN": "true",
    "ACS_TOKEN_DATABASE_URL": "sqlite+aiosqlite:////nowhere/people.db",
}


ENTRA = {"ACS_TOKEN_RESOURCE_CONNECTION_STRING": None}


NOT_CONNECTION_STRINGS = {
    "c2VjcmV0": "The connection string has no endpoint",
    f"\u201c{RESOURCE}\u201d": "The connection string has typographic quotes",
    RESOURCE.replace(KEY, f"\u201c{KEY}\u201d"): "The connection string has typographic quotes",
    f"ACS={RESOURCE}": "The connection string begins with the name of a variable",
    RESOURCE.replace(KEY, f"ACS={KEY}"): "The access key begins with the name of a variable",
    f"{RESOURCE}\n{RESOURCE}": "The connection string has endpoint twice",
    f"{RESOURCE};{RESOURCE}": "The connection string has endpoint twice",
    f"https://h/?sv=1&sig={KEY}": "is a URL with a shared access signature",
    f'{RESOURCE}"': "The access key has a quote",
    f"{RESOURCE}!": "The access key is not base64",
}


@pytest.mark.parametrize("text", [f'"{RESOURCE}"', f"\ufeff'{RESOURCE}'\r\n", f" {RESOURCE}\n"])
def test_a_connection_string_is_read_as_it_is_pasted(tmp_path: Path, text: str) -> None:
    expected = ("https://contoso.communication.azure.com", KEY)
    assert ConnectionString.parse(text) == expected
    file = tmp_path / "connection-string"
    file.write_bytes(text.encode())
    from_file = KeyFile(file)
    assert (from_file.endpoint, from_file.credential.key) == expected


@pytest.mark.parametrize(("text", "problem"), NOT_CONNECTION_STRINGS.items())
def test_a_file_without_a_connection_string_is_named_without_the_key(
    tmp_path: Path, text: str, problem: str
) -> None:
    file = tmp_path / "connection-string"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=f"connection-string is not valid: .*{problem}") as caught:
        KeyFile(file)
    assert KEY not in str(caught.value)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"ACS_TOKEN_RESOURCE_CONNECTION_STRING": None},
            "set one of ACS_TOKEN_RESOURCE_CONNECTION",
        ),
        ({"ACS_TOKEN_DEVELOPMENT_LOGIN": "false"}, "nobody could sign in: set ACS_TOKEN_ISSUERS"),
        ({"ACS_TOKEN_HOST": "0.0.0.0"}, "needs a loopback ACS_TOKEN_HOST"),
        ({"ACS_TOKEN_CACHE_URL": "redis://127.0.0.1"}, "set ACS_TOKEN_CACHE_KEYS"),
        (
            {"ACS_TOKEN_CACHE_URL": "redis://127.0.0.1", "ACS_TOKEN_CACHE_KEYS": "c2VjcmV0"},
            "ACS_TOKEN_CACHE_KEYS: a key must be 32 bytes in URL-safe base64",
        ),
        (
            {"ACS_TOKEN_MIN_REMAINING": "1.5"},
            "ACS_TOKEN_MIN_REMAINING: Input should be less than 1",
        ),
        ({"ACS_TOKEN_PERSON_RATE": "often"}, "ACS_TOKEN_PERSON_RATE: expected a rate such as"),
        ({"ACS_TOKEN_ALLOWED_ORIGINS": "app.example.com"}, "ACS_TOKEN_ALLOWED_ORIGINS"),
        ({"ACS_TOKEN_ISSUERS": "[]x"}, "ACS_TOKEN_ISSUERS"),
        ({"ACS_TOKEN_ISSUERS": '[{"issuer": "http://a.example", "audience": "a"}]'}, "https URL"),
        (
            {"ACS_TOKEN_ISSUERS": '[{"issuer": "https://a.example"}]'},
            "ISSUERS, item 1: audience is m",
        ),
        (
            {"ACS_TOKEN_SCOPE_RULES": '[{"scopes": []}, {"scopes": 1}]'},
            "ACS_TOKEN_SCOPE_RULES, item 2: scopes: Input should be a valid tuple",
        ),
        *(
            ({"ACS_TOKEN_RESOURCE_CONNECTION_STRING": text}, problem)
            for text, problem in NOT_CONNECTION_STRINGS.items()
        ),
        (
            {"ACS_TOKEN_RESOURCE_CONNECTION_STRING": "endpoint=https://h/a;accesskey=c2VjcmV0"},
            "ACS_TOKEN_RESOURCE_CONNECTION_STRING: the endpoint must be a URL such as",
        ),
        *(
            ({**ENTRA, "ACS_TOKEN_RESOURCE_ENDPOINT": endpoint}, "(https), without a path")
            for endpoint in ("contoso", "http://h", "https://h/a", "https://h:c2VjcmV0")
        ),
        ({"ACS_TOKEN_DATABASE_URL": "c2VjcmV0"}, "ACS_TOKEN_DATABASE_URL: expected sqlite"),
        ({"ACS_TOKEN_DATABASE_URL": "mysql://root:c2VjcmV0@h/d"}, "expected sqlite"),
        ({"ACS_TOKEN_DATABASE_URL": "postgresql+asyncpg://u@h:c2VjcmV0/d"}, "expected sqlite"),
        (
            {"ACS_TOKEN_DATABASE_URL": "postgresql+asyncpg://u:c2VjcmV0@h/d?sslmode=require"},
            "ACS_TOKEN_DATABASE_URL: asyncpg takes ssl in place of sslmode",
        ),
        ({"ACS_TOKEN_CACHE_URL": "http://:c2VjcmV0@h"}, "expected memory://"),
        ({"ACS_TOKEN_CACHE_URL": "redis://:c2VjcmV0/@h"}, "expected memory://"),
        ({"ACS_TOKEN_CACHE_URL": "redis://"}, "expected memory://"),
        ({"ACS_TOKEN_DEVELOPMENT_KEY": "c2VjcmV0"}, "expected a private key"),
        ({"ACS_TOKEN_SCOPE_RULES": '[{"scopes": ["chatt"]}]'}, "scopes are chat, chat.join,"),
        ({"ACS_TOKEN_REQUEST_SECONDS": "inf"}, "ACS_TOKEN_REQUEST_SECONDS: Input should be a fin"),
    ],
)
def test_a_setting_that_cannot_be_used_is_said_in_one_line_without_secrets(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, Any],
    words: str,
) -> None:
    for name, value in {**VALID, **changes}.items():
        if value is not None:
            monkeypatch.setenv(name, value)
    assert main(["--port", "0"]) == 2
    output, errors = capsys.readouterr()
    assert output == ""
    assert words in errors
    assert errors.startswith("acs-token-service: ")
    assert errors.count("\n") == 1
    assert "c2VjcmV0" not in errors


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite+aiosqlite:////nowhere/people.db", "the database cannot be used (OperationalE"),
        pytest.param(
            "postgresql+asyncpg://u:c2VjcmV0@127.0.0.1:1/d",
            "the database cannot be used (ConnectionRefusedError)",
            marks=pytest.mark.heavy,
        ),
        pytest.param(
            "postgresql+asyncpg://u:c2VjcmV0@127.0.0.1:1/d?ssl=c2VjcmV0",
            "the database cannot be used (ClientConfigurationError)",
            marks=pytest.mark.heavy,
        ),
        pytest.param(
            "postgresql+asyncpg://u:c2VjcmV0@127.0.0.1:1/d?colour=c2VjcmV0",
            "the driver does not know a parameter after the question mark",
            marks=pytest.mark.heavy,
        ),
    ],
)
def test_a_database_that_cannot_be_used_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    url: str,
    words: str,
) -> None:
    for name, value in {**VALID, "ACS_TOKEN_DATABASE_URL": url}.items():
        monkeypatch.setenv(name, value)
    assert main(["migrate"]) == 2
    errors = capsys.readouterr().err
    assert errors.startswith(f"acs-token-service: ACS_TOKEN_DATABASE_URL: {words}")
    assert errors.count("\n") == 1
    assert "c2VjcmV0" not in errors
    assert caplog.text == ""


@pytest.mark.heavy
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_database_that_cannot_be_used(workers: str) -> None:
    done = run("--port", "0", "--workers", workers, **VALID)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("acs-token-service: ACS_TOKEN_DATABASE_URL: the database ")
    assert done.stderr.count("\n") == 1
    assert "c2VjcmV0" not in done.stderr


def test_an_empty_setting_of_the_resource_is_not_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "connection-string"
    file.write_text(RESOURCE)
    monkeypatch.setenv("ACS_TOKEN_RESOURCE_CONNECTION_STRING", "")
    monkeypatch.setenv("ACS_TOKEN_RESOURCE_ENDPOINT", "")
    monkeypatch.setenv("ACS_TOKEN_RESOURCE_CONNECTION_STRING_FILE", str(file))
    monkeypatch.setenv("ACS_TOKEN_DEVELOPMENT_LOGIN", "true")
    settings = Settings.model_validate({})
    assert settings.resource_connection_string_file == file
    assert settings.resource_connection_string is None
    monkeypatch.setenv("ACS_TOKEN_RESOURCE_CONNECTION_STRING_FILE", "")
    monkeypatch.setenv("ACS_TOKEN_RESOURCE_CONNECTION_STRING", RESOURCE)
    assert Settings.model_validate({}).resource_connection_string_file is None


@pytest.mark.heavy
def test_workers_that_cannot_serve_are_not_started_for_good(tmp_path: Path) -> None:
    database = f"sqlite+aiosqlite:///{tmp_path}/people.db"
    file = tmp_path / "connection-string"
    file.write_text("endpoint=https://contoso.communication.azure.com/;accesskey=%%%")
    changes = {
        "ACS_TOKEN_DATABASE_URL": database,
        "ACS_TOKEN_RESOURCE_CONNECTION_STRING": "",
        "ACS_TOKEN_RESOURCE_CONNECTION_STRING_FILE": str(file),
    }
    done = run("--port", "0", "--workers", "2", **{**VALID, **changes})
    assert done.returncode == 2
    assert f"{file} is not valid: The access key is not base64" in done.stderr
    assert "%%%" not in done.stderr


@pytest.mark.heavy
@pytest.mark.parametrize("arguments", [["--port", "x"], ["dance"], ["--nothing"], ["worker"]])
def test_unknown_arguments(arguments: list[str]) -> None:
    done = run(*arguments, **VALID)
    assert done.returncode == 2
    assert done.stderr.startswith("acs-token-service: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.heavy
def test_a_new_key_can_be_used(tmp_path: Path) -> None:
    from cryptography.fernet import Fernet

    Fernet(run("new-key").stdout.strip())


class TestMissingPackages:
    """The message names what pip can install, from an index or from a checkout."""

    @pytest.fixture
    def installed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
        def install(direct_url: str) -> None:
            folder = tmp_path / "site" / "acs_token_service-9.dist-info"
            folder.mkdir(parents=True)
            (folder / "METADATA").write_text("Name: acs-token-service\nVersion: 9\n")
            if direct_url:
                (folder / "direct_url.json").write_text(direct_url)
            monkeypatch.syspath_prepend(folder.parent)

        return install

    def test_from_an_index(self, installed: Callable[[str], None]) -> None:
        installed("")
        assert 'install "acs-token-service[redis]"' in missing(ModuleNotFoundError(name="redis"))

    def test_from_an_archive(self, installed: Callable[[str], None]) -> None:
        installed('{"url": "https://example.com/a.whl", "archive_info": {}}')
        assert 'install "acs-token-service[redis]"' in missing(ModuleNotFoundError(name="redis"))

    @pytest.mark.parametrize("has_emulator", [True, False])
    def test_from_a_checkout(
        self, installed: Callable[[str], None], tmp_path: Path, has_emulator: bool
    ) -> None:
        checkout = tmp_path / "a checkout"
        service, emulator = checkout / "token_service", checkout / "emulator"
        service.mkdir(parents=True)
        if has_emulator:
            emulator.mkdir()
        installed(json.dumps({"url": service.as_uri(), "dir_info": {"editable": True}}))
        assert f'install "{service}[postgresql]"' in missing(ModuleNotFoundError(name="asyncpg"))
        dev = str(emulator) if has_emulator else f"{service}[dev]"
        assert f'install "{dev}"' in missing(ModuleNotFoundError(name="acs_identity_emulator"))
