"""The limits of the transports. A response that exceeds one is a ``ServiceResponseError``."""

CONNECT_SECONDS = 10.0
"""Default of ``connection_timeout``: TCP and, once more, TLS have this long for each address."""

READ_SECONDS = 60.0
"""Default of ``read_timeout``: for the headers, and then between two parts of the body."""

ATTEMPT_SECONDS = 300.0
"""How long an attempt without a deadline lasts, unless its read timeout is longer or unlimited."""

IDLE_SECONDS = 15.0
"""A connection that was idle for longer is not used again.

Load balancers and NATs drop idle connections silently, Azure's after four minutes. aiohttp has the
same limit by default.
"""

CONNECTION_SECONDS = 300.0
"""A connection that is older is not used again, so that new addresses of a name are seen."""

ADDRESS_SECONDS = 60
"""How long the async client keeps the addresses of a name."""

KEEPALIVE_SECONDS = 60
"""TCP probes a connection after this time without traffic, then every 15 seconds, four times."""

MAX_HEADER_BYTES = 256 * 1024
"""Of the headers of a response, all provisional (1xx) responses before it included.

http.client takes at most 100 lines; aiohttp 128 lines of 8190 bytes, and limits provisional
responses by the read timeout alone.
"""

MAX_BODY_BYTES = 16 * 1024 * 1024
"""Of a body that is read at once: as it is sent, and decompressed."""
