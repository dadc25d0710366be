"""HTTP: routes, errors, headers. No other layer uses aiohttp.web."""
