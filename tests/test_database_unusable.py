"""Databases that cannot be used: each is told of in one sentence, which says what to do and keeps passwords."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import servers
from store_samples import HOURS, ask, opened

from models.errors import DatabaseUnreachable, DataDirectoryUnwritable, SetupError
from worker.store.database import connect, open_database

PASSWORD = "k33p-this-dark"


def sentence_of(caught):
    """The error's message, which must be one sentence for a user: no second line, no words of a driver's own."""
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    assert "sqlalche.me" not in message
    assert "Error" not in message
    return message


@contextmanager
def mounted(directory, options):
    """A file system of its own in memory, with these mount options."""
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", directory]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root may mount a file system")
    try:
        yield
    finally:
        subprocess.run(["umount", directory], check=True)


def a_file_for_a_directory(place):
    (place / "data").write_text("in the way")
    return place / "data" / "wikiq.sqlite"


def a_directory_for_the_file(place):
    (place / "wikiq.sqlite").mkdir()
    return place / "wikiq.sqlite"


def a_directory_for_the_log(place):
    (place / "wikiq.sqlite-wal").mkdir()
    return place / "wikiq.sqlite"


def a_directory_that_nobody_can_make(_place):
    return Path("/proc/wikiq/wikiq.sqlite")


def no_database(place):
    (place / "wikiq.sqlite").write_bytes(b"Dear diary, today nobody asked me for an article.\n" * 100)
    return place / "wikiq.sqlite"


def a_damaged_database(place):
    path = place / "wikiq.sqlite"
    with opened(f"sqlite:///{path}") as engine:
        ask(engine, *HOURS)
    content = path.read_bytes()
    path.write_bytes(content[:100] + b"\xff" * 3996 + content[4096:])
    return path


UNUSABLE = [
    a_file_for_a_directory,
    a_directory_for_the_file,
    a_directory_for_the_log,
    a_directory_that_nobody_can_make,
    no_database,
    a_damaged_database,
]


@pytest.mark.parametrize("prepare", UNUSABLE)
def test_a_sqlite_file_that_cannot_be_used(prepare, tmp_path):
    """What stands in the way of the file is told in one sentence, which names the place and what to set."""
    path = prepare(tmp_path)
    with pytest.raises(DataDirectoryUnwritable) as caught:
        open_database(f"sqlite:///{path}")
    message = sentence_of(caught)
    assert str(path.parent) in message
    assert "WIKIQ_DATA_DIR" in message


@pytest.mark.parametrize("options", ["ro", "size=16k"])
def test_a_file_system_that_cannot_be_written(options, tmp_path):
    """A read-only or full file system is told in one sentence, too."""
    with mounted(tmp_path, options), pytest.raises(DataDirectoryUnwritable) as caught:
        open_database(f"sqlite:///{tmp_path / 'wikiq.sqlite'}")
    assert str(tmp_path) in sentence_of(caught)


def test_an_unreachable_postgresql():
    """Where nobody listens the error says so in one sentence, without the password."""
    url = f"postgresql+psycopg://reader:{PASSWORD}@127.0.0.1:{servers.free_port()}/wikiq"
    with pytest.raises(DatabaseUnreachable) as caught:
        open_database(url)
    message = sentence_of(caught)
    assert "127.0.0.1" in message
    assert "WIKIQ_DATABASE_URL" in message
    assert PASSWORD not in message


def test_a_password_among_the_options_is_hidden_too():
    """PostgreSQL takes a password after the question mark as well; it is not shown either."""
    url = f"postgresql+psycopg://reader@127.0.0.1:{servers.free_port()}/wikiq?password={PASSWORD}"
    with pytest.raises(DatabaseUnreachable) as caught:
        open_database(url)
    assert PASSWORD not in sentence_of(caught)


def test_a_postgresql_without_the_database(postgresql):
    """A database that does not exist is unreachable, and named."""
    with pytest.raises(DatabaseUnreachable, match="no_such_database"):
        open_database(
            postgresql.replace("postgresql://", "postgresql+psycopg://").replace("/postgres", "/no_such_database")
        )


def test_a_postgresql_that_allows_no_tables(postgresql):
    """Since PostgreSQL 15 a user needs leave to make tables; without it one sentence says so."""
    with servers.fresh_database(postgresql, "wikiq_guest") as url:
        with psycopg.connect(postgresql, autocommit=True) as connection:
            connection.execute("DROP ROLE IF EXISTS guest")
            connection.execute(f"CREATE ROLE guest LOGIN PASSWORD '{PASSWORD}'")
        guest = url.replace("postgresql://wikiq@", f"postgresql+psycopg://guest:{PASSWORD}@")
        with pytest.raises(SetupError) as caught:
            open_database(guest)
    message = sentence_of(caught)
    assert "permission denied" in message
    assert PASSWORD not in message


def test_the_directory_is_made(tmp_path):
    """A SQLite file's directory need not exist, nor the one above it."""
    with opened(f"sqlite:///{tmp_path / 'a' / 'b' / 'wikiq.sqlite'}"):
        assert (tmp_path / "a" / "b" / "wikiq.sqlite").is_file()


def test_connecting_asks_nobody():
    """Only opening speaks to the database."""
    connect(f"postgresql+psycopg://127.0.0.1:{servers.free_port()}/wikiq").dispose()
