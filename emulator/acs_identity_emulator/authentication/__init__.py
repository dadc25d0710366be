"""Credentials: access keys, tokens of the service, Entra tokens."""
