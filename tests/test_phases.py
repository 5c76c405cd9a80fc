"""The seconds of each phase of an hour file: measured, kept with the hour, added up once per file, and logged."""

from __future__ import annotations

import json
import logging
import threading
import time
from contextlib import ExitStack

import pytest
from conftest import HASTY
from counting_samples import HOUR, counted
from store_samples import DE, EN, HOURS, NOW, ask, count, facts, fail, hour_row
from strategies import frame, plain

from cli.demosite.faults import Corrupt, Fault, NotFound, Slow, Together, Unavailable
from models.tables import HourState
from worker.budget import CONNECTIONS
from worker.phases import PHASES, Phases
from worker.store import days, ledger, tallies
from worker.store.database import reading, writing

pytest_plugins = ["store_fixtures"]

ONE = {b"A": (1, 2)}


def kept(engine, hour=HOUR, project=EN):
    """What the hour's line says of its phases."""
    row = hour_row(engine, hour, project)
    return tuple(getattr(row, phase) for phase in PHASES)


def total(engine):
    with reading(engine) as session:
        return ledger.phase_seconds(session)


def record(engine, hour, phases, project=EN, **changes):
    """Count an hour whose file took so long."""
    with writing(engine) as session:
        known = facts(**changes)
        tallies.record_counted(
            session,
            project,
            hour,
            known,
            tallies.pack(frame(ONE)),
            now=NOW,
            version="test",
            phases=lambda: Phases(*phases),
        )


def test_nothing_took_no_time(engine):
    """Where no hour is counted, every phase has taken zero seconds; so it has where nobody measured."""
    assert total(engine) == dict.fromkeys(PHASES, 0.0)
    count(engine, HOURS[0], ONE)
    assert kept(engine, HOURS[0]) == (None,) * 4
    assert total(engine) == dict.fromkeys(PHASES, 0.0)


def test_each_file_is_added_up_once(engine):
    """A file that was counted for two projects took its time once; its last line has the whole of what it took."""
    record(engine, HOURS[0], (1, 2, 4, 8))
    record(engine, HOURS[0], (1, 2, 4, 16), project=DE)
    record(engine, HOURS[1], (32, 64, 128, 256))
    count(engine, HOURS[2], ONE)
    assert total(engine) == {"waited": 33, "downloading": 66, "counting": 132, "storing": 272}


def test_another_file_of_the_same_hour_counts_too(engine):
    """Two projects that had the hour from two sources have taken two files."""
    record(engine, HOURS[0], (1, 2, 4, 8))
    record(engine, HOURS[0], (1, 2, 4, 8), project=DE, url="https://mirror.example.org/x.gz")
    assert total(engine) == {"waited": 2, "downloading": 4, "counting": 8, "storing": 16}


def test_what_is_counted_anew_takes_the_new_time(engine):
    """The seconds of a line are those of the file that counts, also where nobody measured them."""
    record(engine, HOURS[0], (1, 2, 4, 8))
    record(engine, HOURS[0], (1.5, 0, 0.25, 0))
    assert kept(engine, HOURS[0]) == (1.5, 0, 0.25, 0)
    count(engine, HOURS[0], ONE)
    assert kept(engine, HOURS[0]) == (None,) * 4


def test_hours_that_are_not_counted_have_taken_nothing(engine):
    """Waiting and missing hours do not count; an hour that is to be counted anew does until it is."""
    ask(engine, *HOURS[:3])
    fail(engine, HOURS[0], HourState.MISSING)
    record(engine, HOURS[1], (1, 2, 4, 8))
    ask(engine, HOURS[1], recount=True)
    assert total(engine) == {"waited": 1, "downloading": 2, "counting": 4, "storing": 8}


def test_phases_are_asked_for_when_the_tally_is_written(engine):
    """What tells the seconds is asked within the transaction, after the tally was encoded and written."""
    written = []
    tally = tallies.pack(frame(ONE))
    with writing(engine) as session:

        def phases():
            written.extend(days.hour_tallies(session, EN, HOURS[:1]))
            return Phases(0, 0, 0, 0)

        tallies.record_counted(session, EN, HOURS[0], facts(), tally, now=NOW, version="test", phases=phases)
    [(hour, tally)] = written
    assert (hour, plain(tally)) == (HOURS[0], ONE)


