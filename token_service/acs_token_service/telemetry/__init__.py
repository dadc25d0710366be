"""Logs, metrics and traces, without tokens, keys and ids of people."""
