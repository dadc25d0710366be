"""How requests get onto the wire: azure-core transports on urllib3 and on aiohttp.

They are the default because they keep deadlines and limits, and because the sync one needs half of
the CPU of azure-core's own. Options, exceptions and responses are the same. Each module is imported
on demand, so that the sync client needs no aiohttp and the async client no urllib3.

Both transports take the keyword ``deadline`` of :class:`._attempt.Attempt` with a request, and say
so by a true class attribute ``takes_deadline``.
"""
