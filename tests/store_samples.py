"""What the tests of the store put into a database: hours, their facts and tallies, and answers of every shape."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from hypothesis import strategies as st
from sqlalchemy import Engine, MetaData, inspect, select
from sqlmodel import SQLModel
from strategies import frame, plain

from cli.demosite.content import DemoSite
from models.answer import (
    Answer,
    Excluded,
    Flag,
    LeastArticle,
    LeastRequested,
    Period,
    RankedArticle,
    RankedCategory,
    Rule,
    Universe,
)
from models.hour import Hour, hours_of, week_from
from models.project import Project, parse_project
from models.tables import HourRow, HourState
from worker.context import Context
from worker.store import days, ledger, tallies
from worker.store.database import open_database, reading, writing

EN, DE = parse_project("en.wikipedia"), parse_project("de.wikipedia")
DAY = dt.date(2024, 1, 3)
HOURS = hours_of(DAY)
NOW = dt.datetime(2024, 1, 5, 12, tzinfo=dt.UTC)
LOGGED = Universe.LOGGED_TITLES
SOURCE = "https://dumps.example.org"

# What models.title.title_text gives: any text without NUL and lone surrogates.
TEXTS = st.one_of(
    st.sampled_from(["", "-", "'; DROP TABLE hour; --", '"', "\\", "%", "_", "\x85", "\u2028", "\ufeff", "\U0010ffff"]),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12),
)
VIEWS = st.one_of(st.integers(0, 9), st.sampled_from([2**31, 2**32, 2**63 - 1]))
DATES = st.dates(dt.date(2015, 5, 1), dt.date(2099, 12, 31))


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    """The database at the URL, opened as wikiq does, and closed at the end."""
    engine = open_database(url)
    try:
        yield engine
    finally:
        engine.dispose()


def facts(**changes: object) -> tallies.FileFacts:
    """The facts of some file, with these changes."""
    values = {"url": f"{SOURCE}/x.gz", "size": 1000, "etag": '"e"', "last_modified": None, "sha256": "a" * 64}
    return tallies.FileFacts(**{**values, "lines": 10, "malformed": 0, **changes})


def count(
    engine: Engine,
    hour: Hour,
    views: Mapping[bytes, tuple[int, int]],
    *,
    project: Project = EN,
    now: dt.datetime = NOW,
    **changes: object,
) -> None:
    """Record an hour as counted, in a transaction of its own."""
    tally = tallies.pack(frame(views))
    with writing(engine) as session:
        tallies.record_counted(session, project, hour, facts(**changes), tally, now=now, version="test")


def ask(engine: Engine, *hours: Hour, projects: tuple[Project, ...] = (EN,), recount: bool = False) -> None:
    """Ask for hours, with ``recount`` also for those that are counted."""
    with writing(engine) as session:
        ledger.request_hours(session, projects, hours, recount=recount)


def fail(engine: Engine, hour: Hour, state: HourState, reason: str = "why", **more: object) -> None:
    """Note a trouble of an hour, in a transaction of its own."""
    values = {"project": EN, "url": f"{SOURCE}/{hour.path}", "now": NOW, **more}
    project = values.pop("project")
    with writing(engine) as session:
        ledger.record_trouble(session, project, hour, state, reason, **values)


def hour_row(engine: Engine, hour: Hour, project: Project = EN) -> HourRow | None:
    """The hour's line of the ledger."""
    with reading(engine) as session:
        row = session.get(HourRow, (project.name, hour.day, hour.hour))
        session.expunge_all()
        return row


def in_utc(moment: dt.datetime) -> dt.datetime:
    """A stored moment with its zone, which SQLite does not keep."""
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)


def contents(engine: Engine) -> dict[str, tuple[list[str], list[tuple[object, ...]]]]:
    """Everything in the database: each table's columns and rows."""
    metadata = MetaData()
    with engine.connect() as connection:
        metadata.reflect(connection)
        return {
            name: (
                [column["name"] for column in inspect(connection).get_columns(name)],
                sorted((tuple(row) for row in connection.execute(select(table))), key=repr),
            )
            for name, table in metadata.tables.items()
        }


def hour_truth(demo: DemoSite, hour: Hour, project: Project = EN) -> dict[bytes, tuple[int, int]]:
    """What the demo site's file of that hour says of a project: views per title, desktop and mobile."""
    views: dict[bytes, list[int]] = {}
    for code, title, number in demo.hours[hour]:
        if code in (*project.desktop_codes, *project.mobile_codes):
            views.setdefault(title, [0, 0])[code in project.mobile_codes] += number
    return {title: (desktop, mobile) for title, (desktop, mobile) in views.items()}


