"""The service as separate programs, to be killed."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from acs_token_service.settings import PREFIX, Settings


class Program:
    """`python -m acs_token_service`, running."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self.process = process
        self.url = url

    async def kill(self) -> None:
        """Kills it, like a crash."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def stop(self) -> int:
        """Stops it cleanly; returns the exit status."""
        if self.process.returncode is None:
            self.process.terminate()
        return await asyncio.wait_for(self.process.wait(), 60)


def environment_of(settings: Settings) -> dict[str, str]:
    """The variables by which a program gets these settings."""
    return {
        f"{PREFIX}{name.upper()}": _text(getattr(settings, name))
        for name in settings.model_fields_set
        if getattr(settings, name) not in (None, ())
    }


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(_text, value))
    secret = getattr(value, "get_secret_value", None)
    return str(secret() if secret else value)


@asynccontextmanager
async def program(
    *arguments: str, environment: Mapping[str, str], errors: Any = asyncio.subprocess.DEVNULL
) -> AsyncIterator[Program]:
    """Starts the service on a free port; kills it in the end if it still runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "acs_token_service",
        "--port",
        "0",
        *arguments,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=errors,
    )
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), 60)
        assert line.startswith(b"http://"), line
        yield Program(process, line.decode().strip())
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
