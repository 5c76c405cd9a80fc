"""``wikiq plan``."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.exits import ExitCode
from cli.options import (
    First,
    Last,
    LogTitles,
    Projects,
    Quiet,
    Snapshot,
    Source,
    Start,
    Week,
    Yesterday,
    in_words,
    projects_of,
    source_of,
    span_of,
    universe_of,
)
from cli.render.safe import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from worker.needs import Need
    from worker.plan import Plan, SourceLook


class PlanFormat(StrEnum):
    """How a plan is written."""

    TABLE = "table"
    JSON = "json"


def plan(
    first: First = None,
    last: Last = None,
    week: Week = False,
    start: Start = None,
    yesterday: Yesterday = False,
    project: Projects = None,
    source: Source = None,
    force: Annotated[
        bool, typer.Option("--force", help="As if what is counted already were to be counted anew.")
    ] = False,
    log_titles: LogTitles = False,
    snapshot: Snapshot = None,
    form: Annotated[PlanFormat, typer.Option("--format", "-f", help="How to write the plan.")] = PlanFormat.TABLE,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file to write to; - is stdout.", show_default=False)
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Say what wikiq enqueue would fetch and take, before anything is fetched.

    How many hour files, how many bytes, how many minutes, how much space. The source is asked for its listings only,
    within its limits; nothing is ordered, and no database is made.

    Exit code 0: all of it can be had and has room. 1: there is not enough room. 3: hours or dumps are not at the source
    (yet). 4: the source could not be asked; what is known without it is printed.

    \b
      wikiq plan --week
      wikiq plan 2024-01-03
      wikiq plan --week -p de.wikipedia -p fr.wikipedia
      wikiq plan --yesterday --log-titles           without the wiki's dumps
      wikiq plan --week --format json | jq .seconds.expected
    """
    from cli.output import write
    from models.dump_run import parse_run
    from models.errors import UsageError
    from models.hour import published
    from worker.context import utc_now
    from worker.order import Order
    from worker.planning import make_plan
    from worker.settings import read_settings

    now = utc_now()
    span = span_of(first, last, week=week, start=start, yesterday=yesterday, now=now)
    published(span.days, now)
    if snapshot and log_titles:
        raise UsageError("--snapshot says which dumps to rank articles by; --log-titles needs none.")
    order = Order(
        projects=projects_of(project),
        days=span.days,
        universe=universe_of(log_titles=log_titles),
        week=span.week,
        source=source_of(source),
        force=force,
        snapshot=parse_run(snapshot) if snapshot else None,
    )
    settings = read_settings()
    if not quiet:
        _tell(f"Planning {in_words(span)}; nothing is fetched but what the sources list.")
    found = make_plan(settings, order, now=now)
    write(partial(_draw, found, form), output)
    for line in _warnings(found):
        _tell(line)
    raise typer.Exit(_exit_code(found))


def _draw(found: Plan, form: PlanFormat, *, width: int, colour: bool, terminal: bool) -> str:  # noqa: ARG001 both are safe on a terminal
    from cli.render.plan import render_plan, render_plan_json

    return render_plan_json(found) if form is PlanFormat.JSON else render_plan(found, width, colour=colour)


def _exit_code(found: Plan) -> ExitCode:
    """What would keep the order from being complete: the source's trouble first, then room, then what is missing."""
    states = {index.state.value for index in found.indexes} | {source.look.value for source in found.silent}
    if states & {"refused", "unreachable"}:
        return ExitCode.SOURCE
    if "failed" in states or found.shortages:
        return ExitCode.FAILED
    lacking = found.hours.missing or found.hours.not_over or "missing" in states
    return ExitCode.INCOMPLETE if lacking else ExitCode.DONE


def _warnings(found: Plan) -> list[str]:
    """What is in the way, each with what can be done about it."""
    lines = [f"{source.reason} {_advice(found, source)}" for source in found.sources if source.reason]
    told = {source.reason for source in found.sources}
    lines += [
        f"{index.project}: {index.reason}" for index in found.indexes if index.reason and index.reason not in told
    ]
    return [*lines, *(_shortage(needs) for needs in found.shortages)]


def _advice(found: Plan, source: SourceLook) -> str:
    if not found.silent:
        return "Planned with the other sources."
    again = "Try again later, or name" if source.look.value == "unreachable" else "Or name"
    return f"{again} a mirror: --source URL. Until then every hour file is taken to be there, and of the usual size."


def _shortage(needs: Sequence[Need]) -> str:
    from cli.render.plan import size_in_words

    needed, free = sum(need.size for need in needs), min(need.free or 0 for need in needs)
    return (
        f"Too little room: {' and '.join(need.place for need in needs)} may need {size_in_words(needed)}, and "
        f"{size_in_words(free)} are free. Free some, set WIKIQ_DATA_DIR to a larger disk, or ask for fewer days."
    )


def _tell(text: str) -> None:
    typer.echo(visible(text), err=True)
