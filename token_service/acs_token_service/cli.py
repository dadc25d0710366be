"""The command line: `python -m acs_token_service`."""

import argparse
import asyncio
import contextlib
import os
import sys
import tempfile
import threading
from collections.abc import Coroutine, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from pydantic import ValidationError

from . import __version__
from .extras import missing

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from .settings import Settings

_CANNOT_START = 2
_PORT = "ACS_TOKEN_WORKER_PORT"
_SHARED_METRICS = "PROMETHEUS_MULTIPROC_DIR"
_GRACE = 5.0  # seconds, in addition to those for requests and background work
_NOT_IN_DEVELOPMENT = (
    "ACS_TOKEN_RESOURCE_",
    "ACS_TOKEN_DATABASE_URL",
    "ACS_TOKEN_CACHE_",
    "ACS_TOKEN_DEVELOPMENT_LOGIN",
    "ACS_TOKEN_MIGRATE",
)
_MIGRATION_SECONDS = 600.0  # also to wait for another process that migrates


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        return int(_COMMANDS[options.command](options))
    except _CannotStartError as error:
        print(f"acs-token-service: {error}", file=sys.stderr)  # noqa: T201 - a command line
        return _CANNOT_START


class _CannotStartError(Exception):
    pass


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(_CANNOT_START, f"acs-token-service: {message} (see --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="acs-token-service",
        description="Signs people in and hands out their Azure Communication Services access "
        "tokens. Settings are environment variables: `acs-token-service settings` lists them.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.add_argument(
        "command",
        nargs="?",
        default="serve",
        choices=sorted(_COMMANDS),
        help="serve (the default), migrate the database, list the settings, make a new cache key",
    )
    parser.add_argument(
        "--dev",
        action="store_true",
        help="run on an emulated resource, with a login for trying and nothing kept: resource, "
        "database and cache of the settings are not used; needs the extra dev",
    )
    parser.add_argument("--host", help="address to listen on")
    parser.add_argument("--port", type=int, help="port to listen on, 0 for any that is free")
    parser.add_argument("--workers", type=int, help="processes on this machine")
    return parser


def _serve(options: argparse.Namespace) -> int:
    with contextlib.ExitStack() as stack:
        if options.dev:
            stack.enter_context(_development_environment())
        settings = _settings(options)
        from .telemetry.logs import set_up

        set_up(settings.log_level)
        _migrate_first(settings)
        if settings.workers == 1:
            return _serve_alone(settings)
        return _serve_with_workers(settings, stack)


def _serve_alone(settings: "Settings") -> int:
    from .server import bind, serve

    try:
        bound = bind(settings, shared=False)
    except OSError as error:
        raise _cannot_listen(settings, error) from error
    port = bound.getsockname()[1]
    _trace(settings)
    return _run(serve(settings, bound, lambda: _say_where(settings, port)))


def _serve_with_workers(settings: "Settings", stack: contextlib.ExitStack) -> int:
    from .server import bind
    from .workers import Supervisor, worker_command

    if not hasattr(__import__("socket"), "SO_REUSEPORT"):
        raise _CannotStartError("several workers need a system with SO_REUSEPORT, such as Linux")
    try:
        # Bound but not listening: it keeps the port, and gets no connections.
        reserved = stack.enter_context(contextlib.closing(bind(settings, shared=True)))
    except OSError as error:
        raise _cannot_listen(settings, error) from error
    port = reserved.getsockname()[1]
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    environment = {
        _PORT: str(port),
        _SHARED_METRICS: folder,
        **_as_environment(settings),
    }
    return Supervisor(
        worker_command(),
        environment,
        workers=settings.workers,
        address=(settings.host, port),
        forget=lambda pid: _forget_gauges(pid, folder),
        grace=2 * settings.shutdown_seconds + _GRACE,
    ).run(lambda: _say_where(settings, port))


def _forget_gauges(pid: int, folder: str) -> None:
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(pid, folder)  # type: ignore[no-untyped-call] # has no annotations


def _worker(options: argparse.Namespace) -> int:
    """One of several workers; started by the supervisor only."""
    settings = _settings(options)
    from .server import bind, serve
    from .telemetry.logs import set_up

    set_up(settings.log_level)
    if _PORT not in os.environ:
        raise _CannotStartError("`worker` is for the supervisor: start `serve --workers N`")
    _trace(settings)
    bound = bind(settings, int(os.environ[_PORT]), shared=True)
    return _run(serve(settings, bound, lifeline=sys.stdin.fileno()))


def _run(serving: Coroutine[Any, Any, None]) -> int:
    from .server import CannotServeError

    try:
        asyncio.run(serving)
    except CannotServeError as error:
        raise _CannotStartError(str(error)) from error
    return 0


