"""The ledger, its blocks and the answers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "answer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("universe", sa.String(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.String(), nullable=True),
        sa.Column("verdict", sa.String(), nullable=True),
        sa.Column("missing_hours", sa.JSON(), nullable=True),
        sa.Column("snapshot", sa.Date(), nullable=True),
        sa.Column("namespaces", sa.String(), nullable=True),
        sa.Column("project_views", sa.BigInteger(), nullable=True),
        sa.Column("article_views", sa.BigInteger(), nullable=True),
        sa.Column("malformed_lines", sa.BigInteger(), nullable=True),
        sa.Column("articles_requested", sa.BigInteger(), nullable=True),
        sa.Column("least_views", sa.BigInteger(), nullable=True),
        sa.Column("least_tied", sa.BigInteger(), nullable=True),
        sa.Column("unrequested", sa.BigInteger(), nullable=True),
        sa.Column("has_categories", sa.Boolean(), nullable=False),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wikiq", sa.String(), nullable=True),
        sa.CheckConstraint("days IN (1, 7)", name="day_or_week"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("project", "first_day", "days", "universe", name="one_answer"),
    )
    op.create_table(
        "day_tally",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("block", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("project", "day"),
    )
    op.create_table(
        "hour",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("recount", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("etag", sa.String(), nullable=True),
        sa.Column("last_modified", sa.String(), nullable=True),
        sa.Column("sha256", sa.String(), nullable=True),
        sa.Column("lines", sa.BigInteger(), nullable=True),
        sa.Column("malformed", sa.BigInteger(), nullable=True),
        sa.Column("views", sa.BigInteger(), nullable=True),
        sa.Column("titles", sa.BigInteger(), nullable=True),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wikiq", sa.String(), nullable=True),
        sa.CheckConstraint("hour BETWEEN 0 AND 23", name="hour_of_day"),
        sa.PrimaryKeyConstraint("project", "day", "hour"),
    )
    op.create_index("ix_hour_state", "hour", ["state"])
    op.create_table(
        "hour_tally",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("block", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("project", "day", "hour"),
    )
    op.create_table(
        "siteinfo",
        sa.Column("project", sa.String(), nullable=False),
        sa.Column("run", sa.Date(), nullable=True),
        sa.Column("document", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("project"),
    )
    op.create_table(
        "source_trouble",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source"),
    )
    op.create_table(
        "exclusion",
        sa.Column("answer_id", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("views", sa.BigInteger(), nullable=False),
        sa.Column("titles", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["answer_id"], ["answer.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("answer_id", "rule"),
    )
    op.create_table(
        "ranked_article",
        sa.Column("answer_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("views", sa.BigInteger(), nullable=False),
        sa.Column("desktop", sa.BigInteger(), nullable=False),
        sa.Column("mobile", sa.BigInteger(), nullable=False),
        sa.Column("through_redirects", sa.BigInteger(), nullable=False),
        sa.Column("hourly", sa.JSON(), nullable=True),
        sa.Column("flag", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["answer_id"], ["answer.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("answer_id", "kind", "rank"),
    )
    op.create_table(
        "ranked_category",
        sa.Column("answer_id", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("views", sa.BigInteger(), nullable=False),
        sa.Column("articles", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["answer_id"], ["answer.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("answer_id", "rank"),
    )


def downgrade() -> None:
    op.drop_table("ranked_category")
    op.drop_table("ranked_article")
    op.drop_table("exclusion")
    op.drop_table("source_trouble")
    op.drop_table("siteinfo")
    op.drop_table("hour_tally")
    op.drop_index("ix_hour_state", "hour")
    op.drop_table("hour")
    op.drop_table("day_tally")
    op.drop_table("answer")
