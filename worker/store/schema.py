"""The tables of a database that has none yet, in one step.

The migrations lead to the same (tests/test_migrations.py), but take Alembic, whose import alone is a good part of the
time until a first command does something.
"""

from __future__ import annotations

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, insert
from sqlmodel import SQLModel

import models.tables  # noqa: F401 registers the tables

_ALEMBIC = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""As Alembic makes it, and finds it when it brings the tables to a later revision."""


def create_tables(connection: Connection, revision: str) -> None:
    """Make every table, and note the revision that they are of."""
    SQLModel.metadata.create_all(connection)
    _ALEMBIC.create(connection)
    connection.execute(insert(_ALEMBIC), {"version_num": revision})
