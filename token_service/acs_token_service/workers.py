"""Several processes on one port: started, restarted when they die, and stopped together."""

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from types import FrameType

_LOG = logging.getLogger(__name__)
_POLL = 0.1
_CANNOT_START = 2  # the exit status of a worker whose settings cannot be used
_SHORTEST_LIFE = 1.0  # seconds; a worker that dies sooner is started again only after them


class Supervisor:
    """:param command: The command of a worker.
    :param environment: The environment of the workers.
    :param address: Where they listen.
    :param forget: Called with the process id of a worker that has died.
    :param grace: Seconds that a worker has to stop in before it is killed.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        workers: int,
        address: tuple[str, int],
        forget: Callable[[int], None],
        grace: float,
    ) -> None:
        self._command = list(command)
        self._environment = {**os.environ, **environment}
        self._address = address
        self._forget = forget
        self._grace = grace
        # The workers wait for the end of a pipe that only this process can write to: even if it is
        # killed, they do not stay on the port.
        self._lifeline, self._held = os.pipe()
        self._running: list[tuple[subprocess.Popen[bytes], float]] = []
        self._workers = workers
        self._is_stopping = False
        self._status = 0

    def run(self, is_listening: Callable[[], None]) -> int:
        """Runs the workers until SIGTERM or SIGINT; returns the exit status.

        :param is_listening: Called once the first worker accepts connections.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        try:
            is_announced = False
            while not self._is_stopping:
                self._start_missing()
                if not is_announced and self._accepts_connections():
                    is_announced = True
                    is_listening()
                time.sleep(_POLL)
            return self._status if self._end() else 1
        finally:
            for worker, _ in self._running:
                if worker.poll() is None:
                    worker.kill()
                worker.wait()
            os.close(self._lifeline)
            os.close(self._held)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._is_stopping = True

    def _accepts_connections(self) -> bool:
        try:
            with socket.create_connection(self._address, timeout=1):
                return True
        except OSError:
            return False

    def _start_missing(self) -> None:
        now = time.monotonic()
        for worker, started in list(self._running):
            if worker.poll() is None:
                continue
            if worker.returncode == _CANNOT_START:
                self._status = _CANNOT_START  # the worker has logged why, and would fail again
                self._is_stopping = True
            if now - started < _SHORTEST_LIFE:
                continue
            _LOG.error("A worker ended with status %s and is started again", worker.returncode)
            self._running.remove((worker, started))
            self._forget(worker.pid)
        while len(self._running) < self._workers:
            self._running.append((self._start(), now))

    def _start(self) -> "subprocess.Popen[bytes]":
        # A separate group: only the supervisor gets Ctrl-C, and stops the workers.
        return subprocess.Popen(  # noqa: S603 - our own program
            self._command, env=self._environment, stdin=self._lifeline, start_new_session=True
        )

    def _end(self) -> bool:
        for worker, _ in self._running:
            if worker.poll() is None:
                worker.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + self._grace
        for worker, _ in self._running:
            try:
                worker.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _LOG.error("A worker did not stop in time and is killed")
                return False
        return True


def worker_command() -> list[str]:
    return [sys.executable, "-m", "acs_token_service", "worker"]
