"""A plan as text and as JSON."""

from __future__ import annotations

import datetime as dt
import json
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from render_samples import any_text
from strategies import LAW

from cli.render.plan import hours_in_words, render_plan, render_plan_json, size_in_words, time_in_words
from cli.render.safe import cell_width
from models.dump_run import DumpState
from models.hour import Hour, hours_of
from models.project import parse_project
from worker.hour_listing import ListedFile
from worker.needs import Density, Need, Pace, tallies
from worker.plan import Look, Plan, PlannedFile, PlannedIndex, SourceLook, plan_hours

EN = parse_project("en.wikipedia")
JOINERS = "\u200c\u200d"
DAY = dt.date(2024, 1, 3)
HOURS = hours_of(DAY)
LATER = dt.datetime(2024, 1, 5, tzinfo=dt.UTC)
LISTED = {hour: ListedFile(60_000_000, exact=True) for hour in HOURS[:20]}
SAMPLE = Plan(
    projects=(EN,),
    days=(DAY,),
    hours=plan_hours(HOURS, HOURS[4:], LISTED, {HOURS[4]: 1_000_000}, LATER),
    indexes=(
        PlannedIndex(EN, DAY, DumpState.WAITING, (PlannedFile("enwiki-20240103-page.sql.gz", 2_400_000_000),)),
        PlannedIndex(EN, DAY, DumpState.MISSING, reason="why"),
    ),
    sources=(SourceLook("https://a.example", "a", Look.ANSWERED),),
    dump_source="a",
    cores=2,
    pace=Pace(),
    tallies=(tallies(EN, [60_000_000] * 16, Density()),),
    needs=(Need("downloads", "/data/downloads", 300_000_000, 10**9, 1), Need("database", "/data/w", 10**9, 10**9, 1)),
)


def hidden(text):
    """The characters of a text that show nothing by their Unicode category, joiners aside."""
    return {c for c in text if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}} - set(JOINERS)


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0.0 kB"),
        (999, "1.0 kB"),
        (57_600_000, "57.6 MB"),
        (9_700_000_000, "9.7 GB"),
        (1_234_500_000_000, "1,234.5 GB"),
    ],
)
def test_sizes(size, words):
    """Bytes are told in powers of a thousand, with one decimal."""
    assert size_in_words(size) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "< 1 s"), (40, "40 s"), (89, "89 s"), (91, "2 min"), (615, "10 min"), (7500, "2 h 05 min")],
)
def test_times(seconds, words):
    """Seconds, minutes or hours, whichever a reader would say."""
    assert time_in_words(seconds) == words


def test_hours():
    """Runs of hours are told by their first and last; over midnight with both days; of very many only some."""
    assert hours_in_words(()) == ""
    assert hours_in_words(HOURS[5:6]) == "2024-01-03 05:00"
    assert hours_in_words((*HOURS[1:4], HOURS[9])) == "2024-01-03 01:00 to 03:00, 2024-01-03 09:00"
    night = (HOURS[23], Hour(DAY + dt.timedelta(days=1), 0))
    assert hours_in_words(night) == "2024-01-03 23:00 to 2024-01-04 00:00"
    assert hours_in_words(HOURS[::2]).count("2024") == 4
    assert hours_in_words(HOURS[::2]).endswith("06:00, …")


def test_the_table():
    """Every figure has its line: what is wanted, counted, missing; bytes, minutes, room."""
    lines = [line.split("  ") for line in render_plan(SAMPLE, 120).splitlines()]
    told = {parts[0]: [part.strip() for part in parts[1:] if part] for parts in lines if parts[0]}
    assert told["wanted"] == ["24"]
    assert told["counted already"] == ["4"]
    assert told["to fetch"] == ["16", "960.0 MB, 1.0 MB of them here already"]
    assert told["missing at the source"] == ["4", "2024-01-03 20:00 to 23:00"]
    assert told["at the source"] == ["20", "of all that are wanted"]
    assert told["en.wikipedia 2024-01-03"] == ["0", "missing: why"]
    assert told["fetching"][1] == "3.4 GB by 3 connections of 5 MiB/s"
    assert told["expected"][1] == "the sources' connections are the limit"
    assert told["database"] == ["1.0 GB", "1.0 GB free, /data/w"]


@LAW
@given(st.integers(1, 200), any_text)
def test_no_line_is_too_wide(width, text):
    """However long a reason or a path is, and whatever is in it, no line takes more than the terminal has."""
    index = replace(SAMPLE.indexes[1], reason=text)
    hostile = replace(SAMPLE, indexes=(index,), needs=(Need("downloads", f"/{text}", 1, 1, 1),))
    drawn = render_plan(hostile, width)
    assert all(cell_width(line) <= max(width, 40) for line in drawn.split("\n"))
    assert hidden(drawn) <= {"\n"}


@LAW
@given(any_text)
def test_json_holds_the_values(text):
    """The object is the plan's, whatever is in its texts; nothing of them is raw that could move a terminal."""
    hostile = replace(SAMPLE, indexes=(replace(SAMPLE.indexes[1], reason=text),))
    written = render_plan_json(hostile)
    found = json.loads(written)
    assert found["indexes"][0]["reason"] == "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)
    assert found["bytes"] == {
        "to_fetch": 959_000_000,
        "hour_files": 959_000_000,
        "dumps": 0,
        "here": 1_000_000,
        "exact": True,
    }
    assert hidden(written) <= {"\n"}


def test_a_source_that_was_not_asked():
    """Where nothing is to be fetched that is said, and nothing is said to be missing or limited."""
    nothing = replace(SAMPLE, hours=plan_hours(HOURS, (), None, {}, LATER), indexes=(), tallies=(), needs=())
    drawn = render_plan(nothing, 80)
    assert "nothing is to be fetched" in drawn
    assert "at the source  " not in drawn.replace("missing at the source", "")
    assert json.loads(render_plan_json(nothing))["hours"]["at_source"] is None
