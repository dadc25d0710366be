"""The processes under measurement, driven over their standard input and output."""

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent


def pinned_to(core: int) -> list[str]:
    """The prefix of a command that pins it to one core, if there are several."""
    if shutil.which("taskset") is None or (os.cpu_count() or 1) < 2:
        return []
    return ["taskset", "-c", str(core)]


class Worker:
    """One client in a process of its own."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [*pinned_to(0), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def ask(self, question: str) -> dict[str, float]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(question + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("a client ended; its error is above")
        answer: dict[str, float] = json.loads(line)
        return answer

    def calls(self, number: int) -> dict[str, float]:
        return self.ask(f"calls {number}")

    def close(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate("quit\n")


@contextlib.contextmanager
def worker(command: list[str], environment: dict[str, str]) -> Iterator[Worker]:
    started = Worker(command, environment)
    try:
        yield started
    finally:
        started.close()


def cpu_seconds_of(command: list[str], environment: dict[str, str]) -> float:
    """User and system time of a process from its start to its end."""
    process = subprocess.Popen([*pinned_to(0), *command], env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} failed")
    return usage.ru_utime + usage.ru_stime
