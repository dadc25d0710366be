"""Writes the lowest version of each package that all distributions allow, as constraints of pip.

    python tools/lowest_requirements.py lowest.txt
    python -m pip install -r tests/lowest_requirements.txt -c lowest.txt

All distributions must be installed. A requirement without a lower bound is an error.
"""

import re
import sys
from importlib.metadata import requires
from pathlib import Path

_DISTRIBUTIONS = ["azure-communication-identity", "acs-identity-emulator", "acs-token-service"]
_REQUIREMENT = re.compile(r"([\w.-]+)(?:\[[\w,]+\])?>=([\w.]+)")


def lowest() -> dict[str, str]:
    """The name of each requirement, and the lowest version that all distributions accept."""
    found: dict[str, str] = {}
    for distribution in _DISTRIBUTIONS:
        for requirement in requires(distribution) or []:
            if requirement.startswith(f"{distribution}["):  # an extra of all extras
                continue
            match = _REQUIREMENT.match(requirement)
            if match is None:
                raise ValueError(f"{distribution} requires {requirement!r}, without >=")
            name, version = match.groups()
            if name in _DISTRIBUTIONS:
                continue
            found[name] = max(found.get(name, version), version, key=_release)
    return found


def _release(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]


if __name__ == "__main__":
    lines = [f"{name}=={version}\n" for name, version in lowest().items()]
    Path(sys.argv[1]).write_text("".join(lines), encoding="utf-8")
