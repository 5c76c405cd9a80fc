"""INSERT … ON CONFLICT, which SQLite and PostgreSQL share but SQLAlchemy keeps apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import inspect
from sqlmodel import Session, SQLModel


def insert_missing(session: Session, table: type[SQLModel], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert those rows whose key is not there yet."""
    if rows:
        session.execute(_insert(_dialect(session), table).on_conflict_do_nothing(), list(rows))


def upsert(session: Session, table: type[SQLModel], key: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Insert the row, or replace its values where the key is there already."""
    statement = _upsert(_dialect(session), table, tuple(key), tuple(values))
    session.execute(statement, {**key, **values})


@cache
def _upsert(dialect: str, table: type[SQLModel], key: Sequence[str], values: Sequence[str]) -> Any:  # noqa: ANN401
    """The statement alone: it is made once, and a block of megabytes is handed to the database once, not twice."""
    # Of the bare table: the ORM would look at each value, and keeps nothing of these rows.
    statement = _insert(dialect, inspect(table).local_table)
    replaced = {name: statement.excluded[name] for name in values}
    return statement.on_conflict_do_update(index_elements=key, set_=replaced)


def _dialect(session: Session) -> str:
    return session.get_bind().dialect.name


def _insert(dialect: str, table: Any) -> Any:  # noqa: ANN401 two classes without a common ancestor
    # Each takes long to import, and no process needs both.
    if dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as insert_into_postgresql

        return insert_into_postgresql(table)
    from sqlalchemy.dialects.sqlite import insert as insert_into_sqlite

    return insert_into_sqlite(table)
