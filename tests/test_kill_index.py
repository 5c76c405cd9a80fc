"""A run without a broker is killed at one moment or another of an index's making; ``wikiq resume`` completes it."""

from __future__ import annotations

import time
from contextlib import closing

import pytest
from cli_process import kill, left_behind, wait_until, wikiq
from demo_truth import ARTICLES, told, truth
from killed_run import KilledRun

from cli.demosite.faults import Fault, Slow, Stall
from cli.demosite.server import serve
from cli.options import Span
from cli.render import Format, render
from cli.report import load_report
from models.answer import Universe
from models.hour import hours_of
from models.project import DEFAULT_PROJECT, parse_project
from worker.store.database import connect

PARTS = {"titles", "categories", "members", "hidden_members"}
SMALL = ("redirect", "linktarget", "categorylinks", "page_props")


class Run(KilledRun):
    """One ``wikiq enqueue DAY``, and what its files tell of the index it makes."""

    @property
    def read(self):
        """Each table that is read, and when it was."""
        return dict(self.look("SELECT name, read_at FROM snapshot_table WHERE state = 'done'"))

    @property
    def attempts(self):
        """The parts that have blocks, and of how many attempts."""
        return dict(self.look("SELECT part, count(DISTINCT attempt) FROM snapshot_block GROUP BY part"))

    def asked(self, table):
        return [entry for entry in self.site.log if entry.path.endswith(f"-{table}.sql.gz")]

    def part(self, table):
        """How much of a table's dump is on disk."""
        return max((path.stat().st_size for path in self.data.glob(f"downloads/*-{table}.sql.gz*")), default=0)


@pytest.fixture
def run(tmp_path, site, demo):
    return Run(tmp_path, site, demo.first_day)


@pytest.fixture(scope="module")
def figures(tmp_path_factory, demo, demo_directory):
    """What an index that nobody disturbed holds, as ``wikiq wiki show`` has it in the database."""
    with serve(demo_directory) as site:
        undisturbed = Run(tmp_path_factory.mktemp("undisturbed"), site, demo.first_day)
        assert wikiq(undisturbed.environment, "enqueue", str(demo.first_day), "--quiet").code == 0
        return undisturbed.look("SELECT figures FROM snapshot")


def results(run):
    """What ``wikiq results --format json`` prints, without the start of a process."""
    engine = connect(f"sqlite:///{run.data}/wikiq.sqlite")
    try:
        span = Span((run.day,), week=False)
        report = load_report(engine, parse_project(DEFAULT_PROJECT), span, Universe.ARTICLES)
        return told(render(report, Format.JSON, top=5, width=80))
    finally:
        engine.dispose()


def resume(run, figures):
    """Resume on a site that behaves, and check that all is as if nothing had happened."""
    before = run.read
    run.site.behave()
    run.site.forget()
    done = wikiq(run.environment, "resume")
    assert (done.code, done.stdout) == (0, ""), done.stderr
    assert results(run) == truth(run.day).day(run.day, universe=ARTICLES)
    assert run.look("SELECT figures FROM snapshot") == figures
    assert before.items() <= run.read.items()
    assert [table for table in before if run.asked(table)] == []
    assert run.attempts == dict.fromkeys(PARTS, 1)
    assert left_behind(run.data) == []


def test_in_the_middle_of_a_table(run, figures):
    """Killed while tables are half there: their downloads go on where they ended."""
    run.site.misbehave(Fault("*.sql.gz", Slow(20_000)))
    with run.begin() as process:
        wait_until(lambda: run.part("categorylinks") > 8_000)
        kill(process)
    assert "categorylinks" not in run.read
    resume(run, figures)
    [again] = run.asked("categorylinks")
    assert int(again.range.removeprefix("bytes=").rstrip("-")) > 8_000


def test_between_tables(run, figures):
    """Killed when some tables are read and others are not: only the others are fetched."""
    run.site.misbehave(Fault("*-page.sql.gz", Stall(60)))
    with run.begin() as process:
        wait_until(lambda: set(run.read) == set(SMALL))
        kill(process)
    assert set(run.attempts) <= set(SMALL)
    resume(run, figures)


@pytest.mark.parametrize("reached", ["page", "titles"])
def test_while_it_is_written(run, figures, reached):
    """Killed when a table's columns, or some parts of the index, are written and not yet counted: they are no one's."""
    run.site.misbehave(Fault("*-page.sql.gz", Stall(1.5)))
    with run.begin() as process:
        wait_until(lambda: set(run.read) == set(SMALL))
        wait_until(lambda: reached in run.attempts, every=0.0005)
        with closing(run.open("rw")) as connection:
            connection.execute("BEGIN IMMEDIATE")
            time.sleep(0.3)
            kill(process)
            process.wait()
    assert run.look("SELECT 1 FROM answer WHERE fingerprint IS NOT NULL") == []
    resume(run, figures)


def test_when_it_is_built(run, figures):
    """Killed when the index is there and no day is ranked by it: the next run fetches nothing of it again."""
    last = hours_of(run.day)[-1]
    run.site.misbehave(Fault(last.path, Stall(60), method="GET"))
    with run.begin() as process:
        wait_until(lambda: run.look("SELECT 1 FROM snapshot WHERE state = 'done'"))
        kill(process)
    resume(run, figures)
    assert not [entry for entry in run.site.log if entry.path.startswith("enwiki/")]
