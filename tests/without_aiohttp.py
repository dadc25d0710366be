"""The sync client in an environment without aiohttp: a program that does not need pytest.

The service is a few lines here, because the emulator needs aiohttp.
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from threading import Thread

from azure.communication.identity import CommunicationIdentityClient, CommunicationTokenScope
from azure.communication.identity.aio import CommunicationIdentityClient as AsyncClient

USER = {"identity": {"id": "8:acs:someone"}}
TOKEN = {"token": "a token", "expiresOn": "2099-01-01T00:00:00+00:00"}


class Service(BaseHTTPRequestHandler):
    """Answers each operation with success."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "revoke" in self.path:
            self.answer(204)
        elif "issue" in self.path:
            self.answer(200, TOKEN)
        else:
            self.answer(201, USER)

    def do_DELETE(self) -> None:
        self.answer(204)

    def answer(self, status: int, body: object = None) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: only a failure is of interest."""


def main() -> None:
    assert find_spec("aiohttp") is None, "this is about an environment without aiohttp"
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        connection_string = f"endpoint=http://127.0.0.1:{server.server_port}/;accesskey=c2VjcmV0"
        with CommunicationIdentityClient.from_connection_string(connection_string) as client:
            user = client.create_user()
            assert user.raw_id == "8:acs:someone"
            token = client.get_token(user, [CommunicationTokenScope.CHAT])
            assert token.expires_on == 4070908800
            client.revoke_tokens(user)
            client.delete_user(user)
        server.shutdown()
    try:
        AsyncClient.from_connection_string(connection_string)
    except ImportError as error:
        message = str(error)
    else:
        sys.exit("The async client was made without a transport.")
    assert message.startswith("The async client needs aiohttp"), message


if __name__ == "__main__":
    main()
