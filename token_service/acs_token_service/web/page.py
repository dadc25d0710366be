"""The page at `/` for trying the service. It is part of the development login."""

import secrets
from importlib.resources import files
from string import Template

from aiohttp import web

from .. import __version__


class TryPage:
    """Renders the page; a nonce lets its own script and style run, and no other."""

    def __init__(self) -> None:
        text = files("acs_token_service.web").joinpath("page.html").read_text(encoding="utf-8")
        self._template = Template(text)

    async def show(self, _request: web.Request) -> web.Response:
        nonce = secrets.token_urlsafe(16)
        return web.Response(
            text=self._template.substitute(nonce=nonce, version=__version__),
            content_type="text/html",
            charset="utf-8",
            headers={"Content-Security-Policy": _policy(nonce)},
        )


def _policy(nonce: str) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'nonce-{nonce}'",
            f"style-src 'nonce-{nonce}'",
            "connect-src 'self'",
            "img-src data:",  # an empty icon, so that the browser requests none
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        )
    )
