"""The pipeline between a client and its transport: options and policies.

The exchange of Entra tokens has a pipeline of its own.
"""
