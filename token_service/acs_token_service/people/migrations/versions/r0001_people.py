"""People, retired identities, and people who deleted themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "person",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("issuer", sa.String(255), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("identity_id", sa.String(255)),
        sa.Column("claim_until", sa.Float),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("not_before", sa.Float, nullable=False),
        sa.Column("revoking_until", sa.Float),
        sa.Column("last_seen", sa.Float, nullable=False),
        sa.UniqueConstraint("issuer", "subject", name="uq_person_issuer_subject"),
    )
    op.create_index("ix_person_revoking_until", "person", ["revoking_until"])
    op.create_table(
        "retired",
        sa.Column("identity_id", sa.String(255), primary_key=True),
        sa.Column("since", sa.Float, nullable=False),
    )
    op.create_table(
        "departed",
        sa.Column("person_hash", sa.String(64), primary_key=True),
        sa.Column("not_before", sa.Float, nullable=False),
        sa.Column("forget_at", sa.Float, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("departed")
    op.drop_table("retired")
    op.drop_index("ix_person_revoking_until", "person")
    op.drop_table("person")