def _as_environment(settings: "Settings") -> dict[str, str]:
    """The decisions of the supervisor for all workers."""
    from .settings import PREFIX
    from .signin.development import new_key

    decided = {"HOST": settings.host, "WORKERS": str(settings.workers)}
    if settings.development_login and settings.development_key is None:
        decided["DEVELOPMENT_KEY"] = new_key()
    return {f"{PREFIX}{name}": value for name, value in decided.items()}


def _migrate(options: argparse.Namespace) -> int:
    _migrate_first(_settings(options), always=True)
    return 0


def _migrate_first(settings: "Settings", *, always: bool = False) -> None:
    if not (settings.migrate or always):
        return
    from .people.database import Database, DatabaseDownError
    from .telemetry.logs import cause_of

    async def migrate() -> None:
        before = set(threading.enumerate())
        database = Database(settings.database_url.get_secret_value(), timeout=_MIGRATION_SECONDS)
        try:
            await database.migrate()
        except DatabaseDownError:
            # The thread of an SQLite connection that failed reports its end to the event loop, and
            # would print a traceback if the loop were closed by then.
            for thread in set(threading.enumerate()) - before:
                thread.join(1)
            raise
        finally:
            await database.close()

    try:
        asyncio.run(migrate())
    except ValueError as error:
        raise _CannotStartError(f"ACS_TOKEN_DATABASE_URL: {error}") from error
    except ModuleNotFoundError as error:
        raise _CannotStartError(missing(error)) from error
    except DatabaseDownError as error:
        raise _CannotStartError(
            f"ACS_TOKEN_DATABASE_URL: the database cannot be used ({cause_of(error)})"
        ) from error
    except TypeError as error:
        if "?" not in settings.database_url.get_secret_value():
            raise
        raise _CannotStartError(
            "ACS_TOKEN_DATABASE_URL: the driver does not know a parameter after the question mark"
        ) from error


def _list_settings(_options: argparse.Namespace) -> int:
    from .settings_page import page

    sys.stdout.write(page())
    return 0


def _new_key(_options: argparse.Namespace) -> int:
    from .tokens.encryption import new_key

    sys.stdout.write(f"{new_key()}\n")
    return 0


_COMMANDS = {
    "serve": _serve,
    "migrate": _migrate,
    "settings": _list_settings,
    "new-key": _new_key,
    "worker": _worker,
}


def _settings(options: argparse.Namespace) -> "Settings":
    """:raises _CannotStartError: If a setting is missing or invalid. No value is shown."""
    from .settings import Settings

    given = {
        name: value
        for name in ("host", "port", "workers")
        if (value := getattr(options, name)) is not None
    }
    try:
        return Settings(**given)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        raise _CannotStartError("; ".join(map(_problem, problems))) from None


def _problem(error: "ErrorDetails") -> str:
    """Such as: ACS_TOKEN_ISSUERS, item 1: audience is missing."""
    from .settings import PREFIX

    message = error["msg"].removeprefix("Value error, ")
    if not error["loc"]:
        return message
    variable, *inner = error["loc"]
    where = f"{PREFIX}{str(variable).upper()}"
    if inner and isinstance(index := inner[0], int):
        where += f", item {index + 1}"
        del inner[0]
    if error["type"] == "missing" and inner:
        return f"{where}: {inner[-1]} is missing"
    return ": ".join([where, *map(str, inner), message])


@contextlib.contextmanager
def _development_environment() -> Iterator[None]:
    """An emulated resource, a database for this run, and the development login.

    Resource and storage of the environment are left alone: they may be those of production.
    """
    try:
        from acs_identity_emulator import IdentityEmulator
    except ModuleNotFoundError as error:
        raise _CannotStartError(missing(error)) from error
    with tempfile.TemporaryDirectory() as folder, IdentityEmulator() as emulator:
        path = Path(folder, "token-service.db")
        for name in list(os.environ):
            if name.upper().startswith(_NOT_IN_DEVELOPMENT):
                del os.environ[name]
        os.environ.update(
            ACS_TOKEN_RESOURCE_CONNECTION_STRING=emulator.connection_string,
            ACS_TOKEN_DATABASE_URL=f"sqlite+aiosqlite:///{path}",
            ACS_TOKEN_DEVELOPMENT_LOGIN="true",  # noqa: S106 - a switch
        )
        yield


def _say_where(settings: "Settings", port: int) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    sys.stdout.write(f"http://{host}:{port}\n")
    sys.stdout.flush()


def _trace(settings: "Settings") -> None:
    if not settings.tracing:
        return
    from .telemetry.tracing import export_by_environment

    try:
        export_by_environment()
    except ModuleNotFoundError as error:
        raise _CannotStartError(missing(error)) from error


def _cannot_listen(settings: "Settings", error: OSError) -> _CannotStartError:
    return _CannotStartError(
        f"cannot listen on {settings.host} port {settings.port} ({error.strerror}): name another "
        "with --port, 0 for any free one, or with --host"
    )
