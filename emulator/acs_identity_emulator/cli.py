"""The command line: `python -m acs_identity_emulator`."""

import argparse
import contextlib
import logging
import re
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from ._version import __version__
from .contract.faults import SPELLINGS, FaultQueue
from .contract.versions import Operation

if TYPE_CHECKING:
    from .emulator import IdentityEmulator

_LOG_LEVELS = ("debug", "info", "warning", "error")
_POLL_INTERVAL = 0.05  # seconds between looks at the flag that a signal sets
_CANNOT_START = 2
_FAULT = re.compile(r"([^=]+)=([^*]+)(?:\*(\d{1,9}))?")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the emulator until SIGINT or SIGTERM; returns the exit status."""
    options = _parser().parse_args(arguments)
    stop_asked = _StopFlag()
    stop_asked.listen()
    logging.basicConfig(
        stream=sys.stderr,
        level=options.log_level.upper(),
        format="%(asctime)s %(levelname)s %(message)s",
    )

    # After the parser, so that --help and --version need not wait for aiohttp.
    from .emulator import IdentityEmulator
    from .state.store import DatabaseError

    try:
        emulator = IdentityEmulator(
            host=options.host,
            port=options.port,
            database=options.database,
            access_key=options.access_key,
            secondary_key=options.secondary_key,
            resource_id=options.resource_id,
            tls=options.tls,
            throttle=options.throttle,
            retry_after=options.retry_after,
        )
        faults = [_fault(text) for text in options.fault]
        emulator.start()
    except (ValueError, DatabaseError) as error:
        return _refuse(str(error))
    except OSError as error:
        return _refuse(
            f"cannot listen on {options.host} port {options.port} ({error.strerror}): "
            "name another with --port, 0 for any free one, or with --host"
        )
    try:
        for operation, fault, times in faults:
            emulator.inject(operation, fault, times)
        sys.stdout.write("".join(f"{line}\n" for line in _greeting(emulator)))
        sys.stdout.flush()
        while not stop_asked:
            time.sleep(_POLL_INTERVAL)
    finally:
        emulator.stop()
    return 0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, as for all that is refused: the usage is in --help."""
        sys.exit(_refuse(f"{message} (see --help)"))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="acs-identity-emulator",
        description="The Azure Communication Services Identity REST service on this machine, for "
        "tests. The first line it prints is the connection string. It runs until "
        "SIGINT (Ctrl-C) or SIGTERM.",
        epilog="operations: any, "
        + ", ".join(operation.value for operation in Operation)
        + "\n\nfaults:\n"
        + "".join(f"  {line}\n" for line in SPELLINGS.splitlines())
        + "\nA running emulator takes faults as well: POST, GET or DELETE /.emulator/faults,\n"
        'such as {"operation": "issue", "fault": "reset", "times": 2}; POST /.emulator/reset\n'
        "empties it.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    add("--port", type=int, default=0, help="port to listen on (default: 0, any free one)")
    add(
        "--database",
        metavar="FILE",
        help="keep identities, keys and the resource id in this file, and continue from it "
        "(default: in memory)",
    )
    add("--access-key", metavar="BASE64", help="primary access key (default: random, or kept)")
    add("--secondary-key", metavar="BASE64", help="secondary access key (default: likewise)")
    add("--resource-id", metavar="GUID", help="id of the resource (default: likewise)")
    add(
        "--log-level",
        choices=_LOG_LEVELS,
        default="info",
        help="what goes to standard error; info is a line per request (default: %(default)s)",
    )
    add(
        "--tls",
        action="store_true",
        help="serve https, which Entra tokens need: also print the "
        "path of the authority to trust, and the variables of the managed identity",
    )
    add("--throttle", action="store_true", help="hold to the documented limits per 30 seconds")
    add("--retry-after", action="store_true", help="tell who is throttled when to come again")
    add(
        "--fault",
        metavar="OPERATION=FAULT[*TIMES]",
        action="append",
        default=[],
        help="let the next requests of an operation go wrong, such as issue=status:429*3 or "
        "any=delay:0.5; may be given more than once",
    )
    add("--version", action="version", version=f"%(prog)s {__version__}")
    return parser


def _greeting(emulator: "IdentityEmulator") -> Iterator[str]:
    """What to connect with, the connection string first."""
    yield emulator.connection_string
    if emulator.endpoint.startswith("https:"):
        yield f"REQUESTS_CA_BUNDLE={emulator.ca_bundle}"
        for name, value in emulator.managed_identity_environment.items():
            yield f"{name}={value}"


def _fault(text: str) -> tuple[str, str, int]:
    """The operation, fault and times of `OPERATION=FAULT[*TIMES]`.

    :raises ValueError: the text has another form, or names no operation or fault.
    """
    match = _FAULT.fullmatch(text)
    if match is None:
        raise ValueError(f"--fault must be OPERATION=FAULT or OPERATION=FAULT*TIMES, not {text!r}")
    operation, fault, times = match[1], match[2], int(match[3] or 1)
    try:
        FaultQueue().inject(operation, fault, times)
    except ValueError as error:
        reason = str(error).partition(":\n")[0]
        raise ValueError(f"--fault: {reason} (see --help)") from None
    return operation, fault, times


def _refuse(reason: str) -> int:
    sys.stderr.write(f"acs-identity-emulator: {reason}\n")
    return _CANNOT_START


class _StopFlag:
    """True once a signal has asked to stop.

    A flag that is looked at, not an event that is waited for: an event's lock may be held by the
    very code that the signal interrupts, and Windows cannot interrupt a wait.
    """

    def __init__(self) -> None:
        self._set = False

    def __bool__(self) -> bool:
        return self._set

    def listen(self) -> None:
        for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
            number = getattr(signal, name, None)  # SIGBREAK is of Windows only
            if number is not None:
                with contextlib.suppress(ValueError):  # not in the main thread
                    signal.signal(number, self._stop)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._set = True
