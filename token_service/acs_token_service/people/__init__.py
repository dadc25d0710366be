"""People: who has which identity, in a database."""
