"""``wikiq results``."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from cli.exits import ExitCode
from cli.options import First, Last, LogTitles, Span, Start, Week, Yesterday, span_of, universe_of
from cli.render import Format, Report, render
from models.answer import STORED_DEPTH, Period, Universe, Verdict
from models.errors import AnswerUnavailable, OutputUnwritable
from models.hour import DAYS_IN_WEEK
from models.project import DEFAULT_PROJECT, Project, parse_project

if TYPE_CHECKING:
    from sqlalchemy import Engine

DEFAULT_TOP = 5
WIDTH_WITHOUT_TERMINAL = 80


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
    log_titles: LogTitles = False,
) -> None:
    """Print the answers of some days, from the database alone.

    Exit code 0: every hour of every day was counted. 3: answered, but hours are missing; the answer names them.

    \b
      wikiq results 2024-01-03
      wikiq results 2024-01-03 2024-01-05 --format csv > answers.csv
      wikiq results --week --start 2024-01-01
      wikiq results 2024-01-03 --format json --top 20 | jq '.most_requested[].title'
    """
    from worker.settings import read_settings
    from worker.store.database import open_database

    span = span_of(first, last, week=week, start=start, yesterday=yesterday, now=dt.datetime.now(dt.UTC))
    wiki = parse_project(project)
    report = load_report(open_database(read_settings().database_url), wiki, span, universe_of(log_titles=log_titles))
    write_report(report, form, top, output)
    raise typer.Exit(_exit_code(report))


def load_report(engine: Engine, project: Project, span: Span, universe: Universe) -> Report:
    """The stored answers of these days, and of the week if it was asked for.

    Raises:
        AnswerUnavailable: one of them is not there; the message says how to get it.
    """
    from worker.store.answers import load_answer
    from worker.store.database import reading

    with reading(engine) as session:
        days = [load_answer(session, project, period, universe) for period in span.periods]
        whole = Period(span.days[0], DAYS_IN_WEEK)
        week = load_answer(session, project, whole, universe) if span.week else None
    lacking = [str(day) for day, answer in zip(span.days, days, strict=True) if answer is None]
    if lacking or (span.week and week is None):
        raise AnswerUnavailable(_unavailable(project, span, lacking))
    return Report(tuple(answer for answer in days if answer is not None), week)


def _unavailable(project: Project, span: Span, lacking: list[str]) -> str:
    option = "" if project.name == DEFAULT_PROJECT else f" -p {project}"
    days = f"{span.days[0]} {span.days[-1]}" if len(span.days) > 1 else str(span.days[0])
    ask = f"--week --start {span.days[0]}" if span.week else days
    what = ", ".join(lacking) if lacking else f"the week from {span.days[0]} as a whole"
    return (
        f"There is no answer yet for {project}, {what}. "
        f"See how far it is with: wikiq status. Ask for it with: wikiq enqueue {ask}{option}"
    )


def write_report(report: Report, form: Format, top: int, output: Path | None) -> None:
    """Write answers to a file, or to stdout as suits what it is."""
    if output is not None and str(output) != "-":
        text = render(report, form, top=top, width=WIDTH_WITHOUT_TERMINAL)
        try:
            output.write_text(text, encoding="utf-8", newline="")
        except OSError as error:
            raise OutputUnwritable(f"{output} cannot be written ({error.strerror}).") from error
        return
    console = Console()
    terminal = console.is_terminal
    text = render(
        report,
        form,
        top=top,
        width=console.width if terminal else WIDTH_WITHOUT_TERMINAL,
        colour=terminal and console.color_system is not None and not console.no_color,
        terminal=terminal,
    )
    # Bytes, because a terminal's encoding or line ends must not change a document.
    sys.stdout.buffer.write(text.encode())
    sys.stdout.flush()


def _exit_code(report: Report) -> ExitCode:
    complete = all(answer.verdict is Verdict.COMPLETE for answer in report.in_order)
    return ExitCode.DONE if complete else ExitCode.INCOMPLETE
