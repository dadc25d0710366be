"""What a process uses, and whether that grows."""

import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple


class Usage(NamedTuple):
    """What this process uses."""

    megabytes: float
    files: int
    threads: int


# By how much the median of the last quarter may be above that of the second one.
ALLOWED = Usage(megabytes=15.0, files=50, threads=2)


def resident(pid: int | None) -> float:
    """Megabytes that a process has in memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def usage() -> Usage:
    """What this process uses now."""
    files = len(os.listdir("/proc/self/fd"))
    return Usage(resident(os.getpid()), files, threading.active_count())


def medians(samples: Sequence[Usage]) -> tuple[Usage, Usage]:
    """The medians of the second and the last quarter."""
    quarter = max(1, len(samples) // 4)
    parts = samples[quarter : 2 * quarter] or samples, samples[-quarter:]
    early, late = (Usage(*map(median, zip(*part, strict=True))) for part in parts)
    return early, late


def grown(early: Usage, late: Usage) -> Iterator[str]:
    """What grew."""
    for name, before, after, allowed in zip(Usage._fields, early, late, ALLOWED, strict=True):
        if after > before + allowed:
            yield f"{name} grew from {before:.0f} to {after:.0f}"
