"""`python -m acs_identity_emulator`, as a separate process."""

import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple
from urllib.parse import urlencode

import pytest

from acs_identity_emulator import IdentityEmulator, __version__
from acs_identity_emulator.process.options import of_command_line, parse

from .conftest import connect

GUID = "00000000-0000-0000-0000-000000000001"
Send = Callable[..., SimpleNamespace]
Run = Callable[..., "subprocess.Popen[str]"]

OPTIONS = (
    "--host", "--port", "--database", "--tls", "--access-key", "--secondary-key", "--resource-id",
    "--throttle", "--retry-after", "--fault", "--log-level", "--log-format", "--version", "--dev",
    "--tls-name", "--ca-file", "--identity-port", "--import", "--export", "--exit-with-parent",
    "--check-health",
    "--open-exchange", "--page-size", "--encrypted-tokens",
    "--application", "--advance", "--token-lifetime",
)  # fmt: skip
COMMAND = [sys.executable, "-W", "error", "-m", "acs_identity_emulator"]
CONNECTION_STRING = re.compile(
    r"endpoint=(?P<endpoint>http://127\.0\.0\.1:\d+/);accesskey=(?P<access_key>[\w+/]+=*)\n"
)


class Remote(NamedTuple):
    """The part of an `IdentityEmulator` that a request needs."""

    endpoint: str
    access_key: str


class RemoteOverTls(NamedTuple):
    """The same over https."""

    endpoint: str
    access_key: str
    ca_bundle: str


