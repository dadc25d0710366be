"""Reads a Dockerfile and its ignore file as a container engine does, as far as ours go."""

import re
import shutil
from pathlib import Path
from typing import NamedTuple


class Instruction(NamedTuple):
    name: str
    arguments: str


class Dockerfile:
    def __init__(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
        lines = [line for line in text.splitlines() if line.strip()]
        self.instructions = [Instruction(*line.split(maxsplit=1)) for line in lines]

    def arguments_of(self, name: str) -> list[str]:
        return [found.arguments for found in self.instructions if found.name == name]

    def settings(self) -> list[tuple[str, str]]:
        """What ENV sets."""
        return re.findall(r"(\w+)=(\S+)", " ".join(self.arguments_of("ENV")))


def copy_context(context: Path, ignore_file: Path, target: Path) -> None:
    """Copies what the ignore file lets through, whose patterns are of few kinds."""
    lines = ignore_file.read_text(encoding="utf-8").splitlines()
    assert "*" in lines
    assert "**/__pycache__" in lines
    for name in [line[1:].removesuffix("/**") for line in lines if line.startswith("!")]:
        source, copy = context / name, target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy)
