"""What stands between a client and its transport.

The options of the pipeline, its policies, and the exchange of Entra tokens, which has a pipeline of
its own.
"""
