"""The broker loses parts of chords; the database knows what is missing, and ``wikiq resume`` sends it again."""

from __future__ import annotations

import json

import pytest
from cli_process import kill, wait_until, wikiq
from fleet import empty_broker, fleet_on_sqlite  # noqa: F401 fixtures

from cli import run
from cli.demosite.faults import Fault, Stall
from cli.exits import ExitCode
from models.hour import hours_of
from worker.app import make_app
from worker.enqueue import Work
from worker.order import EVERYTHING
from worker.settings import read_settings

pytestmark = pytest.mark.timeout(120)

NOTHING = Work((), ())


@pytest.fixture
def settings(fleet):
    return read_settings(fleet.environment)


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


def counted(fleet):
    return len(fleet.counted())


def build_index(fleet):
    """So that no day is ranked because its index has come: each waits for its chord alone."""
    worker = fleet.start("-c", "1", "-Q", "index")
    wait_until(lambda: fleet.rows("SELECT run FROM snapshot WHERE state = 'done'"))
    wait_until(lambda: fleet.in_flight() == 0)
    kill(worker)


def test_parts_of_chords_are_lost(fleet, settings, monkeypatch, capsys):
    """An hour's message, a ranking's and a chord's progress: their days say what they lack; one resume is enough."""
    no_hour, no_ranking, no_progress, *rest = fleet.demo.days
    last = hours_of(no_progress)[-1]
    fleet.site.misbehave(Fault(last.path, Stall(1), times=1))
    fleet.wikiq("enqueue", *fleet.week)
    lose_message(fleet, "count", hours_of(no_hour)[7])
    _, chord = message_about(fleet, "count", last)
    build_index(fleet)
    fleet.start("-c", "1", "-Q", "count")
    lose_progress(fleet, chord)
    wait_until(lambda: counted(fleet) == 7 * 24 - 1)
    wait_until(lambda: len(messages(fleet, "rank")) == 1 + len(rest))
    lose_message(fleet, "rank", no_ranking)

    fleet.start("-c", "1", "-Q", "rank,index")
    wait_until(lambda: len(fleet.ranked()) == len(rest))
    told = wikiq(fleet.environment, "status")
    lines = {line.split()[1]: line.split("  ")[-1] for line in told.stdout.splitlines()[1:-1]}
    assert told.code == 3
    assert lines[str(no_hour)] == "incomplete, 1 waiting, not ranked yet"
    assert lines[str(no_ranking)] == lines[str(no_progress)] == "complete, not ranked yet"

    app = make_app(settings)
    monkeypatch.setattr(run, "STALLED_SECONDS", 1)
    run._nudge(app, app.context(), EVERYTHING)
    assert "wikiq resume" in capsys.readouterr().err
    fleet.resume()
    fleet.check(week=True)
    app.context().engine.dispose()


def test_who_waits_sends_a_lost_ranking_again(fleet, settings, monkeypatch):
    """Where only a ranking's message is lost, whoever waits for the day has it sent again when nothing moves."""
    fleet.wikiq("enqueue", str(fleet.day))
    build_index(fleet)
    fleet.start("-c", "1", "-Q", "count")
    wait_until(lambda: messages(fleet, "rank"))
    lose_message(fleet, "rank", fleet.day)
    fleet.start("-c", "1", "-Q", "rank,index")
    app = make_app(settings)
    monkeypatch.setattr(run, "STALLED_SECONDS", 1)
    assert run.carry_out(app, NOTHING, EVERYTHING, wait=True, quiet=True) is ExitCode.DONE
    fleet.check()
    app.context().engine.dispose()
