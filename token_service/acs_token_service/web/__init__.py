"""HTTP: routes, errors, headers. Nothing below it knows aiohttp.web."""
