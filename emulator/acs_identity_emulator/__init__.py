"""The Azure Communication Services Identity REST service on loopback, for tests."""

from typing import TYPE_CHECKING

from ._version import __version__

if TYPE_CHECKING:
    from .emulator import IdentityEmulator as IdentityEmulator
    from .state.store import DatabaseError as DatabaseError

__all__ = ["DatabaseError", "IdentityEmulator", "__version__"]


# Importing the package must stay cheap (a pytest plugin is loaded in every run of pytest), so
# aiohttp and cryptography are imported when one of the classes is first asked for.
def __getattr__(name: str) -> object:
    if name == "IdentityEmulator":
        from .emulator import IdentityEmulator

        return IdentityEmulator
    if name == "DatabaseError":
        from .state.store import DatabaseError

        return DatabaseError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
