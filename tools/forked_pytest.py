"""Runs pytest in forks of one process that has imported what does not change between runs.

    python tools/forked_pytest.py serve SOCKET MODULE...   imports the modules, then waits for runs
    python tools/forked_pytest.py run SOCKET ARGUMENT...   runs pytest, and ends with its exit code

Most of a short run of pytest is imports: a fork takes a third of the time.
"""

import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys


def serve(path: str, modules: list[str]) -> None:
    """Runs pytest for one client after the other, until the process is terminated."""
    for module in modules:
        importlib.import_module(module)
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        while True:
            connection, _ = listening.accept()
            with connection, connection.makefile("r") as received:
                arguments = json.loads(received.readline())
                code = _in_fork(arguments, connection, listening)
                with contextlib.suppress(BrokenPipeError):  # the client was killed
                    connection.sendall(b"%d\n" % code)


def _in_fork(arguments: list[str], connection: socket.socket, listening: socket.socket) -> int:
    child = os.fork()
    if not child:
        os.setsid()
        listening.close()
        _be_pytest(arguments, connection)
    ended = os.pidfd_open(child)
    try:
        readable, _, _ = select.select([ended, connection.fileno()], [], [])
        if ended not in readable:  # the client was killed: the run takes too long
            os.killpg(child, signal.SIGKILL)
    finally:
        os.close(ended)
    _, status = os.waitpid(child, 0)
    return abs(os.waitstatus_to_exitcode(status))


def _be_pytest(arguments: list[str], connection: socket.socket) -> None:
    code = 70
    try:
        import pytest

        os.dup2(connection.fileno(), 1)
        os.dup2(connection.fileno(), 2)
        code = int(pytest.main(arguments))
        sys.stdout.flush()
    finally:
        os._exit(code)


def run(path: str, arguments: list[str]) -> int:
    """Has the server run pytest, and prints its output.

    :return: The exit code of pytest.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        connection.sendall(json.dumps(arguments).encode() + b"\n")
        with connection.makefile("r", errors="replace") as received:
            *output, code = received.read().splitlines()
    print(*output, sep="\n")
    return int(code)


if __name__ == "__main__":
    command, socket_path, *rest = sys.argv[1:]
    if command == "run":
        sys.exit(run(socket_path, rest))
    serve(socket_path, rest)
