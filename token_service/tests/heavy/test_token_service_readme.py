"""The lines of shell in the README that try the service."""

import asyncio
import os
import re
import subprocess
from pathlib import Path

import pytest
from processes import program

README = Path(__file__).parents[2] / "README.md"


def blocks() -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```$", README.read_text(encoding="utf-8"), re.DOTALL | re.M)


async def test_the_lines_that_try_it() -> None:
    start, lines = blocks()[:2]
    assert start.endswith("python -m acs_token_service --dev\n")
    async with program("--dev", environment={}) as running:
        done = await asyncio.to_thread(
            subprocess.run,
            ["bash", "-euc", lines],
            env={**os.environ, "URL": running.url, "no_proxy": "127.0.0.1"},
            capture_output=True,
            text=True,
            check=True,
        )
    assert '"scopes": ["chat"]' in done.stdout
    assert '"SignedOut"' in done.stdout


@pytest.mark.parametrize("name", ["load.py", "million.py", "exactly_once.py", "kill_often.py"])
def test_the_commands_exist(name: str) -> None:
    found = re.findall(rf"python ([\w/]*{re.escape(name)})", README.read_text(encoding="utf-8"))
    assert found
    assert all((README.parents[1] / path).is_file() for path in found)
