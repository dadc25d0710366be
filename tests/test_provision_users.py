"""The sample that creates many users: interrupted, throttled and rejected."""

import asyncio
import csv
import importlib
import os
import runpy
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from either_client import Clock

from acs_identity_emulator import IdentityEmulator
from acs_identity_emulator.operations import throttling

SAMPLES = Path(__file__).parents[1] / "samples"
CONNECTION_STRING = "AZURE_COMMUNICATION_SERVICE_CONNECTION_STRING"
ENDPOINT = "AZURE_COMMUNICATION_SERVICE_ENDPOINT"
AS_FAST_AS_IT_GOES = "--per-second=100000"

real_sleep = asyncio.sleep


@pytest.fixture
def sample(monkeypatch: pytest.MonkeyPatch) -> Any:
    pytest.importorskip("rich")
    monkeypatch.syspath_prepend(SAMPLES)
    return importlib.import_module("provision_users")


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., IdentityEmulator]]:
    """Starts an emulator of the test's own, which the environment then names."""
    started: list[IdentityEmulator] = []
    monkeypatch.delenv(ENDPOINT, raising=False)

    def start(**options: Any) -> IdentityEmulator:
        started.append(IdentityEmulator(**options).start())
        monkeypatch.setenv(CONNECTION_STRING, started[-1].connection_string)
        return started[-1]

    yield start
    for emulator in started:
        emulator.stop()


class Files:
    """The file of custom ids and the file of users."""

    def __init__(self, folder: Path) -> None:
        self.people = folder / "people.csv"
        self.users = folder / "users.csv"
        self.custom_ids: list[str] = []

    def with_people(self, number: int) -> "Files":
        self.custom_ids = [f"person-{number}" for number in range(number)]
        lines = [f"{custom_id},Name of {custom_id}" for custom_id in self.custom_ids]
        self.people.write_text("\n".join(["custom_id,name", *lines]), "utf-8")
        return self

    def arguments(self, *options: str) -> list[str]:
        return [str(self.people), str(self.users), *options]

    def lines(self) -> int:
        return self.users.read_bytes().count(b"\n") if self.users.exists() else 0

    def rows(self) -> list[tuple[str, str]]:
        with self.users.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        assert header == ["custom_id", "user_id"]
        return [(custom_id, user_id) for custom_id, user_id in rows]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def check_that_all_are_there_once(files: Files, emulator: IdentityEmulator) -> None:
    rows = files.rows()
    assert sorted(custom_id for custom_id, _ in rows) == sorted(files.custom_ids)
    assert dict(rows) == {each.custom_id: each.id for each in emulator.identities()}
    assert len(rows) == len(emulator.identities()) == len(files.custom_ids)


