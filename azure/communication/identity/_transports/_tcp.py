"""Options of sockets."""

import socket

from . import _limits

# TCP_KEEPALIVE is the name of macOS for TCP_KEEPIDLE.
_KEEPALIVE = (
    ("TCP_KEEPIDLE", _limits.KEEPALIVE_SECONDS),
    ("TCP_KEEPALIVE", _limits.KEEPALIVE_SECONDS),
    ("TCP_KEEPINTVL", 15),
    ("TCP_KEEPCNT", 4),
)


def socket_options() -> list[tuple[int, int, int]]:
    """Sends small packets at once, and detects a peer that vanished.

    Load balancers drop connections without traffic, Azure's after four minutes.
    """
    options = [
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    ]
    for name, value in _KEEPALIVE:
        option = getattr(socket, name, None)  # not every system has each of them
        if option is not None:
            options.append((socket.IPPROTO_TCP, option, value))
    return options
