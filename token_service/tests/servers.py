"""PostgreSQL and Redis of this machine, started for the tests and stopped after them."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from port_for import get_port
from pytest_postgresql.executors import PostgreSQLExecutor
from pytest_redis.executor import RedisExecutor

# PostgreSQL does not run as root, and CI does.
_AS_ANOTHER_USER = '#!/bin/sh\nexec runuser -u postgres -- "{pg_ctl}" "$@"\n'


def _pg_ctl() -> str:
    """The newest pg_ctl of Debian's packages, or the one on the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    on_path = shutil.which("pg_ctl")
    if not found and on_path is None:
        raise RuntimeError("the heavy tests need PostgreSQL: apt-get install postgresql")
    return str(found[-1]) if found else str(on_path)


@contextmanager
def postgresql() -> Iterator[PostgreSQLExecutor]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        executable = _pg_ctl()
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
            folder.chmod(0o755)
            wrapper = folder / "pg_ctl"
            wrapper.write_text(_AS_ANOTHER_USER.format(pg_ctl=executable), encoding="utf-8")
            wrapper.chmod(0o755)
            executable = str(wrapper)
        executor = PostgreSQLExecutor(
            executable=executable,
            host="127.0.0.1",
            port=_free_port(),
            datadir=str(folder / "data"),
            unixsocketdir=name,
            logfile=str(folder / "log"),
            startparams="-w",
            dbname="tests",
            postgres_options="-N 200",
        )
        executor.start()
        executor.wait_for_postgres()
        try:
            yield executor
        finally:
            executor.stop()


@contextmanager
def redis() -> Iterator[RedisExecutor]:
    with tempfile.TemporaryDirectory() as name:
        executable = shutil.which("redis-server")
        if executable is None:
            raise RuntimeError("the heavy tests need Redis: apt-get install redis-server")
        executor = RedisExecutor(
            executable=executable,
            databases=16,
            redis_timeout=0,
            loglevel="notice",
            host="127.0.0.1",
            port=_free_port(),
            datadir=Path(name),
        )
        with executor:
            yield executor


def _free_port() -> int:
    port = get_port(None)
    assert port is not None
    return port