@pytest.fixture
def run() -> Iterator[Run]:
    processes = []
    # Buffered as it is for a user, so that a missing flush shows.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}

    def _run(*arguments: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [*COMMAND, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        processes.append(process)
        return process

    yield _run
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


def first_line(process: "subprocess.Popen[str]") -> Remote:
    assert process.stdout is not None
    give_up = threading.Timer(10, process.kill)
    give_up.start()
    match = CONNECTION_STRING.fullmatch(process.stdout.readline())
    give_up.cancel()
    assert match is not None
    return Remote(**match.groupdict())


@pytest.mark.skipif(os.name == "nt", reason="Windows ends a process otherwise")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_runs_until_a_signal(run: Run, send: Send, number: signal.Signals) -> None:
    # A shell starts programs in the background with SIGINT ignored, and the emulator respects that.
    before = signal.signal(number, signal.SIG_DFL)
    try:
        process = run("--port", "0")
    finally:
        signal.signal(number, before)
    remote = first_line(process)
    reply = send("POST", "/identities", {"createTokenWithScopes": ["chat"]}, to=remote)
    assert reply.status == 201
    process.send_signal(number)
    output, log = process.communicate(timeout=60)
    assert (process.returncode, output) == (0, "")
    assert "Traceback" not in log


def test_log_has_a_line_per_request_and_no_secret(run: Run, send: Send) -> None:
    process = run()
    remote = first_line(process)
    body = {"createTokenWithScopes": ["chat"]}
    created = send("POST", "/identities", body, to=remote).json
    send("DELETE", f"/identities/{created['identity']['id']}", to=remote)
    send("POST", f"/{created['accessToken']['token']}/x", to=remote)
    send("POST", "/identity/" + remote.access_key, to=remote)
    send("POST", "/", to=remote)
    send("POST", f"/identities?sig={remote.access_key}", to=remote, headers={"Host": "x"})
    send("POST", "/identities", {"expiresInMinutes": 1}, to=remote)
    process.terminate()
    log = process.communicate(timeout=60)[1]
    lines = [re.sub(r"^\S+ \S+ INFO |\d+ms", "", line) for line in log.splitlines()]
    key_in_path = "/identity/" + re.sub(r"[^/]+", "...", remote.access_key)
    assert lines == [
        "POST create 2025-06-30 201  -",
        "DELETE delete 2025-06-30 204  -",
        "POST /.../... 404  NotFound (path: no operation has the path /.../...)",
        f"POST {key_in_path} 404  NotFound (path: no operation has the path {key_in_path})",
        "POST / 404  NotFound (path: no operation has the path /)",
        "POST /identities 401  Denied (signature: the signature is made with another key, or over "
        "another string to sign)",
        "POST create 2025-06-30 400  ValidationError",
    ]
    for secret in (remote.access_key, created["accessToken"]["token"], "Signature", "HMAC"):
        assert secret not in log


@pytest.mark.heavy
def test_log_level(run: Run, send: Send) -> None:
    process = run("--log-level", "warning")
    send("POST", "/identities", to=first_line(process))
    process.terminate()
    assert process.communicate(timeout=60)[1] == ""


def test_options(run: Run, send: Send, tmp_path: Path) -> None:
    key, secondary = "QUJD", "REVG"
    resource_id = "00000000-0000-0000-0000-0000000000aa"
    process = run(
        "--host", "127.0.0.1", "--database", str(tmp_path / "a.db"), "--access-key", key,
        "--secondary-key", secondary, "--resource-id", resource_id,
    )  # fmt: skip
    remote = first_line(process)
    assert remote.access_key == key
    reply = send("POST", "/identities", to=remote, key=secondary)
    assert reply.json["identity"]["id"].startswith(f"8:acs:{resource_id}_")
    process.terminate()
    process.communicate(timeout=60)

    process = run("--database", str(tmp_path / "a.db"))
    remote = first_line(process)
    path = f"/identities/{reply.json['identity']['id']}/:issueAccessToken"
    assert send("POST", path, {"scopes": ["chat"]}, to=remote).status == 200


@pytest.mark.parametrize(("options", "scheme"), [([], "http"), (["--tls"], "https")])
def test_greeting(run: Run, options: list[str], scheme: str) -> None:
    process = run(*options)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(7)]
    connection = re.fullmatch(rf"endpoint=({scheme}://127\.0\.0\.1:\d+/);accesskey=.+\n", lines[0])
    assert connection is not None
    settings = dict(line.rstrip("\n").split("=", 1) for line in lines[1:])
    assert list(settings) == [
        "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS",
        "IDENTITY_ENDPOINT", "IDENTITY_HEADER",
    ]  # fmt: skip
    secure = connection[1].replace("http:", "https:")
    for variable in list(settings)[:4]:
        with connect(secure, settings[variable]):
            pass
    query = "?api-version=2019-08-01&resource=https://communication.azure.com/"
    token_request = urllib.request.Request(
        settings["IDENTITY_ENDPOINT"] + query,
        headers={"X-IDENTITY-HEADER": settings["IDENTITY_HEADER"]},
    )
    with urllib.request.urlopen(token_request, timeout=60) as response:
        assert response.status == 200
    process.terminate()
    _, log = process.communicate(timeout=60)
    assert not Path(settings["REQUESTS_CA_BUNDLE"]).exists()
    assert settings["IDENTITY_HEADER"] not in log


APPLICATION = "00000000-0000-0000-0000-0000000000ab"


@pytest.mark.heavy
@pytest.mark.parametrize("secret", ["a=b", None])
def test_application(run: Run, secret: str | None) -> None:
    given = APPLICATION if secret is None else f"{APPLICATION}={secret}"
    other = "00000000-0000-0000-0000-0000000000ac"
    process = run("--application", given, "--application", other)
    assert process.stdout is not None
    settings: dict[str, str] = {}
    while "AZURE_CLIENT_SECRET" not in settings:
        name, _, value = process.stdout.readline().rstrip("\n").partition("=")
        assert name
        settings[name] = value
    assert list(settings)[-4:] == [
        "AZURE_AUTHORITY_HOST", "AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET",
    ]  # fmt: skip
    assert settings["AZURE_CLIENT_ID"] == APPLICATION
    assert secret is None or settings["AZURE_CLIENT_SECRET"] == secret
    form = {
        "grant_type": "client_credentials",
        "client_id": settings["AZURE_CLIENT_ID"],
        "client_secret": settings["AZURE_CLIENT_SECRET"],
        "scope": "https://communication.azure.com//.default",
    }
    url = f"{settings['AZURE_AUTHORITY_HOST']}/{settings['AZURE_TENANT_ID']}/oauth2/v2.0/token"
    trusted = ssl.create_default_context(cafile=settings["REQUESTS_CA_BUNDLE"])
    request = urllib.request.Request(url, urlencode(form).encode())
    with urllib.request.urlopen(request, timeout=5, context=trusted) as response:
        assert response.status == 200
    process.terminate()
    _, log = process.communicate(timeout=60)
    assert settings["AZURE_CLIENT_SECRET"] not in log


@pytest.mark.heavy
def test_page_size(run: Run, send: Send) -> None:
    remote = first_line(run("--page-size", "1"))
    body = {"tenantId": APPLICATION, "principalType": "user", "clientIds": []}
    changes = {APPLICATION: body, "00000000-0000-0000-0000-0000000000ac": body}
    path, version = "/access/entra/assignments", "2025-03-02-preview"
    page = send("PATCH", path, changes, to=remote, version=version).json
    assert len(page["value"]) == 1
    assert "nextLink" in page


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("options", "status", "parts"),
    [
        ([], 403, 0),
        (["--open-exchange"], 200, 3),
        (["--open-exchange", "--encrypted-tokens"], 200, 5),
    ],
)
def test_exchange(
    run: Run, send: Send, tmp_path: Path, options: list[str], status: int, parts: int
) -> None:
    with IdentityEmulator(database=tmp_path / "a.db", tls=True) as emulator:
        bearer = emulator.issue_entra_token(
            user_object_id=APPLICATION,
            client_id=APPLICATION,
            scopes=["https://communication.azure.com/clients/.default"],
        )
    process = run("--database", str(tmp_path / "a.db"), *options)
    remote = first_line(process)
    assert process.stdout is not None
    name, _, ca_bundle = process.stdout.readline().rstrip("\n").partition("=")
    assert name == "REQUESTS_CA_BUNDLE"
    secure = RemoteOverTls(remote.endpoint.replace("http:", "https:"), remote.access_key, ca_bundle)
    path, version = "/access/entra/:exchangeAccessToken", "2025-03-02-preview"
    reply = send("POST", path, {}, to=secure, bearer=bearer, version=version)
    assert reply.status == status
    if parts:
        assert len(reply.json["accessToken"]["token"].split(".")) == parts


