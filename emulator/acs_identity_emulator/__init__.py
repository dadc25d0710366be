"""The Azure Communication Services Identity REST service on loopback, for tests."""

from typing import TYPE_CHECKING

from ._version import __version__

if TYPE_CHECKING:
    from .contract.faults import Armed as Armed
    from .emulator import IdentityEmulator as IdentityEmulator
    from .operations.identities import IdentityInfo as IdentityInfo
    from .state.journal import JournalEntry as JournalEntry
    from .state.store import DatabaseError as DatabaseError

__all__ = [
    "Armed",
    "DatabaseError",
    "IdentityEmulator",
    "IdentityInfo",
    "JournalEntry",
    "__version__",
]


_MODULES = {
    "Armed": "contract.faults",
    "DatabaseError": "state.store",
    "IdentityEmulator": "emulator",
    "IdentityInfo": "operations.identities",
    "JournalEntry": "state.journal",
}


# Importing the package must stay cheap, because a pytest plugin is loaded in every run of pytest:
# the modules of these names are imported on first use.
def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_MODULES[name]}", __name__), name)
