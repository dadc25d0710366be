"""Authentication: bearer tokens of OpenID Connect providers, and a login for development."""
