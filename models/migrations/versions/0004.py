"""A day's hours are kept together, as frames; sums of days that were kept before are made again from their hours."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("day_tally")
    op.create_table(
        "day_tally",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("titles", sa.LargeBinary(), nullable=False),
        sa.Column("views", sa.LargeBinary(), nullable=False),
        sa.Column("large", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("project", "day", "number"),
    )


def downgrade() -> None:
    op.drop_table("day_tally")
    op.create_table(
        "day_tally",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("block", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("project", "day"),
    )
    # Hours that were kept with their day only are gone, and have to be counted again.
    op.execute(
        "UPDATE hour SET state = 'waiting' WHERE state = 'counted' AND NOT EXISTS (SELECT 1 FROM hour_tally "
        "WHERE hour_tally.project = hour.project AND hour_tally.day = hour.day AND hour_tally.hour = hour.hour)"
    )
