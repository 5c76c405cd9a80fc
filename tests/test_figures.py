"""An operator's figures, as the database gives them."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest
from figure_samples import RUN, insert, rank, ranked, want
from sqlalchemy import event, text, update
from sqlmodel import SQLModel
from store_samples import DAY, DE, EN, HOURS, NOW, SOURCE, ask, count, fail

from models.answer import Period
from models.errors import DatabaseUnreachable
from models.hour import hours_of
from models.tables import HourRow, HourState, SnapshotRow, SnapshotTableRow, WikiRow
from worker.store.database import writing
from worker.store.figures import FileTotals, open_hastily, read_figures

pytest_plugins = ["store_fixtures"]


def test_nothing_at_all(engine):
    """An empty database has no hours, no answers, no indexes, no files, and nothing was ever done."""
    found = read_figures(engine)
    assert (dict(found.hours), dict(found.answers.numbers), dict(found.indexes)) == ({}, {}, {})
    assert found.counted == FileTotals(0, 0, 0)
    assert set(found.last_done.values()) == {None}
    assert set(found.seconds.values()) == {0.0}


def test_hours_by_state(engine):
    """Each hour that was asked for counts once per project, in the state it is in; one to be counted anew waits."""
    ask(engine, *HOURS, projects=(EN, DE))
    for hour in HOURS[:5]:
        count(engine, hour, {b"A": (1, 0)})
    ask(engine, HOURS[0], recount=True)
    troubles = (HourState.MISSING, HourState.MISSING, HourState.REFUSED, HourState.UNREACHABLE, HourState.FAILED)
    for hour, state in zip(HOURS[5:], troubles, strict=False):
        fail(engine, hour, state)
    english = {"waiting": 24 - 4 - 5, "counted": 4, "missing": 2, "refused": 1, "unreachable": 1, "failed": 1}
    expected = {(EN.name, state): number for state, number in english.items()} | {(DE.name, "waiting"): 24}
    assert dict(read_figures(engine).hours) == expected


def test_files_count_once(engine):
    """A file of two projects counts once; the same hour from another source is another file; what failed is none."""
    ask(engine, *HOURS, projects=(EN, DE))
    for project in (EN, DE):
        count(engine, HOURS[0], {b"A": (1, 0)}, project=project, size=1000, lines=10, url=f"{SOURCE}/0.gz")
    count(engine, HOURS[1], {b"A": (1, 0)}, size=2**33, lines=2**32, url=f"{SOURCE}/1.gz")
    count(engine, HOURS[1], {b"A": (1, 0)}, project=DE, size=5, lines=1, url="https://mirror.example.org/1.gz")
    fail(engine, HOURS[2], HourState.FAILED)
    assert read_figures(engine).counted == FileTotals(3, 1000 + 2**33 + 5, 10 + 2**32 + 1)


def test_seconds_by_phase(engine):
    """Phases are added up over files, each once; hours that were counted before phases were noted add nothing."""
    for project in (EN, DE):
        count(engine, HOURS[0], {b"A": (1, 0)}, project=project)
    count(engine, HOURS[1], {b"A": (1, 0)}, url=f"{SOURCE}/1.gz")
    count(engine, HOURS[2], {b"A": (1, 0)}, url=f"{SOURCE}/2.gz")
    with writing(engine) as session:
        for hour, seconds in ((0, 1.0), (1, 0.25)):
            phases = {"waited": seconds, "downloading": 8 * seconds, "counting": 2 * seconds, "storing": 4 * seconds}
            session.execute(update(HourRow).filter_by(hour=hour).values(**phases))
    expected = {"waited": 1.25, "downloading": 10.0, "counting": 2.5, "storing": 5.0}
    assert dict(read_figures(engine).seconds) == expected


def test_indexes(engine):
    """Indexes count by state; a wiki whose runs are not chosen, or that has none, counts as one."""
    done = SnapshotRow(project=EN.name, run=RUN, state="done", size=2**33, siteinfo="{}", built_at=NOW)
    insert(
        engine,
        WikiRow(project=EN.name, state="done"),
        WikiRow(project=DE.name, state="no dumps"),
        done,
        SnapshotRow(project=EN.name, run=RUN + dt.timedelta(days=20), state="failed", reason="why"),
        SnapshotRow(project=EN.name, run=RUN + dt.timedelta(days=40), size=None),
    )
    found = read_figures(engine)
    expected = {(EN.name, "done"): 1, (EN.name, "failed"): 1, (EN.name, "waiting"): 1, (DE.name, "no dumps"): 1}
    assert Counter(found.indexes) == expected
    assert dict(found.index_bytes) == {EN.name: 2**33}


def test_when_something_was_last_done(engine):
    """The latest moments are told in UTC, whatever the database's idea of time."""
    minutes = [NOW + dt.timedelta(minutes=number) for number in range(6)]
    count(engine, HOURS[0], {b"A": (1, 0)}, now=minutes[1])
    count(engine, HOURS[1], {b"A": (1, 0)}, now=minutes[0])
    rank(engine, ranked(missing=HOURS[2:], computed_at=minutes[2]))
    table = SnapshotTableRow(project=EN.name, run=RUN, name="page", file="x", size=1, read_at=minutes[3])
    insert(engine, table, SnapshotRow(project=EN.name, run=RUN, built_at=minutes[4]))
    expected = {"hour": minutes[1], "answer": minutes[2], "table": minutes[3], "index": minutes[4]}
    assert read_figures(engine).last_done == expected