def test_a_counted_hour_knows_its_phases(context, site, demo):
    """Each project's line has the file's seconds: no more than the whole took, and as many as the rate makes of it."""
    rate = 30_000
    site.misbehave(Fault("*", Slow(rate)))
    receipt = counted(context, HOUR, EN, DE)
    english, german = kept(context.engine), kept(context.engine, project=DE)
    assert english[:3] == german[:3]
    assert 0 < english[3] < german[3]
    waited, downloading, counting, storing = german
    # The first piece comes at once.
    assert downloading > receipt.size / rate - 0.05
    assert 0 <= waited < counting + downloading + storing
    assert counting > 0
    assert sum(german) <= receipt.seconds
    assert total(context.engine) == dict(zip(PHASES, german, strict=True))


def test_waiting_for_a_connection_is_no_downloading(context, site):
    """An hour that had to wait for one of the source's connections says for how long."""
    with ExitStack() as stack:
        for _ in range(CONNECTIONS):
            stack.enter_context(context.budget(site.url)())
        waiting = threading.Thread(target=counted, args=[context])
        waiting.start()
        time.sleep(0.4)
        assert site.log == ()
        began = time.monotonic()
    waiting.join()
    waited, downloading, *_ = kept(context.engine)
    assert waited > 0.1
    assert downloading < time.monotonic() - began


def test_every_try_counts(context, site):
    """A file that came damaged first was downloaded twice, and both times took their time."""
    rate = 30_000
    site.misbehave(Fault("*", Together((Corrupt(), Slow(rate))), times=1), Fault("*", Slow(rate)))
    receipt = counted(context)
    assert kept(context.engine)[1] > 2 * (receipt.size / rate - 0.05)


def test_waits_between_two_tries_are_no_phase(context, site):
    """While the source asks for time no connection is held, and nobody waits for one."""
    site.misbehave(Fault("*", Unavailable(retry_after=1), times=1))
    receipt = counted(context)
    assert sum(kept(context.engine)) < receipt.seconds - HASTY.retry_after_max


def test_a_line_is_logged_for_each_counted_hour(context, site, caplog):
    """It says by itself what was counted and how long that took, and has the same as fields, ready for JSON."""
    caplog.set_level(logging.INFO, "worker.counting")
    receipt = counted(context, HOUR, EN, DE)
    [line] = [entry for entry in caplog.records if entry.name == "worker.counting"]
    assert line.levelno == logging.INFO
    assert (line.hour, line.projects, line.bytes) == (str(HOUR), [EN.name, DE.name], receipt.size)
    assert line.url == f"{site.url}/{HOUR.path}"
    seconds = [getattr(line, phase) for phase in PHASES]
    assert all(second >= 0 for second in seconds)
    assert sum(seconds) <= receipt.seconds + 0.01
    for word in (str(HOUR), EN.name, DE.name, str(receipt.size), site.url, *PHASES):
        assert word in line.getMessage()
    json.dumps({name: value for name, value in vars(line).items() if name not in ("args", "exc_info")})


@pytest.mark.parametrize("kind", [NotFound(), Corrupt()])
def test_an_hour_that_is_not_counted_is_not_logged_as_such(context, site, caplog, kind):
    """A missing or damaged file has no bytes and no seconds in the log, nor in the ledger."""
    caplog.set_level(logging.INFO, "worker.counting")
    site.misbehave(Fault("*", kind))
    counted(context)
    assert not [entry for entry in caplog.records if hasattr(entry, "bytes")]
    assert kept(context.engine) == (None,) * 4


def test_an_hour_that_is_counted_already_is_not_logged_again(context, caplog):
    """Twice is once in the log, too."""
    caplog.set_level(logging.INFO, "worker.counting")
    for _ in range(2):
        counted(context)
    assert len([entry for entry in caplog.records if hasattr(entry, "bytes")]) == 1
