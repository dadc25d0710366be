"""Starting and stopping: in a separate thread, or in the running event loop."""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import TypeVar

from .http.listening import Listener
from .http.server_thread import ServerThread
from .resource import Resource

_Self = TypeVar("_Self", bound="Lifecycle")


class Lifecycle:
    """A resource that is opened and served once, by ``with``, ``async with`` or `start`."""

    def __init__(
        self,
        listener: Callable[[], Listener],
        open_resource: Callable[[], Resource],
        ca_file: str | os.PathLike[str] | None,
        ca_stem: Callable[[int], str],
    ) -> None:
        """
        :param ca_file: The path for the certificate authority; None for the default path.
        :param ca_stem: Returns the default path of the authority, without suffix, for a port.
        """
        self._make_listener = listener
        self._open_resource = open_resource
        self._ca_file = ca_file
        self._ca_stem = ca_stem
        self._phase = "new"
        self._process = os.getpid()
        self._resource: Resource | None = None
        self._listener: Listener | None = None
        self._thread: ServerThread | None = None

    def start(self: _Self) -> _Self:
        """Starts the service in a separate thread; it is listening when this returns.

        :raises RuntimeError: If it was started before.
        :raises DatabaseError: If the database cannot be used.
        :raises ValueError: If the database belongs to another resource than `resource_id`, a
            certificate cannot name the host, or `ca_file` cannot be written.
        :raises OSError: If the port is taken, or the address is not of this machine.
        """
        self._begin()
        try:
            self._resource = self._open_resource()
            self._thread = ServerThread(self._listen, self._stop_listening)
        except BaseException:
            self._abandon()
            raise
        return self

    def stop(self) -> None:
        """Stops the service and waits for the end; does nothing if it is not running.

        It does nothing in a forked child either: the service is the parent's.

        :raises RuntimeError: If it runs in an event loop, which only ``async with`` can leave.
        """
        if self._phase != "running" or self._is_of_parent():
            return
        if self._thread is None:
            raise RuntimeError("an emulator entered with 'async with' stops at the end of it")
        self._phase = "stopped"
        try:
            self._thread.stop()
        finally:
            self._close_resource()

    def __enter__(self: _Self) -> _Self:
        return self.start()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    async def __aenter__(self: _Self) -> _Self:
        self._begin()
        try:
            self._resource = await self._opened()
            await self._listen()
        except BaseException:
            self._abandon()
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._is_of_parent():
            return
        self._phase = "stopped"
        try:
            await self._stop_listening()
        finally:
            self._close_resource()

    def _is_of_parent(self) -> bool:
        """Whether a parent process started it: its sockets, files and database are not for us."""
        return self._process != os.getpid()

    def _listening(self) -> Listener:
        self._running()
        if self._listener is None:
            raise RuntimeError("the emulator is not listening yet")
        return self._listener

    def _running(self) -> Resource:
        if self._phase == "stopped":
            raise RuntimeError("the emulator has been stopped")
        if self._resource is None:
            raise RuntimeError("the emulator is not running: start it first")
        return self._resource

    def _begin(self) -> None:
        if self._phase == "running":
            raise RuntimeError("the emulator runs already")
        if self._phase == "stopped":
            raise RuntimeError("an emulator cannot be started again: make another one")
        self._phase = "running"
        self._process = os.getpid()

    def _abandon(self) -> None:
        """Resets the state after a failed start."""
        resource, self._resource = self._resource, None
        if resource is not None:
            resource.abandon()
        self._phase = "new"

    def _close_resource(self) -> None:
        resource, self._resource = self._resource, None
        if resource is not None:
            resource.close()

    async def _opened(self) -> Resource:
        """Opens the resource in a thread, which closes it again if this task is cancelled."""
        executor = ThreadPoolExecutor(1, "acs-identity-emulator-opening")
        opening = executor.submit(self._open_resource)
        executor.shutdown(wait=False)
        try:
            return await asyncio.wrap_future(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_close_opened)
            raise

    async def _listen(self) -> None:
        resource = self._running()
        listener = self._make_listener()
        listener.bind()
        try:
            certificates = resource.certificates
            certificates.write_files(self._ca_file, self._ca_stem(listener.port))
            resource.application.connection_count = listener.connection_count
            listener.serve(resource.application, certificates.server_context())
        except BaseException:
            await listener.stop()
            raise
        self._listener = listener

    async def _stop_listening(self) -> None:
        if self._resource is not None:
            # First, because the next emulator on this port writes files of the same names.
            self._resource.certificates.close()
        if self._listener is not None:
            await self._listener.stop()


def _close_opened(opening: "Future[Resource]") -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().abandon()
