"""``wikiq status``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.exits import ExitCode
from cli.importing import importing
from cli.render.safe import visible
from models.answer import Universe, Verdict

if TYPE_CHECKING:
    from worker.progress import Standing


def status(
    as_json: Annotated[
        bool, typer.Option("--json", help="As JSON, with every hour that could not be counted.")
    ] = False,
) -> None:
    """Show every day that was asked for: how many hours are counted, and what kept the others from it.

    Exit code 0: all of them are complete and ranked. 3: something is missing; wikiq resume completes it.

    \b
      wikiq status
      wikiq status --json | jq '.[] | select(.verdict == "incomplete")'
    """
    with importing():
        from worker.context import open_context
        from worker.progress import progress_of, standings
        from worker.settings import read_settings

    context = open_context(read_settings())
    found, progress = standings(context), progress_of(context)
    context.engine.dispose()
    if as_json:
        typer.echo(json.dumps([_document(standing) for standing in found], indent=2))
    elif not found:
        typer.echo("Nothing was asked for yet. Begin with: wikiq enqueue --yesterday, or try: wikiq demo", err=True)
    else:
        typer.echo("\n".join(_lines(found)))
        if progress.late_weeks:
            typer.echo(f"{progress.late_weeks} weeks are not ranked yet")
    done = progress.done and not progress.late_weeks
    done = done and all(standing.verdict is Verdict.COMPLETE and standing.ranked for standing in found)
    raise typer.Exit(ExitCode.DONE if done else ExitCode.INCOMPLETE)


def _lines(found: tuple[Standing, ...]) -> list[str]:
    from cli.summary import index_line, trouble_lines

    width = max(len(standing.project.name) for standing in found)
    lines = [f"{'project':<{width}}  day         hours  "]
    for standing in found:
        lines.append(f"{standing.project.name:<{width}}  {standing.day}  {standing.counted:>2}/24  {_words(standing)}")
        lines += [f"{'':<{width}}  {visible(line)}" for line in trouble_lines(standing)]
        lines += [f"{'':<{width}}  {line}" for line in (index_line(standing),) if line]
        lines += [f"{'':<{width}}  ranking failed: {visible(reason)}" for reason in (standing.trouble,) if reason]
    return [line.rstrip() for line in lines]


def _words(standing: Standing) -> str:
    others = [f"{number} {state}" for state, number in sorted(standing.hours.items()) if state != "counted" and number]
    ranked = "ranked" if standing.ranked else "not ranked yet"
    by = f" by {standing.universe}" if standing.ranked and standing.universe is Universe.LOGGED_TITLES else ""
    snapshot = f" by the snapshot of {standing.snapshot}" if standing.ranked and standing.snapshot else ""
    return ", ".join([standing.verdict, *others, f"{ranked}{by}{snapshot}"])


def _document(standing: Standing) -> dict[str, Any]:
    return {
        "project": standing.project.name,
        "day": standing.day.isoformat(),
        "universe": standing.universe,
        "verdict": standing.verdict,
        "ranked": standing.ranked,
        "hours": dict(sorted(standing.hours.items())),
        "troubles": [
            {"hour": str(trouble.hour), "state": trouble.state, "reason": trouble.reason}
            for trouble in standing.troubles
        ],
        "snapshot": standing.snapshot.isoformat() if standing.snapshot else None,
        "waits_for": _wait(standing),
        "trouble": standing.trouble,
    }


def _wait(standing: Standing) -> dict[str, Any] | None:
    if standing.waits_for is None:
        return None
    state, reason = standing.waits_for
    run = standing.wanted_snapshot
    return {"snapshot": run.isoformat() if run else None, "state": state, "reason": reason}
