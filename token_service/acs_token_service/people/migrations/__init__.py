"""Alembic migrations, part of the distribution."""
