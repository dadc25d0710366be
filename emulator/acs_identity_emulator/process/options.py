"""The options of the command line, each of which can be an environment variable as well."""

import argparse
import contextlib
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple, NoReturn

from .._version import __version__
from ..contract.faults import SPELLINGS, FaultQueue
from ..contract.guids import is_guid
from ..contract.lifetimes import FARTHEST, TOKEN_SECONDS
from ..contract.numbers import decimal_in
from ..contract.versions import Operation
from .stopping import limited

PROGRAM = "acs-identity-emulator"
CANNOT_START = 2  # the exit status
# Public, as they are written here: for a connection string that a file can hold.
DEV_PORT = 10010
DEV_ACCESS_KEY = (
    "cHVibGljIHByaW1hcnkga2V5IG9mIGFjcy1pZGVudGl0eS1lbXVsYXRvciAtLWRldiwga25vd24gdG8gZXZlcg=="
)
DEV_SECONDARY_KEY = (
    "cHVibGljIHNlY29uZGFyeSBrZXkgb2YgYWNzLWlkZW50aXR5LWVtdWxhdG9yIC0tZGV2LCBrbm93biB0byBldg=="
)
DEV_RESOURCE_ID = "00000000-0000-4000-8000-0000000000ac"

_VARIABLE_PREFIX = "ACS_IDENTITY_EMULATOR_"
_FAULT = re.compile(r"([^=]+)=([^*]+)(?:\*(\d{1,9}))?")
_ADVANCES = range(int(FARTHEST.total_seconds()) + 1)
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("", "0", "false", "no", "off")


def refuse(reason: str) -> int:
    """Writes in one line why the emulator does not start, and returns the exit status."""
    line = " ".join(f"{PROGRAM}: {reason}".split())
    if sys.stderr is not None:
        # A full pipe blocks, a closed one raises.
        with limited(CANNOT_START), contextlib.suppress(OSError):
            sys.stderr.write(f"{line}\n")
    return CANNOT_START


def parse(arguments: Sequence[str] | None, environment: Mapping[str, str]) -> argparse.Namespace:
    """The options; an argument takes precedence over the environment.

    :raises SystemExit: If an option is unknown or invalid, or for --help and --version.
    """
    parser = _parser()
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        from_environment = [
            argument for option in _OPTIONS for argument in option.arguments(environment)
        ]
    except ValueError as error:
        parser.error(str(error))
    options = parser.parse_args([*from_environment, *given])
    if options.dev:
        options.port = DEV_PORT if options.port is None else options.port
        options.access_key = options.access_key or DEV_ACCESS_KEY
        options.secondary_key = options.secondary_key or DEV_SECONDARY_KEY
        options.resource_id = options.resource_id or DEV_RESOURCE_ID
    options.port = options.port or 0
    if options.export and not options.database:
        parser.error("--export needs --database, whose state it writes")
    if options.exit_with_parent and os.name == "nt":
        parser.error("--exit-with-parent is not available on Windows")
    return options


def fault(text: str) -> tuple[str, str, int]:
    """The operation, fault and times of `OPERATION=FAULT[*TIMES]`.

    :raises ValueError: If the text has another form, or the operation or fault is unknown.
    """
    match = _FAULT.fullmatch(text)
    if match is None:
        raise ValueError(f"--fault must be OPERATION=FAULT or OPERATION=FAULT*TIMES, not {text!r}")
    operation, kind, times = match[1], match[2], int(match[3] or 1)
    try:
        FaultQueue().inject(operation, kind, times)
    except ValueError as error:
        reason = str(error).partition(":\n")[0]
        raise ValueError(f"--fault: {reason} (see --help)") from None
    return operation, kind, times


