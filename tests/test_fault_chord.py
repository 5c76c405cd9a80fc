"""The broker loses parts of chords; the database knows what is missing, and ``wikiq resume`` sends it again."""

from __future__ import annotations

import json

import pytest
from cli_process import wait_until, wikiq
from fleet import empty_broker, fleet_on_sqlite  # noqa: F401 fixtures

from cli import run
from cli.demosite.faults import Fault, Stall
from cli.exits import ExitCode
from models.answer import Universe
from models.hour import hours_of
from models.project import DEFAULT_PROJECT, parse_project
from worker.app import make_app
from worker.enqueue import Work
from worker.order import EVERYTHING, Order
from worker.settings import read_settings

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def app(fleet):
    """The application as the commands of this fleet have it."""
    app = make_app(read_settings(fleet.environment))
    yield app
    app.context().engine.dispose()


def messages(fleet, queue):
    """What waits in a queue: the message, its task's arguments in words, and the chord that it belongs to."""
    found = fleet.broker.lrange(f"wikiq:{queue}", 0, -1)
    heads = [(message, json.loads(message)["headers"]) for message in found]
    return [(message, head["argsrepr"] + head["kwargsrepr"], head["group"]) for message, head in heads]


def message_about(fleet, queue, what):
    [found] = [(message, group) for message, about, group in messages(fleet, queue) if str(what) in about]
    return found


def lose_message(fleet, queue, what):
    """Remove a message from a queue, as Redis does that comes back without its last second."""
    message, _ = message_about(fleet, queue, what)
    assert fleet.broker.lrem(f"wikiq:{queue}", 1, message) == 1


def lose_progress(fleet, chord):
    """Remove what is noted of a chord that is under way."""
    wait_until(lambda: len(fleet.broker.keys(f"wikiq:celery-taskset-meta-{chord}*")) > 1)
    fleet.broker.delete(*fleet.broker.keys(f"wikiq:celery-taskset-meta-{chord}*"))


def index_is_built(fleet):
    return fleet.rows("SELECT run FROM snapshot WHERE state = 'done'") and fleet.in_flight() == 0


def wait_for(app, day):
    """As ``wikiq enqueue DAY --wait`` does, without the part that sends anything."""
    project = parse_project(DEFAULT_PROJECT)
    order = Order(projects=(project,), days=(day,), universe=Universe.ARTICLES)
    return run.carry_out(app, Work((), ()), order, wait=True, quiet=True)


def test_parts_of_chords_are_lost(fleet, app, monkeypatch, capsys):
    """An hour's message, a ranking's and a chord's progress: their days say what they lack; one resume is enough."""
    no_hour, no_ranking, no_progress, *rest = fleet.demo.days
    last = hours_of(no_progress)[-1]
    fleet.site.misbehave(Fault(last.path, Stall(1), times=1))
    fleet.wikiq("enqueue", *fleet.week)
    lose_message(fleet, "count", hours_of(no_hour)[7])
    _, chord = message_about(fleet, "count", last)
    fleet.start("-c", "1", "-Q", "index")
    # Otherwise a day may be ranked because its index has come: each is to wait for its chord alone.
    wait_until(lambda: index_is_built(fleet))
    fleet.start("-c", "1", "-Q", "count")
    lose_progress(fleet, chord)
    wait_until(lambda: len(messages(fleet, "rank")) == 1 + len(rest))
    lose_message(fleet, "rank", no_ranking)
    fleet.start("-c", "1", "-Q", "rank")
    wait_until(lambda: len(fleet.ranked()) == len(rest))

    told = wikiq(fleet.environment, "status")
    lines = {line.split()[1]: line.split("  ")[-1] for line in told.stdout.splitlines()[1:-1]}
    assert told.code == 3
    assert lines[str(no_hour)] == "incomplete, 1 waiting, not ranked yet"
    assert lines[str(no_ranking)] == lines[str(no_progress)] == "complete, not ranked yet"

    monkeypatch.setattr(run, "STALLED_SECONDS", 1)
    run._nudge(app, app.context(), EVERYTHING)
    assert "wikiq resume" in capsys.readouterr().err
    assert wait_for(app, no_ranking) is ExitCode.DONE
    assert len(fleet.ranked()) == len(rest) + 1
    fleet.resume()
    fleet.check(week=True)
