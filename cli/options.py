"""Options that several commands share, and what they mean together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from models.answer import Period, Universe
from models.errors import UsageError
from models.hour import DAYS_IN_WEEK, days_between, last_complete_day, last_complete_week, parse_day, week_from
from models.project import DEFAULT_PROJECT, Project, parse_project
from worker.source import parse_source, without_credentials

First = Annotated[str | None, typer.Argument(metavar="[DAY]", help="A UTC day, YYYY-MM-DD.", show_default=False)]
Last = Annotated[str | None, typer.Argument(metavar="[LAST_DAY]", help="The last of several days.", show_default=False)]
Week = Annotated[bool, typer.Option("--week", help="Seven days: the last complete ones, or those from --start on.")]
Start = Annotated[str | None, typer.Option("--start", metavar="DAY", help="The week's first day.", show_default=False)]
Yesterday = Annotated[bool, typer.Option("--yesterday", help="The last complete UTC day.")]
Projects = Annotated[
    list[str] | None,
    typer.Option(
        "--project",
        "-p",
        metavar="PROJECT",
        help=f"A wiki, like de.wikipedia or commons.wikimedia; repeatable. Default: {DEFAULT_PROJECT}.",
        show_default=False,
    ),
]
LogTitles = Annotated[
    bool,
    typer.Option(
        "--log-titles",
        help="Rank the titles as they were logged, instead of articles: no redirects, no categories, no dumps needed.",
    ),
]
Snapshot = Annotated[
    str | None,
    typer.Option(
        "--snapshot",
        metavar="DATE",
        help="The dump run to rank articles by. Default: the finished one that is nearest to each day.",
        show_default=False,
    ),
]
Source = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Only this source: the dumps site or a mirror. Default: WIKIQ_SOURCE(S), else https://dumps.wikimedia.org.",
        show_default=False,
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, only warnings and errors.")]

WorkerName = Annotated[
    str | None,
    typer.Option("--name", metavar="NAME", help="The worker's name. Default: the host's.", show_default=False),
]


@dataclass(frozen=True, slots=True)
class Span:
    """The days that were asked for, and whether as a week."""

    days: tuple[dt.date, ...]
    week: bool

    @property
    def periods(self) -> tuple[Period, ...]:
        return tuple(Period(day) for day in self.days)


def span_of(
    first: str | None, last: str | None, *, week: bool, start: str | None, yesterday: bool, now: dt.datetime
) -> Span:
    """The days that the arguments mean together.

    Raises:
        UsageError: they name no days, or days in two ways.
        BadDate: one of them is no day.
    """
    if sum((first is not None, week, yesterday)) != 1:
        raise UsageError("Say which days: one day, two days (first and last), --yesterday, or --week.")
    if last is not None and first is None:
        raise UsageError("A last day needs a first one.")
    if start is not None and not week:
        raise UsageError("--start says where a week begins; it goes with --week.")
    if week:
        return Span(week_from(parse_day(start)) if start is not None else last_complete_week(now), week=True)
    if first is None:
        return Span((last_complete_day(now),), week=False)
    return Span(days_between(parse_day(first), parse_day(first if last is None else last)), week=False)


def projects_of(names: Sequence[str] | None) -> tuple[Project, ...]:
    """The projects, each once, in the order in which they were named.

    Raises:
        UnknownProject: there is no such project.
    """
    return tuple(dict.fromkeys(parse_project(name) for name in names or (DEFAULT_PROJECT,)))


def universe_of(*, log_titles: bool) -> Universe:
    """What is ranked."""
    return Universe.LOGGED_TITLES if log_titles else Universe.ARTICLES


def source_of(text: str | None) -> str | None:
    """The source that was named on the command line.

    Raises:
        UsageError: it is no source, or holds a password.
    """
    source = parse_source(text) if text else None
    if source and source != without_credentials(source):
        raise UsageError("--source is kept and sent along, so it must hold no password; put it into WIKIQ_SOURCE.")
    return source


def in_words(span: Span) -> str:
    """``2024-01-01 to 2024-01-07 (UTC)``."""
    first, last = span.days[0], span.days[-1]
    kind = "the week " if span.week and len(span.days) == DAYS_IN_WEEK else ""
    return f"{kind}{first} to {last} (UTC)" if first != last else f"{first} (UTC)"