def test_faults_and_throttling(run: Run, send: Send) -> None:
    process = run(
        "--throttle", "--retry-after", "--fault", "create=status:500*2", "--fault", "create=html"
    )  # fmt: skip
    remote = first_line(process)
    statuses = [send("POST", "/identities", to=remote).status for _ in range(4)]
    assert statuses == [500, 500, 503, 201]
    for _ in range(500):
        send("POST", "/identities/x/:revokeAccessTokens", to=remote)
    throttled = send("POST", "/identities/x/:revokeAccessTokens", to=remote)
    assert throttled.status == 429
    assert 1 <= int(throttled.headers["Retry-After"]) <= 30


def test_version_and_help(run: Run) -> None:
    output, _ = run("--version").communicate(timeout=60)
    assert output == f"acs-identity-emulator {__version__}\n"
    process = run("--help")
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    for option in OPTIONS:
        assert option in output
    assert "exchange-teams-extension" in output
    assert "status:CODE:SECONDS" in output


@pytest.mark.parametrize(
    "seconds", ["0", "86401", "-5", "1e3", "1d", "²", pytest.param("1" * 5000, id="long")]
)
def test_a_lifetime_out_of_range(capsys: pytest.CaptureFixture[str], seconds: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        parse(["--token-lifetime", seconds], {})
    expected = f"--token-lifetime: must be a number of seconds from 1 to 86400, not {seconds!r}"
    assert expected in capsys.readouterr().err


@pytest.mark.parametrize("seconds", ["-1", "316224001", "1.5"])
def test_an_advance_out_of_range(capsys: pytest.CaptureFixture[str], seconds: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        parse(["--advance", seconds], {})
    expected = f"--advance: must be a number of seconds from 0 to 316224000, not {seconds!r}"
    assert expected in capsys.readouterr().err


@pytest.mark.parametrize("seconds", [0, 316224000])
def test_an_advance_in_range(seconds: int) -> None:
    parsed = parse([f"--advance={seconds}"], {})
    assert parsed.advance == timedelta(seconds=seconds)
    with IdentityEmulator() as emulator:
        emulator.advance(parsed.advance)


@pytest.mark.parametrize("seconds", [1, 86400])
def test_a_lifetime_in_range(seconds: int) -> None:
    parsed = parse([f"--token-lifetime={seconds}"], {})
    assert parsed.token_lifetime == timedelta(seconds=seconds)
    IdentityEmulator(token_lifetime=parsed.token_lifetime)


@pytest.mark.parametrize("option", ["--port", "--identity-port", "--page-size"])
def test_a_number_that_is_none(capsys: pytest.CaptureFixture[str], option: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        parse([option, "x"], {})
    assert f"{option}: must be a whole number, not 'x'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argument", "value", "option"),
    [
        ("host", "0.0.0.0", "--control-token must be set, as '0.0.0.0' is not a loopback"),
        ("page_size", 0, "--page-size must be from 1 to 10000, not 0"),
        ("access_key", "x!", "--access-key must be base64"),
    ],
)
def test_errors_name_the_option(argument: str, value: object, option: str) -> None:
    with pytest.raises(ValueError, match=r"^\w+ must be ") as caught:
        IdentityEmulator(**{argument: value})  # type: ignore[arg-type]
    chosen = parse([], {})
    assert of_command_line(str(caught.value), chosen).startswith(option)
    assert of_command_line("the database is in use", chosen) == "the database is in use"


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (["--dev"], "--dev"),
        (["--resource-id", GUID], "--resource-id"),
        (["--dev", "--resource-id", GUID], "--resource-id"),
    ],
)
def test_the_option_that_gave_a_wrong_resource_id(
    tmp_path: Path, arguments: list[str], option: str
) -> None:
    with IdentityEmulator(database=tmp_path / "a.db"):
        pass
    chosen = parse([*arguments, "--database", str(tmp_path / "a.db")], {})
    with pytest.raises(ValueError, match="belongs to the resource") as caught:
        IdentityEmulator(database=chosen.database, resource_id=chosen.resource_id).start()
    expected = f"leave {option} out, or name another database"
    assert of_command_line(str(caught.value), chosen).endswith(expected)


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