def test_the_cost_does_not_grow_with_days(engine):
    """The same few questions are asked of one day as of many, and none of them reads a block or a document."""
    asked: list[list[str]] = []
    for number in (1, 9):
        days = [DAY + dt.timedelta(days=day) for day in range(number)]
        want(engine, *map(Period, days), projects=(EN, DE))
        ask(engine, *(hour for day in days for hour in hours_of(day)), projects=(EN, DE))
        asked.append([])
        listen = lambda _c, _u, statement, *_: asked[-1].append(statement)  # noqa: E731
        event.listen(engine, "before_cursor_execute", listen)
        read_figures(engine)
        event.remove(engine, "before_cursor_execute", listen)
    assert asked[0] == asked[1]
    assert len(asked[0]) < 20
    bulky = {"hour_tally", "day_tally", "snapshot_block"}
    assert bulky <= set(SQLModel.metadata.tables)
    assert not [statement for statement in asked[0] if any(name in statement for name in bulky)]
    columns = [statement.partition("FROM")[0] for statement in asked[0]]
    assert not [part for part in columns if "document" in part or "figures" in part or ".siteinfo" in part]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_database_that_does_not_answer_in_time(database_url, monkeypatch):
    """Behind a table's lock the figures are given up after the time that a statement may take, and can be had later."""
    monkeypatch.setattr("worker.store.figures._STATEMENT_MS", 50)
    engine = open_hastily(database_url)
    try:
        with engine.connect() as other:
            other.execute(text("LOCK TABLE hour IN ACCESS EXCLUSIVE MODE"))
            with pytest.raises(DatabaseUnreachable, match="statement timeout"):
                read_figures(engine)
        assert read_figures(engine).counted == FileTotals(0, 0, 0)
    finally:
        engine.dispose()


def test_a_database_without_its_tables(database_url):
    """Where the tables were taken away the database counts as one that does not answer, and says why."""
    engine = open_hastily(database_url)
    try:
        with writing(engine) as session:
            session.execute(text("ALTER TABLE answer RENAME TO elsewhere"))
        with pytest.raises(DatabaseUnreachable, match="answer"):
            read_figures(engine)
    finally:
        engine.dispose()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_what_the_url_says_stays(database_url):
    """Times that are set in the database's URL are not overruled."""
    engine = open_hastily(f"{database_url}?connect_timeout=77")
    try:
        assert engine.url.query["connect_timeout"] == "77"
        assert engine.url.query["tcp_user_timeout"] == "5000"
    finally:
        engine.dispose()
