"""The names and rules of the REST API: operations, versions, errors, faults."""
