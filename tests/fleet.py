"""A fleet for tests of faults: real ``wikiq worker`` processes on a real Redis, and what must hold after any fault.

    from fleet import fleet_on_postgresql, fleet_on_sqlite  # noqa: F401 the fixtures `shared_fleet` and `fleet`

    def test_something(fleet):
        fleet.site.misbehave(Fault("*.gz", Slow(2_000)))
        worker = fleet.start()                            # one more worker: a process group of its own, -c 1
        fleet.wikiq("enqueue", str(fleet.day))            # any command, to its end
        wait_until(lambda: fleet.counted())               # a moment, told by site, broker or database
        kill(worker)
        fleet.site.behave()
        fleet.start()
        fleet.resume()                                    # wikiq resume --wait, which must end well
        fleet.check(lost=1, interrupted=1)                # what must always hold

A test that brings its own servers, or stands between them and the workers, uses ``open_fleet``.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack, closing, contextmanager

import psycopg
import pytest
import redis
import servers
from cli_process import environment, left_behind, started, wait_until, wikiq
from demo_truth import told, truth
from sqlalchemy import text

from cli.options import Span
from cli.render import Format, render
from cli.report import load_report
from models.answer import Universe
from models.hour import hours_of
from models.project import DEFAULT_PROJECT, parse_project
from worker.store.database import open_database

LISTS = ("wikiq:count", "wikiq:rank", "wikiq:index")

_WAITING = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
_NOTE = "INSERT INTO counting (project, day, hour) VALUES (NEW.project, NEW.day, NEW.hour);"
_NOTE_COUNTING = {
    "sqlite": ("CREATE TRIGGER note_counting AFTER UPDATE OF counted_at ON hour BEGIN " + _NOTE + " END",),
    "postgresql": (
        f"CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {_NOTE} RETURN NULL; END $$",
        "CREATE TRIGGER note_counting AFTER UPDATE OF counted_at ON hour FOR EACH ROW EXECUTE FUNCTION note()",
    ),
}
"""Has the database write down each time an hour is counted: afterwards its row alone would not tell."""


class Fleet:
    """Workers that end with the test, what they share, and what can be seen of it from outside."""

    def __init__(self, stack, directory, site, demo, broker_url, database_url):
        self._stack, self._log = stack, directory / "workers.log"
        self.directory, self.data, self.site, self.demo = directory, directory / "data", site, demo
        self.day, self.week = demo.first_day, ("--week", "--start", str(demo.first_day))
        self.database_url = database_url or f"sqlite:///{self.data}/wikiq.sqlite"
        self.environment = environment(
            directory, WIKIQ_BROKER_URL=broker_url, WIKIQ_DATABASE_URL=self.database_url, WIKIQ_SOURCE=site.url
        )
        self.broker = stack.enter_context(closing(redis.Redis.from_url(broker_url, protocol=2)))
        # Migrated at once, so that a test may look into the database from the beginning.
        self._engine = open_database(self.database_url.replace("postgresql://", "postgresql+psycopg://"))
        stack.callback(self._engine.dispose)
        with self._engine.begin() as connection:
            connection.execute(text("CREATE TABLE counting (project text, day date, hour integer)"))
            for statement in _NOTE_COUNTING[self._engine.dialect.name]:
                connection.execute(text(statement))

    def start(self, *options, **variables):
        """One more worker, with one process and ready for tasks soon; variables of the environment may differ."""
        arguments = ("worker", *(options or ("-c", "1")))
        return self._stack.enter_context(started(self.environment | variables, *arguments, log=self._log))

    def begin(self, *arguments, **variables):
        """A command as a running process, whose output comes through pipes."""
        return self._stack.enter_context(started(self.environment | variables, *arguments))

    def see_end_well(self, process):
        """Waits for a command that prints nothing: it must end, with success, and without a word of Python's."""
        stdout, stderr = process.communicate(timeout=60)
        assert (process.returncode, stdout) == (0, b""), (stderr, self.said)
        assert b"Traceback" not in stderr

    def wikiq(self, *arguments, **variables):
        """A command that must end well, to its end; gives what it printed."""
        done = wikiq(self.environment | variables, *arguments, timeout=100)
        assert done.code == 0, (done.stderr, self.said)
        return done.stdout

    def resume(self):
        return self.wikiq("resume", "--wait")

    @property
    def said(self):
        """What all workers have logged."""
        return self._log.read_text() if self._log.exists() else ""

    def rows(self, query):
        with self._engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def counted(self):
        """Each counted hour, and when it was counted."""
        found = self.rows("SELECT project, day, hour, counted_at FROM hour WHERE state = 'counted'")
        return {(project, str(day), hour): str(counted_at) for project, day, hour, counted_at in found}

    def ranked(self):
        return self.rows("SELECT first_day, days FROM answer WHERE fingerprint IS NOT NULL")

    def waiting_for_locks(self):
        """Sessions of PostgreSQL that wait for somebody else's lock."""
        return self.rows(_WAITING)

    def queued(self):
        """How many messages nobody works on."""
        return sum(self.broker.llen(name) for name in LISTS)

    def in_flight(self):
        """How many messages somebody works on, or worked on when killed."""
        names = self.broker.keys("wikiq:unacked*")
        return sum(self.broker.hlen(name) for name in names if self.broker.type(name) == b"hash")

    def parts(self):
        """The sizes of unfinished downloads, by name."""
        return {path.name: path.stat().st_size for path in self.data.glob("downloads/*.part")}

    def downloads(self):
        """How often each hour file was begun to be downloaded."""
        return Counter(entry.path for entry in self.site.log if "/pageviews-" in entry.path and entry.method == "GET")

    def check(self, *, lost=0, interrupted=0, week=False, elsewhere=()):
        """Everything is as an undisturbed run leaves it.

        Args:
            lost: messages that killed workers held; they come back after the visibility timeout.
            interrupted: downloads that were begun beyond one for each hour file; None where the site made trouble.
            week: the site's week was asked for, not only its first day.
            elsewhere: data directories of further machines.
        """
        self._check_answers(week)
        self._check_at_rest(lost)
        hours = [hour for day in (self.demo.days if week else (self.day,)) for hour in hours_of(day)]
        self._check_ledger(hours)
        self._check_downloads(hours, interrupted)
        assert [left_behind(directory) for directory in (self.data, *elsewhere) if left_behind(directory)] == []

    def _check_answers(self, week):
        days, truths = self.demo.days if week else (self.day,), truth(self.day)
        report = load_report(self._engine, parse_project(DEFAULT_PROJECT), Span(days, week=week), Universe.ARTICLES)
        expected = truths.week(universe="articles") if week else truths.day(self.day, universe="articles")
        assert told(render(report, Format.JSON, top=5, width=80)) == expected, "other answers than the oracle's"

    def _check_at_rest(self, lost):
        try:
            wait_until(lambda: self.queued() == 0 and self.in_flight() <= lost, seconds=30)
        except TimeoutError:
            pytest.fail(f"queued: {self.queued()}, in flight: {self.in_flight()}, lost: {lost}\n{self.said}")

    def _check_ledger(self, hours):
        wanted = {(DEFAULT_PROJECT, str(hour.day), hour.hour): 1 for hour in hours}
        assert self.counted().keys() == wanted.keys()
        times = Counter((project, str(day), hour) for project, day, hour in self.rows("SELECT * FROM counting"))
        assert times == wanted, f"counted more than once: {times - Counter(wanted)}"

    def _check_downloads(self, hours, interrupted):
        begun = self.downloads()
        assert begun.keys() == {hour.path for hour in hours}
        assert self.site.most_at_once <= 3, f"{self.site.most_at_once} transfers at a time"
        if interrupted is not None:
            again = {path: times for path, times in begun.items() if times > 1}
            assert sum(begun.values()) <= len(hours) + interrupted, f"fetched again: {again}"


@contextmanager
def open_fleet(directory, site, demo, broker_url, database_url=None):
    """A fleet without workers yet, on SQLite unless told of another database."""
    with ExitStack() as stack:
        yield Fleet(stack, directory, site, demo, broker_url, database_url)


@contextmanager
def locked(fleet, table):
    """On PostgreSQL: whoever wants to use the table waits until the block ends."""
    with psycopg.connect(fleet.database_url) as connection:
        connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
        connection.rollback()


@pytest.fixture(name="broker_url")
def empty_broker(redis_url):
    """The session's Redis, emptied."""
    with closing(redis.Redis.from_url(redis_url, protocol=2)) as client:
        client.flushall()
    return redis_url


@pytest.fixture(name="fleet")
def fleet_on_sqlite(tmp_path, site, demo, broker_url):
    with open_fleet(tmp_path, site, demo, broker_url) as fleet:
        yield fleet


@pytest.fixture(name="shared_fleet")
def fleet_on_postgresql(tmp_path, site, demo, broker_url, postgresql):
    with (
        servers.fresh_database(postgresql, f"fleet_{tmp_path.name}"[:60]) as url,
        open_fleet(tmp_path, site, demo, broker_url, url) as fleet,
    ):
        yield fleet
