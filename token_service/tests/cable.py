"""A connection to a server that a test can cut and stall."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Cable:
    """Forwards a port to a server."""

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._listening: asyncio.Server | None = None
        self._forwarding: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._answering = asyncio.Event()
        self._answering.set()
        self.port = 0

    async def mend(self) -> None:
        """Accepts connections, on the same port as before."""
        self._flowing.set()
        self._answering.set()
        if self._listening is None:
            self._listening = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
            self.port = self._listening.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Closes all connections and accepts none."""
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        for task in list(self._forwarding):
            task.cancel()
        if self._forwarding:
            await asyncio.wait(list(self._forwarding))

    def stall(self) -> None:
        """Keeps all connections open and forwards nothing until `mend`."""
        self._flowing.clear()
        self._answering.clear()

    def hold_answers(self) -> None:
        """Forwards what clients send, and nothing of what the server answers, until `mend`."""
        self._answering.clear()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._forwarding.add(task)
        upstream: asyncio.StreamWriter | None = None
        try:
            server_reader, upstream = await asyncio.open_connection(*self._target)
            await asyncio.gather(
                self._pump(reader, upstream, self._flowing),
                self._pump(server_reader, writer, self._answering),
            )
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._forwarding.discard(task)
            for end in (writer, upstream):
                if end is not None:
                    end.transport.abort()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flowing: asyncio.Event
    ) -> None:
        while data := await reader.read(65536):
            await flowing.wait()
            writer.write(data)
            await writer.drain()
        with suppress(OSError):
            writer.write_eof()


@asynccontextmanager
async def cable_to(host: str, port: int) -> AsyncIterator[Cable]:
    cable = Cable(host, port)
    await cable.mend()
    try:
        yield cable
    finally:
        await cable.cut()
