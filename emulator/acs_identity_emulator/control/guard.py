"""Access to `/.emulator/` and the page: for programs on this machine, and with the token.

A web page from another site can make a browser send requests to loopback. `Host` tells a page whose
name was rebound to loopback, `Origin` and `Sec-Fetch-Site` tell any other.
"""

import base64
import binascii
import hmac
import ipaddress

from ..authentication.authenticators import WireRequest
from ..contract.errors import before_controller
from ..contract.reasons import Reason, ReasonCode


class Guard:
    """Checks requests before an endpoint sees them."""

    def __init__(self, token: str | None) -> None:
        """:param token: The control token; None if only programs on this machine can connect."""
        self._token = token

    def check(self, request: WireRequest, *, is_public: bool) -> None:
        """Rejects a request that may come from a foreign page, or lacks the token.

        :param is_public: Whether the endpoint shows nothing that needs protection.
        :raises ServiceError: If the request is rejected.
        """
        if self._is_foreign(request):
            raise before_controller(
                403,
                "Forbidden",
                "A page of another site must not use the emulator.",
                reason=Reason(ReasonCode.FOREIGN_PAGE, "Origin or Sec-Fetch-Site is another site"),
            )
        if is_public:
            return
        if self._token is not None:
            if not self._has_token(request):
                error = before_controller(
                    401,
                    "Unauthorized",
                    "Send the control token: Authorization: Bearer TOKEN.",
                    reason=Reason(ReasonCode.CONTROL_TOKEN, "the token is missing or wrong"),
                )
                # A browser asks for it, as the password of any user.
                error.challenge = 'Basic realm="acs-identity-emulator"'
                raise error
        elif not is_loopback(_name_in(request.headers.get("Host", ""))):
            raise before_controller(
                403,
                "Forbidden",
                "Host must name loopback, such as 127.0.0.1 or localhost.",
                reason=Reason(ReasonCode.HOST, "Host does not name loopback"),
            )

    def _is_foreign(self, request: WireRequest) -> bool:
        if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            return True
        origin = request.headers.get("Origin")
        if origin is None:
            return False
        return origin.lower() != request.origin.lower()

    def _has_token(self, request: WireRequest) -> bool:
        scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "basic":  # what a browser sends once the page has asked for it
            credentials = _password(credentials)
        elif scheme.lower() != "bearer":
            return False
        sent = credentials.strip().encode("utf-8", "surrogateescape")
        return hmac.compare_digest(sent, str(self._token).encode())


def _password(credentials: str) -> str:
    try:
        text = base64.b64decode(credentials.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
    return text.partition(":")[2]


def _name_in(host: str) -> str:
    """The host without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if ":" in host else host


def is_loopback(name: str) -> bool:
    """Whether a host name or address is of this machine only."""
    name = name.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
