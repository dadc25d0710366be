"""What the service is measured beside: an aiohttp handler that returns one JSON object.

python bare_handler.py PORT TOKEN
"""

import socket
import sys

from aiohttp import web

PORT, TOKEN = int(sys.argv[1]), sys.argv[2]
GUID = "00000000-0000-0000-0000-000000000000"


async def token(_request: web.Request) -> web.Response:
    return web.json_response(
        {
            "token": TOKEN,
            "expiresOn": "2030-01-01T00:00:00Z",
            "identity": f"8:acs:{GUID}_{GUID}",
            "scopes": ["chat", "voip"],
        }
    )


bound = socket.socket()
bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
bound.bind(("127.0.0.1", PORT))
app = web.Application()
app.add_routes([web.get("/token", token)])
web.run_app(app, sock=bound, access_log=None, print=None)
