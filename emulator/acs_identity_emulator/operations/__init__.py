"""The operations of the service, free of HTTP."""
