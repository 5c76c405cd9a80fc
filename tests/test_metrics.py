"""What was seen, in Prometheus' words."""

from __future__ import annotations

import datetime as dt
import socket
import threading
import time

import pytest
from exporter import samples, value
from hypothesis import given
from hypothesis import strategies as st
from strategies import LAW

from cli.exposition import FAMILIES, text
from models.dump_run import DumpState
from models.tables import HourState
from models.version import VERSION
from worker.metrics import BrokerFigures, InFlight, Leases, Metrics, Observer
from worker.settings import Settings
from worker.store.figures import DatabaseFigures, FileTotals
from worker.store.late import AnswerFigures, Kind

NOW = dt.datetime(2024, 1, 4, 5, 30, tzinfo=dt.UTC)
EN, DE = "en.wikipedia", "de.wikipedia"
DATABASE = DatabaseFigures(
    hours={(EN, "waiting"): 20, (EN, "counted"): 4},
    answers=AnswerFigures(
        {Kind(EN, "articles", "day", "complete"): 5, Kind(EN, "articles", "week", "unranked"): 1},
        {(EN, "articles"): dt.date(2024, 1, 3)},
        {(EN, "articles"): dt.date(2024, 1, 2)},
    ),
    indexes={(DE, "no dumps"): 1},
    index_bytes={DE: 7},
    counted=FileTotals(4, 2**40, 20_000_000),
    seconds={"waited": 0.5, "storing": 2.25},
    last_done={"hour": NOW, "index": None},
)
BROKER = BrokerFigures(
    {"count": 20, "rank": 0},
    {("count",): InFlight(3, 61.5), ("count", "index", "rank"): InFlight(0, 0.0)},
    (Leases("https://dumps.example.org:443", 3, 2),),
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ['"', "\\", "\n", '"} 1\nwikiq_up 1\n', "\\n", "é", "{}", " ", "\r", "\N{LINE SEPARATOR}"]
)


def said(database=DATABASE, broker=BROKER, away=None):
    seen = Metrics(database, broker, away or {})
    return samples(text(lambda: seen))


def test_every_value():
    """Each figure stands under its name, with its labels; of states that nothing is in there are zeros."""
    scrape = said()
    hours = {state: value(scrape, "wikiq_hour_files", project=EN, state=state) for state in HourState}
    assert hours == dict.fromkeys(HourState, 0) | {"waiting": 20, "counted": 4}
    indexes = {state: value(scrape, "wikiq_indexes", project=DE, state=state) for state in DumpState}
    assert indexes == dict.fromkeys(DumpState, 0) | {"no dumps": 1}
    answers = {
        (period, verdict): value(
            scrape, "wikiq_answers", project=EN, universe="articles", period=period, verdict=verdict
        )
        for period in ("day", "week")
        for verdict in ("complete", "incomplete", "unranked", "stuck")
    }
    assert answers == dict.fromkeys(answers, 0) | {("day", "complete"): 5, ("week", "unranked"): 1}
    where = {"project": EN, "universe": "articles"}
    assert value(scrape, "wikiq_newest_day_timestamp_seconds", standing="asked", **where) == 1704326400
    assert value(scrape, "wikiq_newest_day_timestamp_seconds", standing="complete", **where) == 1704240000
    assert value(scrape, "wikiq_last_done_timestamp_seconds", work="hour") == NOW.timestamp()
    assert value(scrape, "wikiq_last_done_timestamp_seconds", work="index") is None
    source = "https://dumps.example.org:443"
    single = {
        ("wikiq_build_info", ("version", VERSION)): 1,
        ("wikiq_database_up",): 1,
        ("wikiq_broker_up",): 1,
        ("wikiq_index_bytes", ("project", DE)): 7,
        ("wikiq_counted_files",): 4,
        ("wikiq_counted_bytes",): 2**40,
        ("wikiq_counted_lines",): 20_000_000,
        ("wikiq_phase_seconds", ("phase", "waited")): 0.5,
        ("wikiq_phase_seconds", ("phase", "storing")): 2.25,
        ("wikiq_queue_messages", ("queue", "count")): 20,
        ("wikiq_in_flight_tasks", ("queues", "count")): 3,
        ("wikiq_in_flight_tasks", ("queues", "count-index-rank")): 0,
        ("wikiq_oldest_in_flight_seconds", ("queues", "count")): 61.5,
        ("wikiq_leases", ("source", source), ("state", "held")): 3,
        ("wikiq_leases", ("source", source), ("state", "waiting")): 2,
    }
    assert {(name, *labels): value(scrape, name, **dict(labels)) for name, *labels in single} == single


