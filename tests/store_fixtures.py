"""One database of each kind for all tests of the store, emptied before each of them: making one takes far longer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import servers
from sqlalchemy import Engine
from sqlmodel import SQLModel
from store_samples import opened

from worker.store.database import writing


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def shared_engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A database that has the schema."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path_factory.mktemp('store') / 'wikiq.sqlite'}"
        else:
            fresh = servers.fresh_database(request.getfixturevalue("postgresql"), "wikiq_store")
            url = stack.enter_context(fresh).replace("postgresql://", "postgresql+psycopg://")
        yield stack.enter_context(opened(url))


@pytest.fixture
def engine(shared_engine: Engine) -> Engine:
    """The same database without a row in it."""
    with writing(shared_engine) as session:
        for table in reversed(SQLModel.metadata.sorted_tables):
            session.execute(table.delete())
    return shared_engine
