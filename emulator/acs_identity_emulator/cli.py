"""The command line: `python -m acs_identity_emulator`."""

import argparse
import logging
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from .process import file_limit, logs, options, stopping
from .process.options import refuse

if TYPE_CHECKING:
    from .emulator import IdentityEmulator

_POLL_INTERVAL = 0.05  # seconds between looks at the flag that a signal sets

_log = logging.getLogger("acs_identity_emulator")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the emulator until SIGINT or SIGTERM; returns the exit status."""
    chosen = options.parse(arguments, os.environ)
    if chosen.check_health:
        return _check_health(chosen.host, chosen.port)
    stop_asked = stopping.StopFlag(exit_with_parent=chosen.exit_with_parent)
    stop_asked.listen()
    file_limit.raise_file_limit()
    log = None
    if sys.stderr is not None:
        log = logs.set_up(sys.stderr.fileno(), chosen.log_level, chosen.log_format)
    try:
        if chosen.export:
            return _export(chosen.database, chosen.export)
        return _serve(chosen, stop_asked)
    finally:
        if log is not None:
            log.close()


def _check_health(host: str, port: int) -> int:
    import http.client

    reached_at = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - no binding
    connection = http.client.HTTPConnection(reached_at, port, timeout=2)
    try:
        connection.request("GET", "/.emulator/health")
        is_healthy = connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        is_healthy = False
    finally:
        connection.close()
    return 0 if is_healthy else 1


def _export(database: str, target: str) -> int:
    from .state.store import DatabaseError, Store

    try:
        store = Store(database, must_exist=True)
        try:
            store.export(target)
        finally:
            store.close()
    except DatabaseError as error:
        return refuse(str(error))
    return 0


def _new_emulator(chosen: argparse.Namespace) -> "IdentityEmulator":
    # After the parser, so that --help and --version do not wait for cryptography.
    from .emulator import IdentityEmulator

    return IdentityEmulator(
        host=chosen.host,
        port=chosen.port,
        identity_port=chosen.identity_port,
        tls=chosen.tls,
        tls_names=chosen.tls_name,
        ca_file=chosen.ca_file,
        database=chosen.database,
        import_state=getattr(chosen, "import"),
        access_key=chosen.access_key,
        secondary_key=chosen.secondary_key,
        resource_id=chosen.resource_id,
        throttle=chosen.throttle,
        retry_after=chosen.retry_after,
        open_exchange=chosen.open_exchange,
        page_size=chosen.page_size,
        token_lifetime=chosen.token_lifetime,
        control_token=chosen.control_token,
        encrypted_tokens=chosen.encrypted_tokens,
    )


def _serve(chosen: argparse.Namespace, stop_asked: stopping.StopFlag) -> int:
    from .state.store import DatabaseError

    try:
        emulator = _new_emulator(chosen)
        faults = [options.fault(text) for text in chosen.fault]
        applications = [options.application(text) for text in chosen.application]
        emulator.start()
    except (ValueError, DatabaseError) as error:
        return refuse(options.of_command_line(str(error), chosen))
    except OSError as error:
        return refuse(options.of_command_line(error.strerror or str(error), chosen))
    except Exception as error:  # noqa: BLE001 - its message and traceback may hold a secret
        return refuse(f"cannot start: {type(error).__name__}")
    failures: list[str] = []
    try:
        emulator.advance(chosen.advance)
        for operation, fault, times in faults:
            emulator.inject(operation, fault, times)
        registered = [emulator.register_application(*application) for application in applications]
        if chosen.dev:
            _log.warning("--dev: the keys are public, anyone who reaches the port can use them")
        text = "".join(f"{line}\n" for line in _greeting(emulator, *registered[:1]))
        # In a thread: a pipe that nobody reads blocks it.
        threading.Thread(target=_print, args=(text, failures), daemon=True).start()
        while not (stop_asked or failures):
            time.sleep(_POLL_INTERVAL)
    except DatabaseError as error:
        failures.append(str(error))
    finally:
        emulator.stop()
    return refuse(failures[0]) if failures else 0


def _print(text: str, failures: list[str]) -> None:
    if sys.stdout is None:  # closed, as the connection string may be known
        return
    try:
        # Not by `sys.stdout`, whose lock would then block the end of the interpreter.
        logs.write(sys.stdout.fileno(), text.encode(sys.stdout.encoding, "backslashreplace"))
    except OSError as error:
        failures.append(f"cannot write to standard output ({error.strerror})")


def _greeting(emulator: "IdentityEmulator", *variables: Mapping[str, str]) -> Iterator[str]:
    """The lines to connect with: the connection string first, then environment variables."""
    yield emulator.connection_string
    known = (emulator.trust_environment, emulator.managed_identity_environment)
    for mapping in (*known, *variables):
        for name, value in mapping.items():
            yield f"{name}={value}"
