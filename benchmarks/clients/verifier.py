"""A service that only checks signatures, in a few lines that share no code with the library."""

import base64
import contextlib
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Verifier:
    """The numbers of verified and of denied signatures."""

    def __init__(self, access_key: str) -> None:
        self.verified: set[str] = set()
        self.denied = 0
        self.endpoint = ""
        self._key = base64.b64decode(access_key)

    def is_signed(self, method: str, target: str, headers: Any, body: bytes) -> bool:
        content_hash = base64.b64encode(hashlib.sha256(body).digest()).decode()
        signed = f"{headers['x-ms-date']};{headers['Host']};{content_hash}"
        digest = hmac.new(self._key, f"{method}\n{target}\n{signed}".encode(), hashlib.sha256)
        signature = base64.b64encode(digest.digest()).decode()
        expected = (
            "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=" + signature
        )
        return bool(
            headers["Authorization"] == expected and headers["x-ms-content-sha256"] == content_hash
        )


@contextlib.contextmanager
def verifier(access_key: str) -> Iterator[Verifier]:
    """A running verifier."""
    found = Verifier(access_key)
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            is_signed = found.is_signed(self.command, self.path, self.headers, body)
            with lock:
                if is_signed:
                    found.verified.add(self.path)
                else:
                    found.denied += 1
            answer = json.dumps({"token": "t", "expiresOn": "2099-11-25T12:30:05+00:00"}).encode()
            self.wfile.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (len(answer), answer)
            )

        def log_message(self, format: str, *args: Any) -> None:
            """Logs nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        found.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield found
        server.shutdown()