@pytest.mark.heavy
class TestExitsWithTwo:
    def failure(self, run: Run, *arguments: str) -> str:
        process = run(*arguments)
        output, log = process.communicate(timeout=60)
        assert (process.returncode, output) == (2, "")
        assert log.count("\n") == 1
        return log

    def test_a_taken_port(self, run: Run, taken_port: int) -> None:
        log = self.failure(run, "--port", str(taken_port))
        assert f": --port {taken_port}: cannot listen on 127.0.0.1 (Address already in use):" in log
        assert log.endswith(": name another port, 0 for any free one, or another host\n")

    def test_a_taken_port_for_the_managed_identity(self, run: Run, taken_port: int) -> None:
        log = self.failure(run, "--identity-port", str(taken_port))
        assert f": --identity-port {taken_port}: cannot listen on 127.0.0.1 (" in log

    def test_an_unwritable_database(self, run: Run, tmp_path: Path) -> None:
        log = self.failure(run, "--database", str(tmp_path / "none" / "a.db"))
        assert "name a file in a writable folder" in log

    def test_a_folder_for_a_database(self, run: Run, tmp_path: Path) -> None:
        assert "name a file" in self.failure(run, "--database", str(tmp_path))

    def test_a_database_in_use(self, run: Run, tmp_path: Path) -> None:
        with IdentityEmulator(database=tmp_path / "a.db"):
            log = self.failure(run, "--database", str(tmp_path / "a.db"))
        assert "in use by another emulator" in log

    @pytest.mark.parametrize("option", ["--access-key", "--secondary-key"])
    def test_a_key_that_is_no_base64(self, run: Run, option: str) -> None:
        log = self.failure(run, option, "not-base64!")
        assert f"{option} must be base64" in log
        assert "not-base64!" not in log

    @pytest.mark.parametrize(
        "fault", ["", "issue", "issue=", "sing=html", "issue=x", "issue=html*0"]
    )
    def test_a_fault_that_is_none(self, run: Run, fault: str) -> None:
        assert "--fault" in self.failure(run, "--fault", fault)

    def test_a_fault_of_another_spelling(self, run: Run) -> None:
        log = self.failure(run, "--fault", "issue=nope")
        assert "fault must be one of those listed, not 'nope' (see --help)" in log

    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            (["--port", "x"], "argument --port: must be a whole number, not 'x'"),
            (["--port", "65536"], "--port must be from 0 to 65535, not 65536"),
            (["--log-level", "x"], "argument --log-level: invalid choice: 'x'"),
            (["--database"], "argument --database: expected one argument"),
            (["--nope"], "unrecognized arguments: --nope"),
            (["--host", "a..b"], "--host must be an address or a name, not 'a..b'"),
            (["--tls", "--host", "a..b"], "--host must be an address or a name, not 'a..b'"),
        ],
    )
    def test_other_mistakes(self, run: Run, arguments: list[str], reason: str) -> None:
        assert f"acs-identity-emulator: {reason}" in self.failure(run, *arguments)

    @pytest.mark.parametrize("text", ["x", "x=y", f"{APPLICATION}=", "=", ""])
    def test_an_application_that_is_invalid(self, run: Run, text: str) -> None:
        assert "--application must be CLIENT_ID" in self.failure(run, "--application", text)

    def test_an_invalid_page_size(self, run: Run) -> None:
        assert "--page-size must be from 1 to 10000, not 0" in self.failure(run, "--page-size", "0")

    def test_a_resource_id_that_is_no_guid(self, run: Run) -> None:
        assert "--resource-id must be a GUID" in self.failure(run, "--resource-id", "x")

    def test_an_address_of_another_machine(self, run: Run) -> None:
        arguments = ("--host", "192.0.2.1", "--control-token", "t")
        assert "cannot listen on 192.0.2.1" in self.failure(run, *arguments)

    def test_beyond_loopback_without_a_control_token(self, run: Run) -> None:
        assert ": --control-token must be set" in self.failure(run, "--host", "0.0.0.0")

    def test_a_host_that_does_not_exist(self, run: Run) -> None:
        assert "cannot listen on nowhere.invalid" in self.failure(
            run, "--host", "nowhere.invalid", "--control-token", "t"
        )
