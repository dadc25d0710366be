"""The limits of the transports."""

IDLE_SECONDS = 15.0
"""A connection that was idle for longer is not used again.

Load balancers and NATs drop idle connections silently, Azure's after four minutes. aiohttp has the
same limit.
"""

CONNECTION_SECONDS = 300.0
"""A connection that is older is not used again, so that new addresses of a name are seen."""
