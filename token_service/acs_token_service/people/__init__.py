"""People and their identities, in a database."""