def test_names():
    """Names are wikiq's own, in base units, and end as no gauge may."""
    names = [family.empty().name for family in FAMILIES]
    assert len(names) == len(set(names))
    assert {name for name, _ in said()} == set(names)
    assert not [name for name in names if name.endswith(("_total", "_count", "_sum", "_bucket", "_ms", "_mb"))]
    assert not [family for family in FAMILIES if not family.meaning.endswith(".")]


def test_what_is_away_is_absent():
    """Of a database or a broker that is away there is one sample, a zero; of a broker that is not set there is none."""
    for database, broker, away, up in (
        (None, BROKER, {"database": "why"}, (0, 1)),
        (DATABASE, None, {"broker": "why"}, (1, 0)),
        (DATABASE, None, {}, (1, None)),
        (None, None, {"database": "why", "broker": "why"}, (0, 0)),
    ):
        scrape = said(database, broker, away)
        assert (value(scrape, "wikiq_database_up"), value(scrape, "wikiq_broker_up")) == up
        names = {name for name, _ in scrape}
        assert ("wikiq_hour_files" in names) == (database is not None)
        assert ("wikiq_queue_messages" in names) == (broker is not None)


@LAW
@given(TEXTS, TEXTS)
def test_a_name_cannot_break_the_format(project, other):
    """Whatever a project or a source is called, it comes out as the label that went in, and as nothing else."""
    hours = {(project, "counted"): 3, (other, "counted"): 4}
    database = DatabaseFigures(hours, AnswerFigures({}, {}, {}), {}, {}, FileTotals(0, 0, 0), {}, {})
    broker = BrokerFigures({}, {}, (Leases(project, 1, 2),))
    scrape = said(database, broker)
    assert value(scrape, "wikiq_hour_files", project=project, state="counted") == hours[project, "counted"]
    assert value(scrape, "wikiq_leases", source=project, state="held") == 1
    assert sum(name == "wikiq_hour_files" for name, _ in scrape) == len(HourState) * len(hours)
    assert {name for name, _ in scrape} <= {family.empty().name for family in FAMILIES}


@pytest.fixture
def mute():
    """The port of a server that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_look_ends_in_time(mute, tmp_path):
    """Though database and broker are silent, a look takes no longer than it may, however many look at once."""
    settings = Settings(
        data_dir=tmp_path,
        database_url=f"postgresql+psycopg://u:geheim@127.0.0.1:{mute}/x?connect_timeout=60",
        broker_url=f"redis://:geheim@127.0.0.1:{mute}/0",
        sources=("http://127.0.0.1:9",),
        contact=None,
    )
    observer, seen = Observer(settings, patience=1.0), []
    before, began = threading.active_count(), time.monotonic()
    threads = [threading.Thread(target=lambda: seen.append(observer.look())) for _ in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    # The eight, and one question to each of the two.
    assert threading.active_count() <= before + 8 + 2
    for thread in threads:
        thread.join(10)
    # Not one patience after the other.
    assert time.monotonic() - began < 1.9
    assert len(seen) == 8
    for metrics in seen:
        assert (metrics.database, metrics.broker, set(metrics.away)) == (None, None, {"database", "broker"})
        assert "geheim" not in str(metrics.away)
