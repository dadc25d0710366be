"""The Azure Communication Services Identity REST service on loopback, for tests."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .emulator import IdentityEmulator as IdentityEmulator
    from .store import DatabaseError as DatabaseError

__version__ = "1.0.0b1"

__all__ = ["DatabaseError", "IdentityEmulator", "__version__"]


# Importing the package must stay cheap (a pytest plugin is loaded in every run of pytest), so
# aiohttp and cryptography are imported when one of the classes is first asked for.
def __getattr__(name: str) -> object:
    if name == "IdentityEmulator":
        from .emulator import IdentityEmulator

        return IdentityEmulator
    if name == "DatabaseError":
        from .store import DatabaseError

        return DatabaseError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
