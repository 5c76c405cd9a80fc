"""A run without a broker is killed, or interrupted, at one moment or another; ``wikiq resume`` completes it."""

from __future__ import annotations

import signal
import time
from contextlib import closing

import pytest
from cli_process import kill, left_behind, wait_until, wikiq
from demo_truth import told, truth
from killed_run import KilledRun

from cli.demosite.faults import Fault, Slow, Stall
from cli.options import Span
from cli.render import Format, render
from cli.report import load_report
from models.answer import Universe
from models.hour import hours_of
from models.project import DEFAULT_PROJECT, parse_project
from worker.store.database import connect


class Run(KilledRun):
    """One ``wikiq enqueue DAY`` without a broker, and what its files tell of it."""

    @property
    def counted(self):
        """Each counted hour, and when it was counted."""
        return dict(self.look("SELECT hour, counted_at FROM hour WHERE state = 'counted'"))

    @property
    def ranked(self):
        return [row for row in self.look("SELECT fingerprint FROM answer") if row[0] is not None]

    @property
    def asked(self):
        """The hour files that were asked for, in order."""
        return [entry.path for entry in self.site.log if "/pageviews-" in entry.path and entry.method == "GET"]

    def part(self):
        """The size of the largest unfinished download."""
        return max((path.stat().st_size for path in self.data.glob("downloads/*.part")), default=0)


@pytest.fixture
def run(tmp_path, site, demo):
    return Run(tmp_path, site, demo.first_day)


def results(run):
    """What ``wikiq results --format json`` prints, without the start of a process."""
    engine = connect(f"sqlite:///{run.data}/wikiq.sqlite")
    try:
        report = load_report(engine, parse_project(DEFAULT_PROJECT), Span((run.day,), week=False), Universe.ARTICLES)
        return told(render(report, Format.JSON, top=5, width=80))
    finally:
        engine.dispose()


def resume(run):
    """Resume on a site that behaves, and check that all is as if nothing had happened."""
    before = run.counted
    run.site.behave()
    run.site.forget()
    done = wikiq(run.environment, "resume")
    assert (done.code, done.stdout) == (0, ""), done.stderr
    assert results(run) == truth(run.day).day(run.day, universe="articles")
    assert len(run.counted) == 24
    assert before.items() <= run.counted.items()
    assert len(run.asked) == len(set(run.asked)) == 24 - len(before)
    assert left_behind(run.data) == []
    assert len(run.ranked) == 1


def test_before_the_first_byte(run):
    """Killed when files were asked for and nothing had come: everything is counted by the next run."""
    run.site.misbehave(Fault("*", Stall(60), method="GET"))
    with run.begin() as process:
        wait_until(lambda: run.asked)
        kill(process)
    assert run.counted == {}
    resume(run)


def test_in_the_middle_of_a_download(run):
    """Killed while files are half there: their downloads go on where they ended."""
    run.site.misbehave(Fault("*.gz", Slow(6_000)))
    with run.begin() as process:
        wait_until(lambda: run.part() > 3_000)
        kill(process)
    assert run.counted == {}
    resume(run)
    ranges = [entry.range for entry in run.site.log if entry.range]
    assert any(int(found.removeprefix("bytes=").rstrip("-")) > 3_000 for found in ranges)


def test_after_some_hours(run):
    """Killed when some hours are counted: those are kept as they are, and only the others are fetched."""
    run.site.misbehave(Fault("*.gz", Slow(20_000)))
    with run.begin() as process:
        wait_until(lambda: len(run.counted) >= 5)
        kill(process)
    assert 5 <= len(run.counted) < 24
    assert run.ranked == []
    resume(run)


def test_when_only_the_ranking_is_missing(run):
    """Killed when all hours are counted and the wiki's dumps are not there: the next run fetches no hour file."""
    run.site.misbehave(Fault("enwiki/*", Stall(60)))
    with run.begin() as process:
        wait_until(lambda: len(run.counted) == 24)
        kill(process)
    assert run.ranked == []
    resume(run)


def test_while_the_answer_is_written(run):
    """Killed when the answer is computed and waits to be written: nothing of it is there, and it is computed anew."""
    last = hours_of(run.day)[-1]
    run.site.misbehave(Fault(last.path, Stall(3), method="GET"))
    with run.begin() as process:
        wait_until(lambda: len(run.counted) == 23 and run.look("SELECT run FROM snapshot WHERE state = 'done'"))
        wait_until(lambda: len(run.counted) == 24, every=0.001)
        with closing(run.open("rw")) as connection:
            connection.execute("BEGIN IMMEDIATE")
            time.sleep(0.5)
            kill(process)
            process.wait()
    assert run.ranked == []
    resume(run)


def test_at_the_very_end(run):
    """Killed when the answer is stored, before the command could say so: there is nothing left to do."""
    with run.begin() as process:
        wait_until(lambda: run.ranked)
        kill(process)
    before = run.look("SELECT fingerprint, computed_at FROM answer")
    resume(run)
    assert run.look("SELECT fingerprint, computed_at FROM answer") == before


def test_an_interrupt(run):
    """Ctrl-C ends the run at once with exit code 130 and a sentence on how to go on; what was counted stays."""
    run.site.misbehave(*(Fault(hour.path, Stall(60), method="GET") for hour in hours_of(run.day)[6:]))
    with run.begin() as process:
        wait_until(lambda: len(run.counted) >= 2)
        before = run.counted
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=20)
        assert time.monotonic() - began < 5
    assert (process.returncode, stdout) == (130, b"")
    assert b"Traceback" not in stderr
    assert "wikiq resume" in stderr.decode().splitlines()[-1]
    assert before.items() <= run.counted.items()
    resume(run)
