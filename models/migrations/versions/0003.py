"""How long each phase of counting an hour took, in seconds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

PHASES = ("waited", "downloading", "counting", "storing")


def upgrade() -> None:
    for phase in PHASES:
        op.add_column("hour", sa.Column(phase, sa.Float(), nullable=True))


def downgrade() -> None:
    for phase in PHASES:
        op.drop_column("hour", phase)