def test_creates_a_user_for_each_custom_id_and_then_no_more(
    sample: Any, start: Any, files: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    emulator = start()
    files.with_people(40)
    with files.people.open("a") as people:
        people.write("\nperson-7,once more\n")
    assert sample.main(files.arguments(AS_FAST_AS_IT_GOES)) == 0
    check_that_all_are_there_once(files, emulator)
    assert "All users are there." in capsys.readouterr().out

    written = files.users.read_bytes()
    emulator.inject("create", "status:400")
    assert sample.main(files.arguments()) == 0
    assert files.users.read_bytes() == written


def interrupt(command: list[str], is_time: Callable[[], bool]) -> None:
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as program:
        deadline = time.monotonic() + 60
        while not is_time():
            assert time.monotonic() < deadline
            assert program.poll() is None
            time.sleep(0.02)
        program.send_signal(signal.SIGINT)
        output, errors = program.communicate(timeout=30)
    assert (program.returncode, errors) == (130, "")
    assert "Interrupted. Start it again to go on." in output


def test_goes_on_where_it_was_interrupted(
    monkeypatch: pytest.MonkeyPatch, start: Any, files: Files
) -> None:
    pytest.importorskip("rich")
    if os.name == "nt":
        pytest.skip("Windows has no SIGINT for one process alone")
    # After 30 users the emulator throttles, so that the program waits for the signal.
    monkeypatch.setitem(throttling.LIMITS, "create", 30)
    emulator = start(throttle=True, retry_after=True)
    files.with_people(80)
    command = [sys.executable, "-W", "error", str(SAMPLES / "provision_users.py")]
    command += files.arguments(AS_FAST_AS_IT_GOES)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as in the background of a shell
    try:
        interrupt(command, lambda: files.lines() == 31)
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(files.rows()) == len(emulator.identities()) == 30

    # Worse than a signal: some users were created and not written, and a row only half.
    text = files.users.read_text("utf-8")
    files.users.write_text(text[: text.index("8:acs:", len(text) * 3 // 4) + 10], "utf-8")
    monkeypatch.setitem(throttling.LIMITS, "create", 1000)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    check_that_all_are_there_once(files, emulator)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Sleeps of more than a moment take none, and are listed."""
    slept: list[float] = []

    async def sleep(delay: float, result: Any = None) -> Any:
        if delay > 0.05:
            slept.append(delay)
            delay = 0
        return await real_sleep(delay, result)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    return slept


class ClockOfSleepers:
    """A clock that advances by the time slept."""

    def __init__(self, slept: list[float]) -> None:
        self._slept = slept
        self._clock = Clock()

    def __call__(self) -> float:
        self._clock.offset = sum(self._slept)
        return self._clock()


@pytest.mark.parametrize("retry_after", [True, False])
def test_waits_when_it_is_throttled(
    monkeypatch: pytest.MonkeyPatch,
    sample: Any,
    start: Any,
    files: Files,
    slept: list[float],
    retry_after: bool,
) -> None:
    monkeypatch.setitem(throttling.LIMITS, "create", 20)
    emulator = start(throttle=True, retry_after=retry_after, clock=ClockOfSleepers(slept))
    files.with_people(50)
    assert sample.main(files.arguments("--at-once=1", AS_FAST_AS_IT_GOES)) == 0
    check_that_all_are_there_once(files, emulator)
    if retry_after:
        # Two windows of 30 seconds, each waited for once.
        assert len(slept) == 2
        assert all(25 <= delay <= 30 for delay in slept)
    else:
        # Twice as long each time.
        once = slept[: len(slept) // 2]
        assert slept == once * 2
        assert once == pytest.approx([0.8 * 2**turn for turn in range(len(once))])
        assert sum(once) >= 25


@pytest.mark.parametrize(
    ("per_second", "turns"),
    [
        (20, 21),
        pytest.param(2.5, 3, marks=pytest.mark.heavy),
        pytest.param(0.5, 2, marks=pytest.mark.heavy),
    ],
)
def test_keeps_its_pace(sample: Any, per_second: float, turns: int) -> None:
    async def take_turns() -> float:
        pace = sample.Pace(per_second)
        started = time.monotonic()
        await asyncio.gather(*(pace.turn() for _ in range(turns)))
        return time.monotonic() - started

    # All but the last fit into the first window, which is of whole seconds.
    assert asyncio.run(take_turns()) >= max(1, int(1 / per_second)) - 0.05


@pytest.mark.parametrize("shards", [1, 3])
def test_shards_share_the_list(sample: Any, start: Any, files: Files, shards: int) -> None:
    emulator = start()
    files.with_people(30)
    rows: list[tuple[str, str]] = []
    for number in range(1, shards + 1):
        files.users = files.people.parent / f"users-{number}.csv"
        options = files.arguments(f"--shard={number}/{shards}", AS_FAST_AS_IT_GOES)
        assert sample.main(options) == 0
        assert files.rows(), "a shard is empty"
        rows += files.rows()
    assert sorted(custom_id for custom_id, _ in rows) == sorted(files.custom_ids)
    assert dict(rows) == {each.custom_id: each.id for each in emulator.identities()}


@pytest.mark.parametrize("fault", ["reset", "reset-in-body", "status:503", "html", "status:429"])
def test_repeats_what_failed_by_chance(
    sample: Any, start: Any, files: Files, slept: list[float], fault: str
) -> None:
    emulator = start()
    for _ in range(3):
        emulator.inject("create", fault)
    files.with_people(12)
    assert sample.main(files.arguments("--at-once=4", AS_FAST_AS_IT_GOES)) == 0
    check_that_all_are_there_once(files, emulator)


@pytest.mark.parametrize("custom_id", ["a,b", 'a"b', "a\nb", "a\r\nb", "a\u2028b", "[bold]", "ä "])
def test_custom_ids_of_any_characters_are_known_again(
    sample: Any, start: Any, files: Files, custom_id: str
) -> None:
    emulator = start()
    with files.people.open("w", encoding="utf-8", newline="") as people:
        csv.writer(people).writerows([["custom_id"], [custom_id], ["x" * 257 + custom_id]])
    files.custom_ids = [custom_id]
    for _ in range(2):
        assert sample.main(files.arguments()) == 1
        check_that_all_are_there_once(files, emulator)


def test_tells_which_ids_the_service_refuses_and_goes_on(
    sample: Any, start: Any, files: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    emulator = start()
    files.people.write_text("custom_id\ngood\n" + "x" * 257 + "\nbetter\n", "utf-8")
    assert sample.main(files.arguments()) == 1
    files.custom_ids = ["good", "better"]
    check_that_all_are_there_once(files, emulator)
    output = capsys.readouterr().out.replace("\n", "")
    assert "xxx' was rejected: (ValidationError)" in output
    assert "1 were rejected." in output


def test_stops_when_nothing_would_succeed(
    monkeypatch: pytest.MonkeyPatch,
    sample: Any,
    start: Any,
    files: Files,
    capsys: pytest.CaptureFixture[str],
) -> None:
    emulator = start()
    files.with_people(30)
    another_key = f"endpoint={emulator.endpoint};accesskey=bm8gc3VjaCBrZXk="
    monkeypatch.setenv(CONNECTION_STRING, another_key)
    assert sample.main(files.arguments(AS_FAST_AS_IT_GOES)) == 1
    assert files.rows() == []
    assert "Stopped: (Denied)" in capsys.readouterr().out


@pytest.fixture
def error_line(sample: Any, capsys: pytest.CaptureFixture[str]) -> Callable[[list[str]], str]:
    """Runs the sample with what it cannot use, and returns the line that says so."""

    def error_line(arguments: list[str]) -> str:
        with pytest.raises(SystemExit) as exit_:
            sample.main(arguments)
        assert exit_.value.code == 2
        *usage, line = capsys.readouterr().err.splitlines()
        assert all(line.startswith(("usage: ", "  ")) for line in usage)
        return line

    return error_line


@pytest.mark.parametrize(
    ("people", "words"),
    [
        (b"name\nsomebody\n", "has no column custom_id; its columns are: name"),
        (b"", "has no column custom_id; its columns are: none"),
        (b"custom_id,name\na,A\n,B\n", "has no custom_id in line 3"),
        (b"name,custom_id\nA,a\nB\n", "has no custom_id in line 3"),
        (b"custom_id\n\xe4\n", "is not a CSV file in UTF-8"),
        (b"custom_id\n" + b"x" * 200_000, "is not a CSV file in UTF-8: field larger than"),
        (None, "cannot be read: No such file or directory. Name a CSV file with a column custom"),
    ],
)
def test_says_what_is_wrong_with_the_people(
    start: Any, error_line: Any, files: Files, people: bytes | None, words: str
) -> None:
    emulator = start()
    if people is not None:
        files.people.write_bytes(people)
    assert f"error: {files.people} {words}" in error_line(files.arguments())
    assert not files.users.exists()
    assert emulator.identities() == []


@pytest.mark.parametrize(
    ("users", "words"),
    [
        (b"custom_id,name\na,A\nb,B", "is not from an earlier run: name another file to write"),
        (b"not CSV at all", "is not from an earlier run: name another file to write"),
        (b"custom_id,user_id\n\xe4,8:acs:1\nb", "is not a CSV file in UTF-8"),
    ],
)
def test_leaves_a_file_alone_that_is_not_its_own(
    start: Any, error_line: Any, files: Files, users: bytes, words: str
) -> None:
    emulator = start()
    files.with_people(2).users.write_bytes(users)
    assert f"error: {files.users} {words}" in error_line(files.arguments())
    assert files.users.read_bytes() == users
    assert emulator.identities() == []


@pytest.mark.parametrize("written", [b"custom_", b"custom_id,user_id\r\n"])
def test_goes_on_with_a_header(sample: Any, start: Any, files: Files, written: bytes) -> None:
    emulator = start()
    files.with_people(2).users.write_bytes(written)
    assert sample.main(files.arguments()) == 0
    check_that_all_are_there_once(files, emulator)


def test_says_that_it_cannot_write(start: Any, error_line: Any, files: Files) -> None:
    start()
    files.with_people(1).users = files.people.parent / "missing" / "users.csv"
    assert f"error: {files.users} cannot be written: No such file" in error_line(files.arguments())


@pytest.mark.parametrize(
    ("option", "values", "words"),
    [
        ("--at-once", ["0", "-1", "1.5", "many", ""], "must be a whole number from 1 on, not "),
        ("--per-second", ["0", "-1", "nan", "inf", "many", ""], "must be a number above 0, not "),
        (
            "--shard",
            ["0/2", "3/2", "1", "1/0", "1/2/3", "a/b", ""],
            "must be a part such as 1/4 to 4/4, not ",
        ),
    ],
)
def test_says_which_numbers_it_takes(
    start: Any, error_line: Any, files: Files, option: str, values: list[str], words: str
) -> None:
    start()
    files.with_people(1)
    for value in values:
        line = error_line(files.arguments(f"{option}={value}"))
        assert line.endswith(f"error: argument {option}: {words}{value!r}")
    assert not files.users.exists()


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, f"set {CONNECTION_STRING} or {ENDPOINT}"),
        ({CONNECTION_STRING: "the key alone"}, f"{CONNECTION_STRING}: The connection string has"),
        ({ENDPOINT: "ftp://host"}, f"{ENDPOINT}: endpoint must be the URL of a resource"),
    ],
)
def test_says_what_resource_it_needs(
    monkeypatch: pytest.MonkeyPatch,
    error_line: Any,
    files: Files,
    environment: dict[str, str],
    words: str,
) -> None:
    pytest.importorskip("azure.identity")
    for name in (CONNECTION_STRING, ENDPOINT):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert f"error: {words}" in error_line(files.with_people(1).arguments())
    assert not files.users.exists()


def test_says_that_it_needs_azure_identity(
    monkeypatch: pytest.MonkeyPatch, error_line: Any, files: Files
) -> None:
    monkeypatch.delenv(CONNECTION_STRING, raising=False)
    monkeypatch.setenv(ENDPOINT, "https://host")
    monkeypatch.setitem(sys.modules, "azure.identity.aio", None)
    line = error_line(files.with_people(1).arguments())
    assert line.endswith("is not installed. Run python -m pip install azure-identity")


@pytest.mark.parametrize("module", ["limits", "rich.progress"])
def test_says_what_it_needs(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    words = f"{module} is not installed: python -m pip install limits rich"
    with pytest.raises(SystemExit, match=words):
        runpy.run_path(str(SAMPLES / "provision_users.py"))


def test_an_endpoint_stands_for_a_resource_as_well(
    monkeypatch: pytest.MonkeyPatch,
    sample: Any,
    files: Files,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("azure.identity")
    monkeypatch.delenv(CONNECTION_STRING, raising=False)
    # Bearer tokens go out over https alone, so that an http endpoint shows which way was taken
    # without a network.
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:9")
    assert sample.main(files.with_people(1).arguments()) == 1
    assert "Bearer token authentication is not permitted for non-TLS" in capsys.readouterr().out
