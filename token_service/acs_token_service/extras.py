"""The packages that the extras of the distribution install."""

import json
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from yarl import URL

_DISTRIBUTION = "acs-token-service"
_EXTRAS = {
    "acs_identity_emulator": "dev",
    "asyncpg": "postgresql",
    "azure": "entra",
    "opentelemetry": "otlp",
    "redis": "redis",
}


def missing(error: ModuleNotFoundError) -> str:
    """Says how to install a module that was not found."""
    extra = _EXTRAS.get(str(error.name).partition(".")[0], "all")
    return f'{error.name} is not installed: python -m pip install "{_requirement(extra)}"'


def _requirement(extra: str) -> str:
    """What installs the extra: from a package index, or from the checkout that this is of."""
    folder = _installed_from()
    if folder is None:
        return f"{_DISTRIBUTION}[{extra}]"
    emulator = folder.parent / "emulator"
    # The index need not have the emulator, which lies beside the service in a checkout.
    return str(emulator) if extra == "dev" and emulator.is_dir() else f"{folder}[{extra}]"


def _installed_from() -> Path | None:
    """The folder from which pip installed the distribution; None if it was not a folder."""
    try:
        record = distribution(_DISTRIBUTION).read_text("direct_url.json")
    except PackageNotFoundError:
        return None
    origin = json.loads(record) if record else {}
    return Path(URL(origin["url"]).path) if "dir_info" in origin else None
