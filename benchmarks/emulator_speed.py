"""The speed of the emulator, beside a bare aiohttp handler and bare RS256 signatures.

    python benchmarks/emulator_speed.py

Needs Linux and wrk (Debian: apt-get install wrk). Rates are given twice: per second of wall
time, which clients get and the goals are for, but which is meaningful on a quiet machine only; and
per second of CPU time of the server or the signing process. Each round measures
everything once, and the ratios are the medians over the rounds.
"""

import argparse
import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

BARE_HANDLER = """
import asyncio, json
from aiohttp import web

async def create(request):
    await request.read()
    return web.json_response({"identity": {"id": "8:acs:" + "0" * 73}}, status=201)

async def main():
    application = web.Application()
    application.router.add_post("/identities", create)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print("http://127.0.0.1:%d" % runner.addresses[0][1], flush=True)
    await asyncio.sleep(86400)

asyncio.run(main())
"""
EMULATOR = ["-m", "acs_identity_emulator", "--log-level", "warning"]
QUERY = "api-version=2025-06-30"
CONNECTIONS = 16
IDENTITIES = 100_000
_REQUESTS = re.compile(r"(\d+) requests in ")


@contextlib.contextmanager
def server(*arguments: str) -> Iterator[tuple[int, str]]:
    """A Python process and the first line that it prints."""
    with subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.pid, process.stdout.readline().strip()
        finally:
            process.terminate()


class Rate(NamedTuple):
    """How many a second: of CPU time, and by the clock on the wall."""

    of_cpu: float
    of_wall: float


class Emulated:
    """A client of the emulator that signs; a signature holds for five minutes."""

    def __init__(self, connection_string: str) -> None:
        endpoint, _, self._key = connection_string.partition(";accesskey=")
        self.url = endpoint.removeprefix("endpoint=").rstrip("/")
        self._host = urlsplit(self.url).netloc

    def headers(self, method: str, target: str, body: bytes) -> dict[str, str]:
        content_hash = base64.b64encode(hashlib.sha256(body).digest()).decode()
        date = formatdate(usegmt=True)
        text = f"{method}\n{target}\n{date};{self._host};{content_hash}"
        digest = hmac.digest(base64.b64decode(self._key), text.encode(), "sha256")
        signed = "x-ms-date;host;x-ms-content-sha256"
        signature = base64.b64encode(digest).decode()
        return {
            "x-ms-date": date,
            "x-ms-content-sha256": content_hash,
            "Authorization": f"HMAC-SHA256 SignedHeaders={signed}&Signature={signature}",
        }

    def call(self, method: str, target: str, body: bytes = b"") -> dict[str, dict[str, str]]:
        connection = http.client.HTTPConnection(self._host, timeout=10)
        with contextlib.closing(connection):
            connection.request(method, target, body, self.headers(method, target, body))
            answer: dict[str, dict[str, str]] = json.load(connection.getresponse())
        return answer


def load(
    pid: int, url: str, headers: dict[str, str], body: bytes, seconds: float, folder: Path
) -> tuple[int, float]:
    """How many requests wrk gets answered, all with success, and the CPU seconds they cost."""
    script = folder / "load.lua"
    script.write_text(f"wrk.method = 'POST'\nwrk.body = {json.dumps(body.decode())}\n")
    options = [option for name, value in headers.items() for option in ("-H", f"{name}: {value}")]
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s", "-s", str(script)]
    before = cpu_seconds(pid)
    output = subprocess.run(
        [*command, *options, url], check=True, capture_output=True, text=True
    ).stdout
    if "Non-2xx" in output:
        raise SystemExit(f"the load was not answered with success:\n{output}")
    match = _REQUESTS.search(output)
    assert match is not None
    return int(match[1]), cpu_seconds(pid) - before


def cpu_seconds(pid: int) -> float:
    """User and system time that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def signatures_per_second(seconds: float) -> Rate:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    scheme, algorithm = padding.PKCS1v15(), hashes.SHA256()
    message = b"x" * 500
    count, started, began = 0, time.process_time(), time.perf_counter()
    while time.process_time() - started < seconds:
        key.sign(message, scheme, algorithm)
        count += 1
    return Rate(count / (time.process_time() - started), count / (time.perf_counter() - began))


def start_to_first_answer() -> float:
    """Seconds from the start of the process to its first identity."""
    started = time.perf_counter()
    with server(*EMULATOR) as (_, line):
        Emulated(line).call("POST", f"/identities?{QUERY}")
        return time.perf_counter() - started


def resident_megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    match = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert match is not None
    return int(match[1]) / 1024


def memory_after(identities: int, folder: Path) -> float:
    """Megabytes of the emulator once it holds that many identities."""
    with server(*EMULATOR) as (pid, line):
        emulated = Emulated(line)
        target = f"/identities?{QUERY}"
        made = 0
        while made < identities:
            headers = emulated.headers("POST", target, b"")
            made += load(pid, emulated.url + target, headers, b"", 5, folder)[0]
        return resident_megabytes(pid)


def rates(seconds: float, folder: Path) -> dict[str, Rate]:
    """One round: requests or signatures per second."""

    def rate(pid: int, url: str, headers: dict[str, str], sent: bytes) -> Rate:
        requests, cpu = load(pid, url, headers, sent, seconds, folder)
        return Rate(requests / cpu, requests / max(1, round(seconds)))

    create, body = f"/identities?{QUERY}", b'{"scopes":["chat"]}'
    with server("-c", BARE_HANDLER) as (pid, url):
        bare = rate(pid, f"{url}/identities", {}, b"")
    with server(*EMULATOR) as (pid, line):
        emulated = Emulated(line)
        headers = emulated.headers("POST", create, b"")
        created = rate(pid, emulated.url + create, headers, b"")
        user = emulated.call("POST", create)["identity"]["id"]
        issue = f"/identities/{user}/:issueAccessToken?{QUERY}"
        issue_headers = emulated.headers("POST", issue, body)
        issued = rate(pid, emulated.url + issue, issue_headers, body)
    signed = signatures_per_second(seconds)
    return {"bare aiohttp": bare, "create": created, "bare RS256": signed, "issue": issued}


def main() -> None:
    import tempfile

    parser = argparse.ArgumentParser(description="The speed of the emulator.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3, help="of each measurement")
    parser.add_argument("--without-memory", action="store_true", help=f"skip the {IDENTITIES}")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rounds = [rates(options.seconds, folder) for _ in range(options.rounds)]
        for what in rounds[0]:
            of_cpu = ", ".join(f"{one[what].of_cpu:.0f}" for one in rounds)
            of_wall = ", ".join(f"{one[what].of_wall:.0f}" for one in rounds)
            print(f"{what:>14}: {of_cpu} per CPU second; {of_wall} per second")
        for what, bare, goal in (("create", "bare aiohttp", 40), ("issue", "bare RS256", 60)):
            cpu = 100 * statistics.median(one[what].of_cpu / one[bare].of_cpu for one in rounds)
            wall = 100 * statistics.median(one[what].of_wall / one[bare].of_wall for one in rounds)
            print(f"{what} / {bare}: {cpu:.0f} % of CPU, {wall:.0f} % of wall (at least {goal} %)")
        starts = statistics.median(start_to_first_answer() for _ in range(options.rounds))
        print(f"start to first answer: {starts:.2f} s (under 1 s)")
        if not options.without_memory:
            megabytes = memory_after(IDENTITIES, folder)
            print(f"resident after {IDENTITIES} identities: {megabytes:.0f} MB (under 80 MB)")


if __name__ == "__main__":
    main()
