"""The state of the service: the database, the journal and the clock."""
