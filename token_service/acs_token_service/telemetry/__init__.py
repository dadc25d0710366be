"""Logs, metrics and traces. None of them holds a token, a key or an id of a person."""
