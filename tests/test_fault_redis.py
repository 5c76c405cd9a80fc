"""Redis goes away in the middle of the work: the line to it breaks, or it comes back with its data or without."""

from __future__ import annotations

from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
from cli_process import kill, wait_until, wikiq
from cut import relay
from fleet import empty_broker, open_fleet  # noqa: F401 a fixture
from restarted import OwnRedis

from cli.demosite.faults import Fault, Slow

pytestmark = pytest.mark.timeout(180)

HOURS = "other/pageviews/*"
SLOW = Slow(2_000)
"""Some seconds for an hour file, which is of a few thousand bytes."""
LOST = "Connection to broker lost"
RETRIED = "Cannot connect to redis"


@pytest.fixture
def line(broker_url):
    """A line to the session's Redis."""
    with relay(urlsplit(broker_url).port) as line:
        yield line


@pytest.fixture
def fleet(tmp_path, site, demo, line):
    """A fleet whose workers and commands reach Redis through the line only."""
    with open_fleet(tmp_path, site, demo, f"redis://127.0.0.1:{line.port}/0") as fleet:
        yield fleet


def downloading(fleet, files):
    """Whether so many hour files are half there."""
    return sum(size > 500 for size in fleet.parts().values()) == files


def at_work(fleet):
    """How many tasks have one of the source's connections, or wait for one."""
    names = [*fleet.broker.keys("wikiq:lease:*:waiting"), *fleet.broker.keys("wikiq:lease:*:held")]
    return sum(fleet.broker.zcard(name) for name in names)


def begin(fleet, workers, *options, files=None):
    """Have workers in the middle of their downloads, and somebody who waits for the end of the work."""
    fleet.site.misbehave(Fault(HOURS, SLOW))
    started = [fleet.start(*options) for _ in range(workers)]
    waiting = fleet.begin("enqueue", str(fleet.day), "--wait")
    wait_until(lambda: downloading(fleet, files or workers))
    return started, waiting


def test_the_line_breaks(fleet, line):
    """Connections that break, and can be made again at once: the tasks under way are cancelled and done again."""
    [worker], waiting = begin(fleet, workers=1)
    line.drop()
    wait_until(lambda: LOST in fleet.said)
    fleet.site.behave()
    fleet.see_end_well(waiting)
    fleet.check(interrupted=1)
    assert worker.poll() is None


def test_redis_cannot_be_reached_for_a_while(fleet, line):
    """No connection for some seconds, in the middle of two tasks: their messages go back, and the chord ranks."""
    workers, waiting = begin(fleet, workers=2)
    line.cut()
    wait_until(lambda: fleet.said.count(RETRIED) >= 2 * len(workers))
    fleet.site.behave()
    line.open()
    fleet.see_end_well(waiting)
    fleet.check(interrupted=2)
    assert [worker.poll() for worker in workers] == [None, None]


@pytest.fixture
def own(tmp_path):
    """A Redis of this test's own, not started yet."""
    with ExitStack() as stack:
        yield OwnRedis(stack, tmp_path / "redis")


def test_it_comes_back_empty_and_is_killed_again(fleet, line, own):
    """An empty Redis costs one ``wikiq resume``; one that is killed and comes back with its data costs nothing."""
    workers, lost = begin(fleet, 2, "-c", "2", files=3)
    kill(lost)
    own.start()
    line.cut()
    line.lead_to(own.port)
    line.open()
    resuming = fleet.begin("resume", "--wait")
    wait_until(lambda: at_work(fleet) == 4)
    own.kill()
    told = wikiq(fleet.environment, "status")
    assert (told.code, "24 waiting" in told.stdout) == (3, True), told.stdout
    wait_until(lambda: fleet.said.count(LOST) == 2 * len(workers))
    fleet.site.behave()
    own.start()
    fleet.see_end_well(resuming)
    fleet.check(interrupted=4)
    assert [worker.poll() for worker in workers] == [None, None]
