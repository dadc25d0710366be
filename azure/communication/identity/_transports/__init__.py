"""How requests get onto the wire: azure-core transports on urllib3 and on aiohttp.

They take the place of azure-core's own by default, because they take a third of the time. What a
user sees is the same: options, exceptions, responses. Each module is imported when it is needed, so
that the sync client does without aiohttp and the async one without urllib3.
"""
