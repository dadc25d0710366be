"""Fixtures and a marker for pytest, there as soon as the distribution is installed.

Nothing but pytest is imported until a test asks for the emulator.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .emulator import IdentityEmulator

_MARKER = "acs_identity_fault"
_EMULATOR = "acs_identity_emulator"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        f"{_MARKER}(operation, fault, times=1): inject a fault into {_EMULATOR} before the test, "
        'such as ("issue", "status:429").',
    )


@pytest.fixture(scope="session")
def acs_identity_emulator_options() -> dict[str, Any]:
    """The arguments of the emulator; override it to have others, such as ``{"tls": True}``."""
    return {}


@pytest.fixture(scope="session")
def acs_identity_emulator(
    acs_identity_emulator_options: dict[str, Any],
) -> "Iterator[IdentityEmulator]":
    """The service on loopback: one emulator a session, empty for each test.

    For the rest of the session the environment makes clients trust its certificates.
    """
    from .emulator import IdentityEmulator

    with (
        IdentityEmulator(**acs_identity_emulator_options) as emulator,
        pytest.MonkeyPatch.context() as environment,
    ):
        for name, value in emulator.trust_environment.items():
            environment.setenv(name, value)
        yield emulator


@pytest.fixture
def acs_identity_connection_string(acs_identity_emulator: "IdentityEmulator") -> str:
    """The connection string of the emulator."""
    return acs_identity_emulator.connection_string


@pytest.fixture(autouse=True)
def _acs_identity_emulator_is_empty(request: pytest.FixtureRequest) -> None:
    """Empties the emulator for every test that uses it, and injects the faults of its markers."""
    faults = list(request.node.iter_markers(_MARKER))
    if _EMULATOR not in request.fixturenames:
        if faults:
            raise pytest.UsageError(f"the marker {_MARKER} is for tests that use {_EMULATOR}")
        return
    emulator: IdentityEmulator = request.getfixturevalue(_EMULATOR)
    emulator.reset()
    for marker in reversed(faults):
        emulator.inject(*marker.args, **marker.kwargs)
