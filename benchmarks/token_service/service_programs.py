"""Starts the programs that are measured, and ends them."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

_HERE = Path(__file__).parent
# The servers that the tests start.
sys.path.append(str(_HERE.parents[1] / "token_service" / "tests"))


class Target(NamedTuple):
    """What is measured: a URL, and the processes behind it."""

    url: str
    pids: Sequence[int]

    def cpu_seconds(self) -> float:
        """Of the processes and their children, so far."""
        return sum(map(_cpu_seconds, self.pids))


def _cpu_seconds(pid: int) -> float:
    folder = Path("/proc", str(pid))
    user, system = folder.joinpath("stat").read_text().rpartition(")")[2].split()[11:13]
    children = folder.joinpath("task", str(pid), "children").read_text().split()
    own = (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    return own + sum(_cpu_seconds(int(child)) for child in children)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def program(
    *arguments: str, environment: Mapping[str, str] | None = None
) -> Iterator["subprocess.Popen[str]"]:
    """A Python program, stopped at the end of the block."""
    with subprocess.Popen(
        [sys.executable, *arguments],
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    if not line:
        raise RuntimeError("a program did not start")
    return line


@contextmanager
def emulator(*arguments: str) -> Iterator[str]:
    """The connection string of an emulated resource in a process of its own."""
    options = ("-m", "acs_identity_emulator", "--log-level", "error", *arguments)
    with program(*options) as process:
        yield first_line(process)


@contextmanager
def service(
    connection_string: str, *arguments: str, environment: Mapping[str, str] | None = None
) -> Iterator[Target]:
    """A service without limits of its own, so that nothing but its speed is measured."""
    unlimited = {f"ACS_TOKEN_LIMIT_{name}": "100000000" for name in ("CREATE", "ISSUE")}
    given = {
        "ACS_TOKEN_RESOURCE_CONNECTION_STRING": connection_string,
        "ACS_TOKEN_DEVELOPMENT_LOGIN": "true",
        "ACS_TOKEN_PERSON_RATE": "100000000/minute",
        "ACS_TOKEN_PERSON_ISSUE_RATE": "100000000/minute",
        "ACS_TOKEN_LOG_REQUESTS": "false",
        **unlimited,
        **(environment or {}),
    }
    with program(
        "-m", "acs_token_service", "--port", "0", *arguments, environment=given
    ) as process:
        yield Target(first_line(process), [process.pid])


@contextmanager
def bare(processes: int, token: str) -> Iterator[Target]:
    """A bare aiohttp handler."""
    port = free_port()
    command = (str(_HERE / "bare_handler.py"), str(port), token)
    with ExitStack() as stack:
        started = [stack.enter_context(program(*command)) for _ in range(processes)]
        _wait_for(port)
        yield Target(f"http://127.0.0.1:{port}", [each.pid for each in started])


def _wait_for(port: int) -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("a program does not listen")


class Result(NamedTuple):
    """What wrk saw. Times are in milliseconds."""

    rate: float  # requests a second
    p50: float
    p99: float
    cpu: float  # of the processes, for one request


def wrk(target: Target, bearers: Path, *, seconds: int, connections: int) -> Result:
    """:raises RuntimeError: If a request failed."""
    script = str(_HERE / "ask.lua")
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script, "--timeout", "30s"]
    environment = {**os.environ, "BEARERS": str(bearers)}
    cpu_before = target.cpu_seconds()
    done = subprocess.run(
        [*command, target.url], env=environment, capture_output=True, text=True, check=True
    )
    cpu = target.cpu_seconds() - cpu_before
    found = re.search(r"^RESULT (.*)$", done.stdout, re.MULTILINE)
    if found is None:
        raise RuntimeError(done.stdout)
    requests, duration, p50, p99, errors = map(int, found[1].split())
    if errors:
        raise RuntimeError(f"{errors} requests failed")
    return Result(requests / duration * 1e6, p50 / 1000, p99 / 1000, cpu / requests * 1000)
