"""HTTP: connections, routes, responses, TLS."""