def stored_tally(engine: Engine, hour: Hour, project: Project = EN) -> dict[bytes, tuple[int, int]] | None:
    """The hour's tally in the database, None where there is none."""
    with reading(engine) as session:
        row = session.get(HourRow, (project.name, hour.day, hour.hour))
        if row is None or row.state != HourState.COUNTED:
            return None
        [(_, tally)] = days.hour_tallies(session, project, [hour])
        return plain(tally)


def leftovers(context: Context) -> list[str]:
    """The files that counting has left behind, apart from its locks, which stay."""
    found = [path for path in context.settings.data_dir.rglob("*") if path.is_file()]
    return [path.name for path in found if path.suffix != ".lock" and not path.name.startswith("wikiq.sqlite")]


def siteinfo_document(*namespaces: str) -> bytes:
    """A small wiki's siteinfo, with these namespaces beside the articles' own."""
    spaces = [{"id": number, "*": name} for number, name in enumerate(("", *namespaces))]
    query = {
        "general": {"mainpage": "Main Page", "case": "first-letter"},
        "namespaces": {str(space["id"]): space for space in spaces},
        "namespacealiases": [],
    }
    return json.dumps({"query": query}).encode()


def own_tables() -> set[str]:
    return set(SQLModel.metadata.tables)


@contextmanager
def process(code: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A process that runs this code and has said that it is ready to go on when it is sent a line."""
    pipe = subprocess.PIPE
    started = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True
    )
    with started:
        assert started.stdout is not None
        first = started.stdout.readline()
        assert first == "ready\n", first + started.stdout.read()
        yield started


def periods() -> st.SearchStrategy[Period]:
    return st.builds(Period, DATES, st.sampled_from([1, 7]))


@st.composite
def answers(draw: st.DrawFn, period: Period) -> Answer:
    """Any answer of en.wikipedia that ranking could return, and many that it would not."""
    snapshot = draw(st.none() | DATES)
    days = week_from(period.first)[: period.days]
    hours = [hour for day in days for hour in hours_of(day)]
    missing = draw(st.one_of(st.just([]), st.just(hours), st.lists(st.sampled_from(hours), unique=True, max_size=4)))
    return Answer(
        project=EN.name,
        period=period,
        universe=LOGGED if snapshot is None else Universe.ARTICLES,
        missing_hours=tuple(sorted(missing)),
        snapshot=snapshot,
        namespaces=draw(st.sampled_from(["canonical", "2024-01-01"])),
        project_views=draw(VIEWS),
        article_views=draw(VIEWS),
        excluded=tuple(Excluded(rule, draw(VIEWS), draw(VIEWS)) for rule in Rule if draw(st.booleans())),
        malformed_lines=draw(VIEWS),
        articles_requested=draw(VIEWS),
        most_requested=_numbered(draw(st.lists(_ranked(len(hours)), max_size=3))),
        least_requested=draw(st.none() | _least()),
        top_categories=draw(st.none() | st.lists(_category(), max_size=3).map(_numbered)),
        computed_at=NOW + draw(st.timedeltas(dt.timedelta(days=-999), dt.timedelta(days=999))),
        wikiq=draw(st.sampled_from(["0.1.0", "1.2.3+dirty"])),
    )


def _numbered(builders: list) -> tuple:
    return tuple(build(rank) for rank, build in enumerate(builders, start=1))


def _ranked(hours: int) -> st.SearchStrategy:
    hourly = st.lists(VIEWS, min_size=2, max_size=2).map(lambda some: tuple(some * (hours // 2)))
    row = st.tuples(TEXTS, VIEWS, VIEWS, VIEWS, VIEWS, hourly, st.none() | st.sampled_from(Flag))
    return row.map(lambda values: lambda rank: RankedArticle(rank, *values))


def _category() -> st.SearchStrategy:
    return st.tuples(TEXTS, VIEWS, VIEWS).map(lambda values: lambda rank: RankedCategory(rank, *values))


def _least() -> st.SearchStrategy[LeastRequested]:
    articles = st.lists(st.builds(LeastArticle, TEXTS, VIEWS, VIEWS, VIEWS, VIEWS), max_size=3).map(tuple)
    return st.builds(LeastRequested, VIEWS, VIEWS, st.none() | VIEWS, articles)
