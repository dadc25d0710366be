"""nginx, which answers every request with the same token and is not the bottleneck.

A user whose id has "refused" in it is not found.
"""

import contextlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

_TOKEN = "e" * 750  # as long as one of the service
_HEADERS = {
    "api-supported-versions": "2021-03-07, 2022-06-01, 2022-10-01, 2023-10-01, 2025-06-30",
    "Request-Context": "appId=",
    "MS-CV": "AAAAAAAAAAAAAAAAAAAAAA.0",
    "X-Processing-Time": "14ms",
    "Strict-Transport-Security": "max-age=31536000;includeSubDomains",
    "X-Cache": "CONFIG_NOCACHE",
    "X-Azure-Ref": "0" + "A" * 60,
}
_CONFIGURATION = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000000;
    keepalive_timeout 600s;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location ~ refused {{
            default_type "application/json";
            {headers}
            add_header x-ms-client-request-id $http_x_ms_client_request_id always;
            return 404 '{{"error":{{"code":"IdentityNotFound","message":"No such identity."}}}}';
        }}
        location / {{
            default_type "application/json; charset=utf-8";
            {headers}
            add_header x-ms-client-request-id $http_x_ms_client_request_id;
            return 200 '{{"token":"{token}","expiresOn":"2099-11-25T12:30:05.1234567+00:00"}}';
        }}
    }}
}}
"""


@contextlib.contextmanager
def nginx(pin: list[str]) -> Iterator[str]:
    """The endpoint of a running server."""
    if shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin") is None:
        raise SystemExit("The benchmark needs nginx: apt-get install nginx-light")
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        headers = "\n".join(f'add_header {name} "{value}";' for name, value in _HEADERS.items())
        configuration = Path(folder, "nginx.conf")
        configuration.write_text(
            _CONFIGURATION.format(folder=folder, port=port, headers=headers, token=_TOKEN)
        )
        command = [*pin, "/usr/sbin/nginx", "-p", folder, "-c", str(configuration)]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            _wait_for(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


def ceiling(endpoint: str, pin: list[str]) -> float | None:
    """How many requests a second the server answers; None without wrk."""
    if shutil.which("wrk") is None:
        return None
    command = [*pin, "wrk", "-t1", "-c64", "-d2s", endpoint]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    match = re.search(r"Requests/sec:\s+([\d.]+)", output)
    return float(match[1]) if match else None


def _wait_for(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.02)
    raise SystemExit("nginx does not answer")
