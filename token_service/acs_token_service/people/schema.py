"""The tables. Times are in Unix seconds."""

from sqlalchemy import (
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

metadata = MetaData()

person = Table(
    "person",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("issuer", String(255), nullable=False),
    Column("subject", String(255), nullable=False),
    # Null until the resource has created the identity.
    Column("identity_id", String(255)),
    # Until when one process alone creates the identity. When it has passed, another one may.
    Column("claim_until", Float),
    # Counts sign-outs: tokens of an older generation are revoked.
    Column("generation", Integer, nullable=False),
    # Bearer tokens that were issued up to this time are rejected: the person has signed out.
    Column("not_before", Float, nullable=False),
    # Null unless a sign-out is unfinished: its revocation is due when this has passed.
    Column("revoking_until", Float),
    Column("last_seen", Float, nullable=False),
    UniqueConstraint("issuer", "subject", name="uq_person_issuer_subject"),
)
Index("ix_person_revoking_until", person.c.revoking_until)

# Identities that no person has any more, until the resource has deleted them.
retired = Table(
    "retired",
    metadata,
    Column("identity_id", String(255), primary_key=True),
    Column("since", Float, nullable=False),
)

# Deleted people: a hash, kept only until their last bearer token has expired, so that a stolen one
# does not create them again.
departed = Table(
    "departed",
    metadata,
    Column("person_hash", String(64), primary_key=True),
    Column("not_before", Float, nullable=False),
    Column("forget_at", Float, nullable=False),
)
