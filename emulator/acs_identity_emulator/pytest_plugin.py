"""Fixtures and markers for pytest, available once the distribution is installed.

Nothing but pytest is imported until a test asks for the emulator.
"""

from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .contract.faults import Armed
    from .emulator import IdentityEmulator

_FAULT = "acs_identity_fault"
_KEEP = "acs_identity_emulator_keep"
_EMULATOR = "acs_identity_emulator"
_OF_ONE = ("port", "identity_port", "database", "ca_file")  # two emulators cannot share them

_RUNNING = pytest.StashKey["IdentityEmulator"]()
_KEYS = pytest.StashKey[dict[str, str]]()
_EARLIER = pytest.StashKey["list[Armed]"]()  # unused faults from before the test
_FURTHER = pytest.StashKey["list[IdentityEmulator]"]()  # those of a test's factory


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(
        _KEEP,
        f"keep the state of {_EMULATOR} from test to test, as if every test had the marker",
        type="bool",
        default=False,
    )


def pytest_configure(config: pytest.Config) -> None:
    for line in (
        f"{_FAULT}(operation, fault, times=1): inject a fault into {_EMULATOR} before the test, "
        'such as ("issue", "status:429"). The test fails if no request gets it.',
        f"{_KEEP}: start with the state that the test before has left in {_EMULATOR}.",
    ):
        config.addinivalue_line("markers", line)


@pytest.fixture(scope="session")
def acs_identity_emulator_options() -> dict[str, Any]:
    """The arguments of the emulator; override it to pass others, such as ``{"throttle": True}``."""
    return {}


@pytest.fixture(scope="session")
def acs_identity_emulator(
    acs_identity_emulator_options: dict[str, Any], request: pytest.FixtureRequest
) -> "Iterator[IdentityEmulator]":
    """The service on loopback: one emulator for the session, empty at the start of each test.

    A key that the previous test has rotated is put back.
    For the rest of the session the environment makes clients trust its certificates.
    """
    from .emulator import IdentityEmulator

    with (
        IdentityEmulator(**acs_identity_emulator_options) as emulator,
        pytest.MonkeyPatch.context() as environment,
    ):
        _trust(emulator, environment)
        request.config.stash[_RUNNING] = emulator
        request.config.stash[_KEYS] = _keys_of(emulator)
        yield emulator
        del request.config.stash[_RUNNING]


@pytest.fixture(scope="session")
def acs_identity_connection_string(acs_identity_emulator: "IdentityEmulator") -> str:
    """The connection string of the emulator."""
    return acs_identity_emulator.connection_string


@pytest.fixture
def acs_identity_emulator_factory(
    acs_identity_emulator_options: dict[str, Any], request: pytest.FixtureRequest
) -> "Iterator[Callable[..., IdentityEmulator]]":
    """Starts further emulators, which stop at the end of the test.

    Until then the environment makes clients trust their certificates too.
    It takes the arguments of `IdentityEmulator`, which precede those of
    ``acs_identity_emulator_options``. Ports and files in the latter are for the emulator of the
    session only.
    """
    from .emulator import IdentityEmulator

    options_of_session = acs_identity_emulator_options.items()
    shared = {name: value for name, value in options_of_session if name not in _OF_ONE}
    further = request.node.stash[_FURTHER] = []
    with ExitStack() as stack, pytest.MonkeyPatch.context() as environment:

        def start(**options: Any) -> IdentityEmulator:
            emulator = IdentityEmulator(**{**shared, **options})
            stack.enter_context(emulator)
            _trust(emulator, environment)
            further.append(emulator)
            return emulator

        yield start


@pytest.fixture(autouse=True)
def _acs_identity_emulator_is_empty(request: pytest.FixtureRequest) -> None:
    """Empties the emulator before a test, and injects the faults of its markers."""
    # Any test may ask for the emulator by getfixturevalue(), so that a running one is emptied for
    # every test.
    running = request.config.stash.get(_RUNNING, None)
    if running is not None and not _keeps(request.node):
        running.reset()
        # A test may have rotated a key, and the connection string is that of the session.
        kept = request.config.stash[_KEYS]
        for slot, key in _keys_of(running).items():
            if key != kept[slot]:
                running.rotate_key(slot, kept[slot])
    if running is not None:
        request.node.stash[_EARLIER] = _unused_faults(running)
    faults = list(request.node.iter_markers(_FAULT))
    if not faults:
        return
    if _EMULATOR not in request.fixturenames:
        raise pytest.UsageError(f"the marker {_FAULT} is for tests that use {_EMULATOR}")
    emulator: IdentityEmulator = request.getfixturevalue(_EMULATOR)
    for marker in reversed(faults):
        emulator.inject(*marker.args, **marker.kwargs)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fails a test that has injected a fault which no request got, into any emulator."""
    unused: list[Armed] = []
    try:
        result = yield
    finally:
        for emulator in item.stash.get(_FURTHER, ()):
            unused += _unused_faults(emulator)
        running = item.config.stash.get(_RUNNING, None)
        if running is not None:
            own = Counter(_unused_faults(running)) - Counter(item.stash.get(_EARLIER, ()))
            unused += own.elements()
            if own:
                running.clear_faults()  # if the next test keeps the state, it must not get them
    if unused:
        listed = ", ".join(f"{fault.operation}={fault.fault}" for fault in unused)
        pytest.fail(f"no request got these faults of the emulator: {listed}", pytrace=False)
    return result


def _trust(emulator: "IdentityEmulator", environment: pytest.MonkeyPatch) -> None:
    """Makes clients trust the emulator, and what they have trusted before."""
    for name, value in emulator.trust_environment.items():
        environment.setenv(name, value)


def _unused_faults(emulator: "IdentityEmulator") -> "list[Armed]":
    try:
        return emulator.unused_faults()
    except RuntimeError:
        return []  # the test has stopped it


def _keys_of(emulator: "IdentityEmulator") -> dict[str, str]:
    return {"primary": emulator.access_key, "secondary": emulator.secondary_key}


def _keeps(item: pytest.Item) -> bool:
    return item.get_closest_marker(_KEEP) is not None or bool(item.config.getini(_KEEP))
