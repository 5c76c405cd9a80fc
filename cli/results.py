"""``wikiq results``."""

from __future__ import annotations

import datetime as dt
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from cli.exits import ExitCode
from cli.options import First, Last, LogTitles, Start, Week, Yesterday, span_of, universe_of
from cli.output import write
from cli.render import Format, Report, render
from cli.report import report_of, without_categories
from models.answer import STORED_DEPTH, Verdict
from models.project import DEFAULT_PROJECT, parse_project

DEFAULT_TOP = 5


def results(
    first: First = None,
    last: Last = None,
    week: Week = False,
    start: Start = None,
    yesterday: Yesterday = False,
    project: Annotated[
        str, typer.Option("--project", "-p", metavar="PROJECT", help="A wiki, like de.wikipedia.")
    ] = DEFAULT_PROJECT,
    form: Annotated[Format, typer.Option("--format", "-f", help="How to write the answers.")] = Format.TABLE,
    top: Annotated[
        int, typer.Option("--top", min=1, max=STORED_DEPTH, help="How many rows of each list.")
    ] = DEFAULT_TOP,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file to write to; - is stdout.", show_default=False)
    ] = None,
    category: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Only this category: its views and its articles.", show_default=False),
    ] = None,
    exclude_category: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Leave it out of the top categories; repeatable.", show_default=False),
    ] = None,
    log_titles: LogTitles = False,
) -> None:
    """Print the answers of some days, from the database alone.

    Exit code 0: every hour of every day was counted. 3: answered, but hours are missing; the answer names them.

    \b
      wikiq results 2024-01-03
      wikiq results 2024-01-03 2024-01-05 --format csv > answers.csv
      wikiq results --week --start 2024-01-01
      wikiq results 2024-01-03 --format json --top 20 | jq '.most_requested[].title'
      wikiq results 2024-01-03 --category "Physics"
      wikiq results 2024-01-03 --exclude-category Living_people
    """
    from models.errors import UsageError
    from worker.settings import read_settings

    if (category or exclude_category) and log_titles:
        raise UsageError("Logged titles have no categories; leave out --log-titles.")
    if category and exclude_category:
        raise UsageError("--category shows one category; there is nothing to exclude from it.")
    span = span_of(first, last, week=week, start=start, yesterday=yesterday, now=dt.datetime.now(dt.UTC))
    wiki = parse_project(project)
    if category:
        from cli.category import show_category

        raise typer.Exit(show_category(wiki, span, category, partial(write, output=output), form, top))
    url, universe = read_settings().database_url, universe_of(log_titles=log_titles)
    report = report_of(url, wiki, span, universe, depth=top)
    write_report(without_categories(report, exclude_category or ()), form, top, output)
    complete = all(answer.verdict is Verdict.COMPLETE for answer in report.in_order)
    raise typer.Exit(ExitCode.DONE if complete else ExitCode.INCOMPLETE)


def write_report(report: Report, form: Format, top: int, output: Path | None) -> None:
    """Write answers to a file, or to stdout as suits what it is."""
    write(partial(render, report, form, top=top), output)