def application(text: str) -> tuple[str, str | None]:
    """The client id and the secret, if any, of `CLIENT_ID[=SECRET]`.

    :raises ValueError: If the client id is not a GUID, or the secret is empty.
    """
    client_id, mark, secret = text.partition("=")
    if not is_guid(client_id) or bool(mark) != bool(secret):
        raise ValueError("--application must be CLIENT_ID or CLIENT_ID=SECRET, the id a GUID")
    return client_id, secret or None


def of_command_line(message: str, chosen: argparse.Namespace) -> str:
    """An error of `IdentityEmulator`, with options instead of arguments."""
    gives_id = "--dev" if chosen.dev and chosen.resource_id == DEV_RESOURCE_ID else "--resource-id"
    message = message.replace("leave resource_id out", f"leave {gives_id} out")
    argument, _, rest = message.partition(" ")
    flag = f"--{argument.replace('_', '-')}"
    return f"{flag} {rest}" if flag in (option.flag for option in _OPTIONS) else message


def _integer(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number, not {text!r}") from None


def _seconds(allowed: range) -> Callable[[str], timedelta]:
    def read(text: str) -> timedelta:
        seconds = decimal_in(text, allowed)
        if seconds is None:
            raise argparse.ArgumentTypeError(
                f"must be a number of seconds from {allowed[0]} to {allowed[-1]}, not {text!r}"
            )
        return timedelta(seconds=seconds)

    return read


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, as for every failure to start: the usage is in --help."""
        sys.exit(refuse(f"{message} (see --help)"))


class _Option(NamedTuple):
    """An option that takes a value, or several, or none."""

    flag: str
    help: str
    metavar: str | None = None
    type: Callable[[str], object] = str
    choices: Sequence[str] | None = None
    default: object = None
    is_switch: bool = False
    is_repeated: bool = False

    def add_to(self, parser: argparse.ArgumentParser) -> None:
        if self.is_switch:
            parser.add_argument(self.flag, action="store_true", help=self.help)
            return
        parser.add_argument(
            self.flag,
            help=self.help,
            metavar=self.metavar,
            type=self.type,
            choices=self.choices,
            default=[] if self.is_repeated else self.default,
            action="append" if self.is_repeated else "store",
        )

    def arguments(self, environment: Mapping[str, str]) -> list[str]:
        """The arguments that the environment variable stands for.

        :raises ValueError: If a switch is neither on nor off.
        """
        variable = _VARIABLE_PREFIX + self.flag.removeprefix("--").replace("-", "_").upper()
        value = environment.get(variable, "")
        if self.is_switch:
            if value.lower() not in (*_TRUE, *_FALSE):
                raise ValueError(f"{variable} must be true or false, not {value!r}")
            return [self.flag] if value.lower() in _TRUE else []
        values = value.split() if self.is_repeated else [value] if value else []
        return [f"{self.flag}={one}" for one in values]


_OPTIONS = (
    _Option("--host", "address to listen on (default: %(default)s)", default="127.0.0.1"),
    _Option(
        "--port", "port for http and https (default: any free one)", metavar="PORT", type=_integer
    ),
    _Option(
        "--identity-port",
        "a second port for the managed identity (default: the same)",
        metavar="PORT",
        type=_integer,
    ),
    _Option(
        "--tls",
        "print the endpoint with https, which Entra tokens need",
        is_switch=True,
    ),
    _Option(
        "--tls-name",
        "a further name or address by which clients reach the emulator over https; may be repeated",
        metavar="NAME",
        is_repeated=True,
    ),
    _Option(
        "--ca-file",
        "where to write the certificate authority to trust (default: FILE.ca.pem beside the "
        "database, or HOST-PORT.ca.pem in the user's data folder); a bundle of it with the public "
        "authorities is written beside it",
        metavar="FILE",
    ),
    _Option(
        "--database",
        "keep identities, keys, the resource id and the certificate authority in this file, and "
        "continue from it (default: in memory)",
        metavar="FILE",
    ),
    _Option(
        "--import",
        "initialize the new database, or memory, with the state in this file",
        metavar="FILE",
    ),
    _Option(
        "--export",
        "write the state of the database to this file, and exit",
        metavar="FILE",
    ),
    _Option("--access-key", "primary access key (default: random, or kept)", metavar="BASE64"),
    _Option("--secondary-key", "secondary access key (default: random, or kept)", metavar="BASE64"),
    _Option("--resource-id", "id of the resource (default: random, or kept)", metavar="GUID"),
    _Option(
        "--dev",
        f"listen on port {DEV_PORT} with keys and a resource id that are public and always the "
        "same, for a connection string in a file",
        is_switch=True,
    ),
    _Option("--throttle", "apply the documented limits per 30 seconds", is_switch=True),
    _Option("--retry-after", "send Retry-After with throttled responses", is_switch=True),
    _Option(
        "--application",
        "register an application that gets Entra tokens by its secret (default: random, or kept), "
        "and print the variables of the first one for azure-identity; may be repeated",
        metavar="CLIENT_ID[=SECRET]",
        is_repeated=True,
    ),
    _Option(
        "--open-exchange",
        "exchange every valid Entra token, even without an assignment",
        is_switch=True,
    ),
    _Option(
        "--encrypted-tokens",
        "give Entra users encrypted tokens (JWE), which clients cannot decode",
        is_switch=True,
    ),
    _Option(
        "--page-size",
        "Entra assignments in a page of their list (default: %(default)s)",
        metavar="N",
        type=_integer,
        default=100,
    ),
    _Option(
        "--token-lifetime",
        f"lifetime of every token, 1 to {TOKEN_SECONDS[-1]} (default: as requested)",
        metavar="SECONDS",
        type=_seconds(TOKEN_SECONDS),
    ),
    _Option(
        "--advance",
        f"start with the clock of the service ahead, by up to {_ADVANCES[-1]} (ten years)",
        metavar="SECONDS",
        type=_seconds(_ADVANCES),
        default=timedelta(0),
    ),
    _Option(
        "--control-token",
        "token that /.emulator/ and the page at / require; needed unless --host is loopback",
        metavar="TOKEN",
    ),
    _Option(
        "--fault",
        "inject a fault into the next requests of an operation, such as issue=status:429*3 or "
        "any=delay:0.5; may be repeated",
        metavar="OPERATION=FAULT[*TIMES]",
        is_repeated=True,
    ),
    _Option(
        "--log-level",
        "what goes to standard error; info is a line per request (default: %(default)s)",
        choices=("debug", "info", "warning", "error"),
        default="info",
    ),
    _Option(
        "--log-format",
        "lines of text or of JSON (default: %(default)s)",
        choices=("text", "json"),
        default="text",
    ),
    _Option(
        "--check-health",
        "ask the emulator at --host and --port whether it serves, and exit with 0 if it does",
        is_switch=True,
    ),
    _Option("--exit-with-parent", "stop when the parent process ends", is_switch=True),
)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=PROGRAM,
        description="The Azure Communication Services Identity REST service on this machine, for "
        "tests. The first line it prints is the connection string; http and https both work on its "
        "port. It runs until SIGINT (Ctrl-C) or SIGTERM.",
        epilog=f"Every option can be an environment variable: --log-level is "
        f"{_VARIABLE_PREFIX}LOG_LEVEL,\na switch is set by 1 or true, and several values are "
        "separated by spaces.\n\noperations: any, "
        + ", ".join(operation.value for operation in Operation)
        + "\n\nfaults:\n"
        + "".join(f"  {line}\n" for line in SPELLINGS.splitlines())
        + "\nA running emulator takes faults as well: POST, GET or DELETE /.emulator/faults,\n"
        'such as {"operation": "issue", "fault": "reset", "times": 2}; POST /.emulator/reset\n'
        "empties it.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    for option in _OPTIONS:
        option.add_to(parser)
    return parser
