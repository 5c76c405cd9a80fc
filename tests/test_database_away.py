"""A database that is away for a moment, or for longer, and one whose disk is full."""

from __future__ import annotations

import time

import pytest
import servers
from psycopg import OperationalError
from psycopg.errors import DiskFull
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from models.errors import DatabaseFull, DatabaseUnreachable
from worker.store.database import connect, may_pass, outlast, reading, writing

WINDOW = 0.5


@pytest.fixture
def sqlite(tmp_path):
    engine = connect(f"sqlite:///{tmp_path}/file.sqlite")
    yield engine
    engine.dispose()


@pytest.fixture
def nobody():
    """A PostgreSQL that does not answer."""
    engine = connect(f"postgresql+psycopg://wikiq:secret@127.0.0.1:{servers.free_port()}/wikiq")
    yield engine
    engine.dispose()


class Work:
    """Asks one database after the other, the last one again and again."""

    def __init__(self, *engines):
        self._engines = list(engines)
        self.times = 0

    def __call__(self):
        self.times += 1
        engine = self._engines.pop(0) if len(self._engines) > 1 else self._engines[0]
        with reading(engine) as session:
            return session.execute(text("SELECT 7")).scalar_one()


def test_it_comes_back(nobody, sqlite):
    """What failed because PostgreSQL was away is done again, and gives what it gives then."""
    work = Work(nobody, sqlite)
    assert (outlast(work), work.times) == (7, 2)


def test_it_stays_away(nobody):
    """After the time that is given, what is raised says in a sentence what to do, and no password."""
    work = Work(nobody)
    with pytest.raises(DatabaseUnreachable, match=r"does not answer \(.*\); check WIKIQ_DATABASE_URL") as raised:
        outlast(work, seconds=1)
    assert "secret" not in str(raised.value)
    assert work.times > 1


class LongWork:
    """Works for longer than an outage may last, and fails each time; the last error for ever."""

    def __init__(self, *errors):
        self._errors = list(errors)
        self.times = 0

    def __call__(self):
        self.times += 1
        time.sleep(1.2 * WINDOW)
        if self.times <= len(self._errors):
            raise self._errors[self.times - 1]
        return 7


def disconnected():
    """As a server that is restarted ends a connection under a statement."""
    return DBAPIError("UPDATE", {}, OperationalError("terminating connection"), connection_invalidated=True)


def full():
    """As a server says that has no room left."""
    return DBAPIError("INSERT", {}, DiskFull("could not extend file"))


@pytest.mark.parametrize("outages", [1, 2])
def test_long_work_is_done_again(outages):
    """Work that goes on for longer than an outage may last is done again, also when the next one ends it, too."""
    work = LongWork(*(disconnected() for _ in range(outages)))
    assert (outlast(work, seconds=WINDOW), work.times) == (7, 1 + outages)


def test_it_stays_away_after_long_work(nobody):
    """The window begins when long work is cut off, and ends if the database stays away."""
    long, asked = LongWork(disconnected()), Work(nobody)
    began = time.monotonic()
    with pytest.raises(DatabaseUnreachable):
        outlast(lambda: asked() if long.times else long(), seconds=WINDOW)
    assert asked.times
    assert 2.2 * WINDOW <= time.monotonic() - began < 10


def test_long_work_for_which_there_is_no_room():
    """A server that is there all the time, and fails long work each time, is not asked for ever."""
    work = LongWork(*(full() for _ in range(9)))
    with pytest.raises(DatabaseUnreachable):
        outlast(work, seconds=WINDOW)
    assert work.times == 2


@pytest.mark.parametrize(("query", "given"), [("", 10), ("?connect_timeout=77", "77")])
def test_a_host_that_does_not_answer(query, given):
    """The driver gives up a connection much sooner than an outage may last, unless the URL says otherwise."""
    asked = []

    def refuse(_dialect, _record, _arguments, options):
        asked.append(options["connect_timeout"])
        raise OperationalError("nobody")

    engine = connect(f"postgresql+psycopg://wikiq@127.0.0.1/wikiq{query}")
    event.listen(engine, "do_connect", refuse)
    with pytest.raises(DBAPIError):
        engine.connect()
    assert asked == [given]


def test_a_mistake_is_made_once(sqlite):
    """What fails for another reason than the server's state is not done again."""
    times = []

    def work():
        times.append(1)
        with reading(sqlite) as session:
            session.execute(text("SELECT nothing FROM nowhere"))

    with pytest.raises(DBAPIError, match="nowhere"):
        outlast(work)
    assert len(times) == 1


def write_too_much(sqlite):
    with writing(sqlite) as session:
        session.execute(text("PRAGMA max_page_count = 10"))
        session.execute(text("INSERT INTO kept VALUES (zeroblob(100))"))
        session.execute(text("INSERT INTO kept VALUES (zeroblob(1000000))"))


def test_no_room_left(sqlite):
    """A SQLite file that cannot grow is told apart from other failures, and nothing of the transaction is kept."""
    with writing(sqlite) as session:
        session.execute(text("CREATE TABLE kept (value blob)"))
    with pytest.raises(DatabaseFull, match="free some space"):
        write_too_much(sqlite)
    with reading(sqlite) as session:
        assert session.execute(text("SELECT count(*) FROM kept")).scalar_one() == 0


def test_postgresql_without_room(sqlite):
    """A full disk below PostgreSQL is told as one, not as a database that is away and will come back."""
    with pytest.raises(DatabaseFull, match=r"could not extend file.*free some space") as told, writing(sqlite):
        raise DBAPIError("INSERT", {}, DiskFull("could not extend file: No space left on device"))
    assert not may_pass(told.value)
