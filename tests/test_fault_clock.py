"""Workers whose clocks are an hour off: tasks are then done more often than once, and nothing else."""

from __future__ import annotations

import re
import time
from collections import Counter

import pytest
from cli_process import wait_until
from fleet import empty_broker, fleet_on_postgresql  # noqa: F401 fixtures

from cli.demosite.faults import Fault, Slow
from models.hour import hours_of

pytestmark = pytest.mark.timeout(120)

LONG = Slow(400)
"""Some fifteen seconds for an hour file: longer than the ten after which each worker looks for tasks of the dead."""
SHIFTED = """
import datetime as dt
import time_machine
time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(hours={hours}), tick=True).start()
"""
RECEIVED = re.compile(r"Task wikiq\.count_hour\[([-0-9a-f]+)\] received")


def machine(fleet, name, *, hours=0):
    """A worker on a machine of its own, whose clock shows so many hours more than it is."""
    directory = fleet.directory / name
    directory.mkdir()
    # Python imports it at its start, before anything of the program's.
    (directory / "sitecustomize.py").write_text(SHIFTED.format(hours=hours) if hours else "")
    fleet.start("-c", "1", WIKIQ_DATA_DIR=str(directory / "data"), PYTHONPATH=str(directory))
    return directory / "data"


def deliveries(fleet):
    """How often each hour's task was received."""
    return Counter(RECEIVED.findall(fleet.said))


def part_of(data):
    """What the machine is downloading."""
    return list(data.glob("downloads/pageviews-*.part"))


def in_flight_since(fleet):
    """The times, in seconds, at which tasks in flight were taken, as their workers' clocks show them."""
    return [since for _, since in fleet.broker.zrange("wikiq:unacked_index", 0, -1, withscores=True)]


def test_an_hour_behind_and_an_hour_ahead(shared_fleet):
    """The tasks of one worker look long forgotten, and the other takes everybody's for that: each hour counts once."""
    fleet = shared_fleet
    fleet.site.misbehave(*(Fault(hour.path, LONG, times=1) for hour in hours_of(fleet.day)[:2]))
    fleet.wikiq("enqueue", str(fleet.day))
    behind = machine(fleet, "behind", hours=-1)
    wait_until(lambda: part_of(behind))
    [since] = in_flight_since(fleet)
    assert 3500 < time.time() - since < 3700
    right = machine(fleet, "right")
    # It does the first hour, too, and goes on to the second.
    wait_until(lambda: len(fleet.counted()) == 1 and part_of(right))
    ahead = machine(fleet, "ahead", hours=1)
    wait_until(lambda: len(fleet.counted()) == 24 and fleet.ranked())
    again = {task: times for task, times in deliveries(fleet).items() if times > 1}
    assert len(again) >= 2
    machines = (behind, right, ahead)
    wait_until(lambda: not any(map(part_of, machines)))
    fleet.check(interrupted=sum(again.values()), elsewhere=machines)
    assert "Traceback" not in fleet.said
