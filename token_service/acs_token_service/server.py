"""One process that serves until it is stopped."""

import asyncio
import signal
import socket
from collections.abc import Callable

from aiohttp import web

from .app import HEALTH, create_app
from .extras import missing
from .settings import Settings

_LARGEST_HEADER = 32 * 1024  # bearer tokens of Entra with many groups have several thousand bytes


class CannotServeError(Exception):
    """The settings cannot be used; the message says why, and holds no secret."""


async def serve(
    settings: Settings,
    bound: socket.socket,
    is_listening: Callable[[], None] | None = None,
    *,
    lifeline: int | None = None,
) -> None:
    """Serves on the socket until SIGTERM or SIGINT, then finishes what it began.

    :param is_listening: Called once connections are accepted.
    :param lifeline: A file descriptor of a pipe whose end stops the service, as a signal does.
    :raises CannotServeError: If the settings cannot be used.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if lifeline is not None:
        loop.add_reader(lifeline, _stop_at_its_end, loop, lifeline, stop)
    try:
        app = await create_app(settings)
    except ValueError as error:
        raise CannotServeError(str(error)) from error
    except ModuleNotFoundError as error:
        raise CannotServeError(missing(error)) from error
    runner = runner_of(app, settings)
    await runner.setup()
    try:
        await web.SockSite(runner, bound).start()
        if is_listening is not None:
            is_listening()
        await stop.wait()
        app[HEALTH].is_stopping = True
    finally:
        await runner.cleanup()


def _stop_at_its_end(loop: asyncio.AbstractEventLoop, lifeline: int, stop: asyncio.Event) -> None:
    loop.remove_reader(lifeline)
    stop.set()


def runner_of(app: web.Application, settings: Settings) -> web.AppRunner:
    return web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        shutdown_timeout=settings.shutdown_seconds,
        max_field_size=_LARGEST_HEADER,
    )


def bind(settings: Settings, port: int | None = None, *, shared: bool) -> socket.socket:
    """A bound socket.

    :param shared: Whether other processes bind the same port: the system then gives each new
        connection to one of them.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind((settings.host, settings.port if port is None else port))
    except OSError:
        bound.close()
        raise
    return bound
