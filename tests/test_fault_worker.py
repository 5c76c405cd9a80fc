"""Workers are killed, or told to stop, at one moment or another; nothing is lost and nothing is counted twice."""

from __future__ import annotations

import gzip
import os
import signal
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from cli_process import kill, wait_until
from fleet import empty_broker, fleet_on_postgresql, fleet_on_sqlite, locked  # noqa: F401 fixtures

from cli.demosite.faults import Fault, OtherVersion, Slow
from models.hour import hours_of
from worker.app import VISIBILITY_TIMEOUT

pytestmark = pytest.mark.timeout(180)

HOURS = "other/pageviews/*"
SLOW = Slow(2_000)
"""Some seconds for an hour file, which is of a few thousand bytes."""


def children(process):
    """The processes that a worker has started."""
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def kill_child(worker):
    """SIGKILL to the one process in which a worker does its tasks."""
    [child] = children(worker)
    os.kill(child, signal.SIGKILL)


def downloading(fleet):
    """Whether a worker is in the middle of an hour file."""
    return any(size > 1_000 for name, size in fleet.parts().items() if name.startswith("pageviews-"))


def long_to_count(fleet, hour):
    """The hour's file as it is, with some millions of lines of a wiki that nobody asks for behind it."""
    text = gzip.decompress((fleet.site.root / hour.path).read_bytes())
    return Fault(hour.path, OtherVersion(gzip.compress(text + b"zz Somewhere_else 1 0\n" * 8_000_000, 1)))


def fetched(fleet, hour):
    """When the whole file was there that a worker has not counted yet; None if there is none."""
    path = fleet.data / "downloads" / hour.file_name
    return path.stat().st_mtime_ns if path.exists() else None


@contextmanager
def in_the_middle(fleet):
    """A worker in the middle of a slow download; when the block ends the site is quick again."""
    fleet.site.misbehave(Fault(HOURS, SLOW))
    worker = fleet.start()
    fleet.wikiq("enqueue", str(fleet.day))
    wait_until(lambda: downloading(fleet))
    yield worker
    fleet.site.behave()


def test_nobody_cares(fleet):
    """Killed while it downloads: after the visibility timeout another worker does its task, and the chord ranks."""
    with in_the_middle(fleet) as worker:
        kill(worker)
    [tag] = fleet.broker.zrange("wikiq:unacked_index", 0, -1)
    # As if it had happened so long ago.
    fleet.broker.zincrby("wikiq:unacked_index", -VISIBILITY_TIMEOUT, tag)
    fleet.start()
    wait_until(fleet.ranked)
    fleet.check(interrupted=1)
    [went_on] = [entry for entry in fleet.site.log if entry.range and "/pageviews-" in entry.path]
    assert fleet.downloads()[went_on.path] == 2


def test_killed_while_it_counts(fleet):
    """Killed between the last byte and the commit: the file that it leaves is not believed, but fetched anew."""
    hour = hours_of(fleet.day)[5]
    fleet.site.misbehave(long_to_count(fleet, hour))
    worker = fleet.start()
    fleet.wikiq("enqueue", str(fleet.day))
    wait_until(lambda: fetched(fleet, hour), every=0.001)
    kill(worker)
    assert fetched(fleet, hour)
    assert len(fleet.counted()) == 5
    fleet.site.behave()
    fleet.start()
    fleet.resume()
    fleet.check(lost=1, interrupted=1)
    assert fleet.downloads()[hour.path] == 2


def test_killed_while_it_commits_and_while_it_ranks(shared_fleet):
    """Killed in the middle of a transaction, an hour's or an answer's: nothing of it is there, and it is done anew."""
    fleet = shared_fleet
    with locked(fleet, "hour_tally"):
        worker = fleet.start()
        fleet.wikiq("enqueue", str(fleet.day))
        wait_until(fleet.waiting_for_locks)
        kill(worker)
        assert fleet.parts() == {}
    assert fleet.counted() == {}
    fleet.wikiq("resume")
    with locked(fleet, "ranked_article"):
        worker = fleet.start()
        wait_until(fleet.waiting_for_locks)
        kill(worker)
    assert fleet.ranked() == []
    fleet.start()
    fleet.resume()
    fleet.check(lost=2, interrupted=1)


def test_a_child_is_killed(fleet):
    """Where only the process is killed in which a task runs, its worker has the task done again; the chord ranks."""
    with in_the_middle(fleet) as worker:
        kill_child(worker)
    wait_until(fleet.ranked)
    fleet.check(interrupted=1)
    assert worker.poll() is None


def test_a_poisonous_task(fleet):
    """An hour whose process dies each time is given up after four times, and its day ranked from the others."""
    hour = hours_of(fleet.day)[5]
    fleet.site.misbehave(long_to_count(fleet, hour))
    worker = fleet.start()
    waiting = fleet.begin("enqueue", str(fleet.day), "--wait")
    killed = {None}
    while waiting.poll() is None:
        if (file := fetched(fleet, hour)) not in killed:
            kill_child(worker)
            killed.add(file)
        time.sleep(0.001)
    assert waiting.returncode == 1
    assert fleet.downloads()[hour.path] == 4
    # Who waited was told at once; that the hour is given up is a task of its own.
    wait_until(lambda: fleet.rows("SELECT 1 FROM hour WHERE state = 'failed'"))
    wait_until(fleet.ranked)
    assert len(fleet.counted()) == 23
    [(state, reason)] = fleet.rows("SELECT state, reason FROM hour WHERE state <> 'counted'")
    assert (state, "process" in reason) == ("failed", True)
    assert worker.poll() is None
    fleet.site.behave()
    fleet.resume()
    fleet.check(interrupted=4)


def test_told_to_stop(fleet):
    """SIGTERM: a short task is finished, a long one handed back at the end of the time that is given; exit code 0."""
    short, long = hours_of(fleet.day)[:2]
    fleet.site.misbehave(Fault(short.path, Slow(4_000)), Fault(long.path, Slow(20)))
    worker = fleet.start("-c", "2", "-Q", "count", "--grace", "3")
    fleet.wikiq("enqueue", str(fleet.day))
    wait_until(lambda: fleet.downloads().keys() == {short.path, long.path})
    asked = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    assert fleet.counted() == {}
    assert worker.wait(20) == 0
    assert time.monotonic() - asked < 3 + 5
    assert [hour for _, _, hour in fleet.counted()] == [short.hour]
    assert (fleet.broker.llen("wikiq:count"), fleet.in_flight()) == (23, 0)
    fleet.site.behave()
    fleet.start()
    wait_until(fleet.ranked)
    fleet.check(interrupted=1)
