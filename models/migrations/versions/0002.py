"""Wikis, their snapshots, and which snapshot an answer is to be ranked by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "wiki",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("pinned", sa.Date(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("project"),
    )
    op.create_table(
        "snapshot",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("run", sa.Date(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("siteinfo", sa.Text(), nullable=True),
        sa.Column("attempt", sa.String(), nullable=True),
        sa.Column("figures", sa.JSON(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("built_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wikiq", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("project", "run"),
    )
    op.create_table(
        "snapshot_table",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("run", sa.Date(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha1", sa.String(), nullable=True),
        sa.Column("md5", sa.String(), nullable=True),
        sa.Column("attempt", sa.String(), nullable=True),
        sa.Column("kept", sa.BigInteger(), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("project", "run", "name"),
    )
    op.create_table(
        "snapshot_block",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("run", sa.Date(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("attempt", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("block", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("project", "run", "part", "attempt", "number"),
    )
    op.add_column("answer", sa.Column("wanted_snapshot", sa.Date(), nullable=True))
    op.add_column("answer", sa.Column("trouble", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("answer", "trouble")
    op.drop_column("answer", "wanted_snapshot")
    for table in ("snapshot_block", "snapshot_table", "snapshot", "wiki"):
        op.drop_table(table)
