"""``wikiq results``: what it prints, in which form, with which exit code."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest
from cli_process import environment, wikiq
from demo_truth import told, truth
from rich.cells import cell_len
from sqlalchemy import Engine

from cli.demosite.files import MALFORMED_LINES, malformed_hour
from cli.options import Span
from cli.render import Format
from cli.report import load_report
from cli.results import write_report
from models.answer import Period, Universe
from models.errors import AnswerUnavailable
from models.hour import hours_of
from models.project import parse_project
from worker.answering import rank_period
from worker.context import Context
from worker.patience import Retries
from worker.settings import Settings
from worker.store.database import open_database, writing
from worker.store.siteinfo import save_siteinfo
from worker.store.tallies import FileFacts, pack, record_counted
from worker.tally import SCHEMA

EN = parse_project("en.wikipedia")
NOW = dt.datetime(2024, 1, 9, tzinfo=dt.UTC)

WIDTH = 80
WEEK_KEYS = [
    "schema",
    "project",
    "week",
    "verdict",
    "missing_hours",
    "universe",
    "snapshot",
    "views",
    "articles_requested",
    "most_requested",
    "least_requested",
    "top_categories",
    "computed_at",
    "wikiq",
    "namespaces",
    "snapshot_days_off",
    "days",
]


class Counted(NamedTuple):
    """Where the answers are: for the program, and for its functions without the start of a process."""

    environment: dict[str, str]
    engine: Engine


@pytest.fixture(scope="module")
def counted(tmp_path_factory, demo):
    """An environment in which the demo site's week is counted and ranked, put into the database without any HTTP."""
    directory = tmp_path_factory.mktemp("counted")
    engine = open_database(f"sqlite:///{directory / 'data' / 'wikiq.sqlite'}")
    settings = Settings(directory, "", None, ("http://127.0.0.1:9",), None)
    for day in demo.days:
        for hour in hours_of(day):
            put(engine, demo, hour)
    with writing(engine) as session:
        save_siteinfo(session, EN, demo.run, siteinfo(demo), now=NOW)
    for period in (*map(Period, demo.days), Period(demo.first_day, 7)):
        rank_period(Context(settings, engine, Retries()), EN, period, Universe.LOGGED_TITLES)
    yield Counted(environment(directory), engine)
    engine.dispose()


def put(engine, demo, hour):
    tally = truth(demo.first_day).tally(hour)
    rows = [(title, *views) for title, views in sorted(tally.items())]
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    malformed = MALFORMED_LINES if hour == malformed_hour(demo) else 0
    facts = FileFacts("http://127.0.0.1/x.gz", 7, None, None, str(hour), len(rows), malformed)
    with writing(engine) as session:
        record_counted(session, EN, hour, facts, pack(frame), now=NOW, version="0")


def siteinfo(demo):
    info = demo.wikis[0].siteinfo
    spaces = {
        str(space.id): {"id": space.id, "*": space.name, "canonical": space.canonical} for space in info.namespaces
    }
    aliases = [{"id": number, "*": alias} for number, alias in info.aliases]
    general = {"mainpage": info.main_page, "case": info.case}
    return json.dumps({"query": {"general": general, "namespaces": spaces, "namespacealiases": aliases}}).encode()


