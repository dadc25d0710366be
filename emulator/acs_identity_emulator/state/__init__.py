"""What the service remembers, and what time it is."""
