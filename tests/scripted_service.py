"""An HTTP server that sends scripted responses, and records the requests."""

import json
import threading
from collections import deque
from collections.abc import Mapping
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from typing_extensions import Self


class ReceivedRequest(NamedTuple):
    method: str
    target: str
    headers: Message
    body: bytes


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes
    reason: str | None = None


class ScriptedService:
    """Sends the responses in order, then repeats the last one."""

    def __init__(self) -> None:
        self.requests: list[ReceivedRequest] = []
        self._answers: deque[Answer] = deque()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def will_answer(
        self, status: int, body: Any = b"", *, reason: str | None = None, **headers: str
    ) -> Self:
        """``retry_after="0"`` stands for the header Retry-After. What is not bytes is sent as
        JSON."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if not isinstance(body, bytes):
            sent.setdefault("content-type", "application/json")
            body = json.dumps(body).encode()
        self._answers.append(Answer(status, sent, body, reason))
        return self

    def answer(self, request: ReceivedRequest) -> Answer:
        self.requests.append(request)
        return self._answers.popleft() if len(self._answers) > 1 else self._answers[0]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else a body waits 40 ms for the ACK of the headers

            def handle_one_request(self) -> None:
                self.raw_requestline = self.rfile.readline(65537)
                if not self.raw_requestline or not self.parse_request():
                    self.close_connection = True
                    return
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                answer = service.answer(
                    ReceivedRequest(self.command, self.path, self.headers, body)
                )
                # Without a Date: an answer may hold a token of long ago, as a recording does.
                self.send_response_only(answer.status, answer.reason)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if answer.status != 204:
                    self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, format: str, *args: Any) -> None:
                """Logs nothing."""

        return Handler
