"""The emulator, in a process that is restarted on the same port and database."""

import multiprocessing
import threading
from collections.abc import Iterable
from multiprocessing.connection import Connection
from pathlib import Path

from azure.core.credentials import AzureKeyCredential
from soak.usage import resident

from acs_identity_emulator import IdentityEmulator, JournalEntry

FAULTS = ("status:503", "reset", "status:500", "truncated", "status:429", "reset-in-body", "html")
JOURNAL = "journal"
_JOURNAL_PAUSE = 1.0


def serve(pipe: Connection, folder: str, port: int) -> None:
    """Runs the emulator until it is told to stop.

    :param pipe: Where commands come from, and answers go to.
    :param folder: Where the database and a copy of the journal are.
    :param port: The port; 0 for any.
    """
    known: set[tuple[float, str]] = set()

    with (Path(folder) / JOURNAL).open("a", encoding="ascii") as journal:

        def copy(calls: Iterable[JournalEntry]) -> None:
            """Copies what is new: the emulator keeps 10,000 calls."""
            found = {
                (each.at, str(each.user))
                for each in calls
                if each.operation == "create" and each.status in (200, 201)
            }
            journal.writelines(f"{user}\n" for _, user in found - known)
            known.clear()
            known.update(found)

        with IdentityEmulator(database=f"{folder}/database", port=port) as emulator:
            pipe.send((emulator.endpoint, emulator.access_key))
            calls = emulator.requests
            while (message := pipe.recv() if pipe.poll(_JOURNAL_PAUSE) else None) != "stop":
                if isinstance(message, int):
                    for number in range(message):
                        emulator.inject("any", FAULTS[number % len(FAULTS)])
                elif message is not None:
                    pipe.send(emulator.rotate_key(message))
                copy(calls)
        copy(calls)  # what was answered while it stopped


class Resource:
    """The resource, and the credential that both clients share.

    :param folder: Where the database and the journal are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._context = multiprocessing.get_context("spawn")
        self._slots = ["primary", "secondary"]
        self._lock = threading.Lock()
        self.endpoint, key = self._start(0)
        self.credential = AzureKeyCredential(key)

    def _start(self, port: int) -> tuple[str, str]:
        self._pipe, theirs = self._context.Pipe()
        self._process = self._context.Process(target=serve, args=(theirs, self._folder, port))
        self._process.start()
        started: tuple[str, str] = self._pipe.recv()
        return started

    def restart(self) -> None:
        """Stops the emulator, in order, and starts it again."""
        self.stop()
        self._start(int(self.endpoint.rstrip("/").rpartition(":")[2]))

    def stop(self) -> None:
        """Stops the emulator."""
        self._pipe.send("stop")
        self._process.join()

    def rotate(self) -> None:
        """Lets the clients use the other key, after that was replaced."""
        self._slots.reverse()
        self._pipe.send(self._slots[0])
        self.credential.update(self._pipe.recv())

    def inject(self, count: int) -> None:
        """Injects faults into the next calls."""
        self._pipe.send(count)

    @property
    def memory(self) -> float:
        """Megabytes of the emulator."""
        return resident(self._process.pid)
