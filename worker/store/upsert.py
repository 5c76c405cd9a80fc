"""INSERT … ON CONFLICT, which SQLite and PostgreSQL share but SQLAlchemy keeps apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlmodel import Session, SQLModel


def insert_missing(session: Session, table: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert those rows whose key is not there yet."""
    if rows:
        session.execute(_insert(session, table).on_conflict_do_nothing(), list(rows))


def upsert(session: Session, table: type[SQLModel], key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Insert the row, or replace its values where the key is there already."""
    statement = _insert(session, table).values(**key, **values)
    session.execute(statement.on_conflict_do_update(index_elements=list(key), set_=dict(values)))


def _insert(session: Session, table: type[SQLModel]) -> Any:  # noqa: ANN401 two classes without a common ancestor
    # Each takes long to import, and no process needs both.
    if session.get_bind().dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as insert_into_postgresql

        return insert_into_postgresql(table)
    from sqlalchemy.dialects.sqlite import insert as insert_into_sqlite

    return insert_into_sqlite(table)
