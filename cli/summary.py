"""What is said on stderr before and after the work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cli.render.safe import visible
from models.answer import Verdict

if TYPE_CHECKING:
    from worker.context import Context
    from worker.enqueue import Work
    from worker.order import Order, Scope
    from worker.progress import Standing

TROUBLES_SHOWN = 5


def announce(order: Order | None, days: str, work: Work, *, here: bool) -> None:
    """Say what will be done, and where."""
    projects = ", ".join(str(project) for project in order.projects) if order else "everything asked for"
    _say(f"{projects}, {days}: {_amount(work)}.")
    if here and (work.days or work.weeks or work.wikis):
        _say("WIKIQ_BROKER_URL is not set: working in this process. Interrupt at will; wikiq resume goes on.")


def conclude(context: Context, scope: Scope, *, followed: bool, quiet: bool) -> None:
    """Say how the work ended, or where to look for it."""
    if followed:
        summarise(context, scope, quiet=quiet)
    elif not quiet:
        _say("Enqueued. Workers: wikiq worker · progress: wikiq status · answers: wikiq results DAY")


def _amount(work: Work) -> str:
    wikis = ", ".join(wiki.project.name for wiki in work.wikis)
    index = f"; the dumps of {wikis} to look at" if wikis else ""
    if work.hours:
        return f"{work.hours} hour files to count{index}"
    if index:
        return f"every hour is counted{index}"
    if work.days or work.weeks:
        return "every hour is counted, some rankings are out of date"
    return "everything is counted and ranked already"


def summarise(context: Context, scope: Scope, *, quiet: bool) -> None:
    """Say which days are complete, and what kept the others from being so."""
    from worker.progress import standings

    found = standings(context, scope)
    incomplete = [standing for standing in found if standing.verdict is Verdict.INCOMPLETE]
    for standing in incomplete:
        _say(f"{standing.project} {standing.day} is incomplete, {standing.counted} of 24 hours are counted:")
        for line in trouble_lines(standing):
            _say(f"  {line}")
    for standing in found:
        if wait := index_line(standing):
            _say(f"{standing.project} {standing.day} {wait}")
    if not quiet:
        _say(f"{len(found) - len(incomplete)} of {len(found)} days are complete. Answers: wikiq results DAY")


def trouble_lines(standing: Standing) -> list[str]:
    """What became of the hours that could not be counted; hours with one and the same reason on one line."""
    hours: dict[tuple[str, str], list[str]] = {}
    for trouble in standing.troubles:
        hours.setdefault((trouble.state, trouble.reason), []).append(f"{trouble.hour.hour:02d}:00")
    lines = [f"{', '.join(names)} {state}: {visible(reason)}" for (state, reason), names in hours.items()]
    more = len(lines) - TROUBLES_SHOWN
    return [*lines[:TROUBLES_SHOWN], *([f"and {more} more reasons; wikiq status --json has them"] if more > 0 else [])]


def index_line(standing: Standing) -> str | None:
    """What a day that cannot be ranked by articles waits for, and what to do about it."""
    if standing.waits_for is None:
        return None
    state, reason = standing.waits_for
    index = f"the index of {standing.wanted_snapshot}" if standing.wanted_snapshot else "the wiki's index"
    if not state.is_trouble:
        return f"waits for {index}"
    why = visible(reason) if reason else state
    others = "; choose another run: wikiq wiki refresh" if standing.wanted_snapshot else ""
    again = f"Try again: wikiq resume{others}; or rank by titles: --log-titles"
    return f"waits for {index}, which is {state}: {why} {again}"


def _say(text: str) -> None:
    typer.echo(text, err=True)
