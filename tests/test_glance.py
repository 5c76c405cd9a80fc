"""Reading a SQLite file without SQLAlchemy: the same answers, and only of files that need nothing else."""

from __future__ import annotations

import sqlite3
from urllib.parse import quote

import pytest
from sqlalchemy import text
from store_samples import DAY, EN, LOGGED, opened
from test_answers import TODAY, load, sample, save

from worker.store.database import writing
from worker.store.glance import at_a_glance
from worker.store.requests import request_answers
from worker.store.stored_answers import load_answer


def glanced(url):
    return at_a_glance(url, lambda database: load_answer(database, EN, TODAY, LOGGED))


def seen(url):
    """Whether the database at the URL is read at a glance."""
    return at_a_glance(url, lambda database: database.rows("SELECT :day AS day", {"day": DAY})[0].day)


@pytest.fixture
def path(tmp_path):
    """A database with an answer, whose name has characters that URLs write otherwise."""
    path = tmp_path / "a b?c%41#d.sqlite"
    with opened(f"sqlite:///{quote(str(path))}") as engine:
        with writing(engine) as session:
            request_answers(session, [EN], [TODAY], LOGGED)
        assert save(engine, sample(3))
    return path


@pytest.fixture
def url(path):
    return f"sqlite:///{quote(str(path))}"


def test_the_same_answer(url):
    """A glance and SQLAlchemy read one and the same."""
    with opened(url) as engine:
        found = load(engine, TODAY)
    assert found is not None
    assert glanced(url) == found


def test_days_are_given_as_they_are_stored(url):
    """A day in a question is written as SQLAlchemy writes it."""
    assert seen(url) == DAY.isoformat()


def test_while_somebody_writes(url):
    """A writer is not waited for, and what is not committed is not seen."""
    with opened(url) as engine, engine.begin() as connection:
        connection.execute(text("DELETE FROM ranked_article"))
        assert len(glanced(url).most_requested) == len(sample(3).most_requested)


def test_nothing_is_written(url):
    """Whoever glances cannot change anything."""
    assert at_a_glance(url, lambda database: database.rows("DELETE FROM answer", {})) is None
    assert glanced(url) is not None


def test_no_file_is_made(tmp_path):
    """Where there is no database, none is made."""
    assert seen(f"sqlite:///{tmp_path / 'none.sqlite'}") is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("version", ["0001", "9999"])
def test_another_version_is_left_to_others(path, url, version):
    """A database that is to be brought up to date, or is too new, is not read."""
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
    connection.close()
    assert seen(url) is None


@pytest.mark.parametrize("content", [b"", b"Dear diary, today nobody asked me for an article.\n" * 100])
def test_no_database_is_left_to_others(path, url, content):
    """A file that is empty or none of SQLite's is not read."""
    path.write_bytes(content)
    assert seen(url) is None


@pytest.mark.parametrize("url", ["postgresql://localhost/wikiq", "sqlite:///:memory:", "sqlite:////a.sqlite?mode=ro"])
def test_other_urls_are_left_to_others(url):
    """PostgreSQL, and what only SQLAlchemy knows of SQLite's URLs."""
    assert seen(url) is None