def printed(counted, *arguments):
    """What the program prints of logged titles; nothing else may be said and the answer must be complete."""
    done = wikiq(counted.environment, "results", "--log-titles", *arguments)
    assert (done.code, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture
def written(counted, capfdbinary):
    """What is written to stdout for some days, or for a week, in a format."""

    def write(*days, form=Format.JSON, top=5, week=False):
        write_report(load_report(counted.engine, EN, Span(days, week=week), Universe.LOGGED_TITLES), form, top, None)
        return capfdbinary.readouterr().out.decode()

    return write


def test_a_table(counted, demo):
    """Without a terminal a table is 80 columns wide at most, has no control characters, and as many rows as asked."""
    table = printed(counted, str(demo.first_day), "--top", "20")
    assert max(map(cell_len, table.splitlines())) <= WIDTH
    assert not [character for character in table if ord(character) < 32 and character != "\n"]
    listed = truth(demo.first_day).day(demo.first_day, top=21)["most_requested"]
    shown = [bool(re.search(rf"\s{re.escape(row['title'])}\s.*\s{row['views']:,}\s", table)) for row in listed]
    assert shown == [True] * 20 + [False]
    assert str(demo.first_day) in table
    assert "complete" in table


def test_a_day_as_json(counted, demo):
    """A day is one object with the promised keys, equal to the oracle's, whatever broker and source are set."""
    lost = counted.environment | {"WIKIQ_BROKER_URL": "redis://127.0.0.1:9/0", "WIKIQ_SOURCE": "http://127.0.0.1:9"}
    found = printed(counted._replace(environment=lost), str(demo.days[2]), "--format", "json")
    expected = [key if key != "week" else "day" for key in WEEK_KEYS if key != "days"]
    assert list(json.loads(found)) == expected
    assert told(found) == truth(demo.first_day).day(demo.days[2])
    computed = dt.datetime.fromisoformat(json.loads(found)["computed_at"])
    assert dt.timedelta() <= dt.datetime.now(dt.UTC) - computed < dt.timedelta(hours=1)


def test_several_days_as_json(written, demo):
    """Several days are a list of objects, one per day, in order."""
    found = json.loads(written(*demo.days[1:4]))
    expected = [truth(demo.first_day).day(day) for day in demo.days[1:4]]
    assert [told(json.dumps(document)) for document in found] == expected


def test_a_week_as_json(counted, demo):
    """A week is one object, with its first day under ``week`` and its seven days under ``days``."""
    found = printed(counted, "--week", "--start", str(demo.first_day), "--format", "json", "--top", "20")
    assert list(json.loads(found)) == WEEK_KEYS
    assert told(found) == truth(demo.first_day).week(top=20)


def test_as_many_as_asked_for(written, demo):
    """``--top`` says how many rows of each list there are, up to the thousand that are stored."""
    expected = truth(demo.first_day).day(demo.first_day, top=1000)
    assert told(written(demo.first_day, top=1000)) == expected
    assert len(expected["most_requested"]) == 1000


def test_csv(written, demo):
    """CSV has a header and rows of one length for ``csv.reader``, and holds each title of the JSON."""
    text = written(*demo.days[:2], form=Format.CSV, top=20)
    header, *rows = csv.reader(io.StringIO(text, newline=""))
    assert {len(row) for row in rows} == {len(header)}
    cells = {cell for row in rows for cell in row}
    for day in demo.days[:2]:
        expected = truth(demo.first_day).day(day, top=20)
        listed = [*expected["most_requested"], *expected["least_requested"]["articles"]]
        assert {row["title"] for row in listed} <= cells
        assert day.isoformat() in cells


def test_a_day_nobody_asked_for(counted, demo):
    """A day that was not asked for ends with exit code 1 and a sentence whose commands are real."""
    day = demo.first_day - dt.timedelta(days=1)
    done = wikiq(counted.environment, "results", str(day), "-p", "de.wikipedia", "--log-titles")
    assert (done.code, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert str(day) in done.stderr
    program, *hint = shlex.split(done.stderr.rpartition("Ask for it with: ")[2])
    assert (program, hint) == ("wikiq", ["enqueue", str(day), "-p", "de.wikipedia", "--log-titles"])


def test_a_span_with_a_gap(counted, demo):
    """Of several days the ones without an answer are named, and no half of an answer is given."""
    last, after = demo.days[-1], demo.days[-1] + dt.timedelta(days=1)
    with pytest.raises(AnswerUnavailable) as caught:
        load_report(counted.engine, EN, Span((last, after), week=False), Universe.LOGGED_TITLES)
    named = str(caught.value).partition(". ")[0]
    assert str(after) in named
    assert str(last) not in named


def test_a_week_that_was_not_asked_for(counted, demo):
    """Seven answered days are no answered week; the sentence names the week."""
    second = demo.days[1]
    done = wikiq(counted.environment, "results", "--week", "--start", str(second), "--log-titles")
    assert (done.code, done.stdout) == (1, "")
    assert f"wikiq enqueue --week --start {second}" in done.stderr


def test_a_pipe_that_closes(counted, demo):
    """``| head -1`` gets its line, also of more than a pipe holds, and nobody sees a traceback."""
    command = f"wikiq results {demo.first_day} --log-titles --format json --top 1000 | head -1"
    done = subprocess.run(
        ["sh", "-c", command], env=counted.environment, capture_output=True, text=True, timeout=60, check=True
    )
    assert (done.stdout, done.stderr) == ("{\n", "")


def test_into_a_file(counted, written, demo, tmp_path, capfdbinary):
    """A file gets what would be printed, and ``-`` is stdout."""
    shown = written(demo.first_day).encode()
    report = load_report(counted.engine, EN, Span((demo.first_day,), week=False), Universe.LOGGED_TITLES)
    write_report(report, Format.JSON, 5, tmp_path / "day.json")
    assert capfdbinary.readouterr() == (b"", b"")
    assert (tmp_path / "day.json").read_bytes() == shown
    write_report(report, Format.JSON, 5, Path("-"))
    assert capfdbinary.readouterr() == (shown, b"")


def test_into_a_file_that_cannot_be(counted, demo, tmp_path):
    """A file that cannot be written ends with exit code 1 and a sentence that names it."""
    path = tmp_path / "there" / "is" / "none.csv"
    done = wikiq(
        counted.environment, "results", str(demo.first_day), "--log-titles", "--format", "csv", "-o", str(path)
    )
    assert (done.code, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    assert str(path) in done.stderr


def test_titles_in_any_locale(counted, written, demo):
    """A document is the same bytes in every locale."""
    plain = written(demo.first_day, form=Format.CSV, top=1000)
    assert not plain.isascii()
    locale = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    odd = counted._replace(environment=counted.environment | locale)
    assert printed(odd, str(demo.first_day), "--format", "csv", "--top", "1000") == plain
