"""``wikiq wiki``: what is known of a wiki's articles and categories, and having it fetched."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.commands import PLAIN
from cli.exits import ExitCode
from cli.options import Projects, Quiet, Source, projects_of, source_of
from cli.render.safe import visible

if TYPE_CHECKING:
    import datetime as dt

    from models.snapshot import Snapshot
    from worker.progress import IndexProgress
    from worker.store.wikis import WikiStanding

app = typer.Typer(add_completion=False, **PLAIN)


@app.callback()
def wiki() -> None:
    """The wiki's own dumps: which articles exist, which redirects lead to them, which categories they have."""


@app.command()
def show(
    project: Annotated[
        str | None, typer.Argument(metavar="[PROJECT]", help="A wiki. Default: every one asked for so far.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, with every figure.")] = False,
) -> None:
    """Show the snapshots of a wiki: their age, what is in them, and what kept others from being had.

    Exit code 0: every index that is wanted is there. 3: one is missing; wikiq resume tries again.

    \b
      wikiq wiki show
      wikiq wiki show de.wikipedia
      wikiq wiki show --json | jq '.[].snapshots[].figures'
    """
    from models.dump_run import DumpState
    from models.project import parse_project
    from worker.context import utc_now
    from worker.settings import read_settings
    from worker.store.database import open_database, reading
    from worker.store.snapshots import all_snapshots
    from worker.store.wikis import all_wikis, wanted_runs

    wanted = parse_project(project) if project else None
    engine = open_database(read_settings().database_url)
    with reading(engine) as session:
        wikis = [found for found in all_wikis(session) if wanted in (None, found.project)]
        # One that is neither built nor wanted any more is nobody's concern.
        known = {
            found: tuple(
                snapshot
                for snapshot in all_snapshots(session, found.project)
                if snapshot.state is DumpState.DONE or snapshot.run in wanted_runs(session, found.project)
            )
            for found in wikis
        }
    engine.dispose()
    if as_json:
        typer.echo(json.dumps([_document(found, snapshots) for found, snapshots in known.items()], indent=2))
    elif not known:
        whose = f" of {wanted}" if wanted else ""
        typer.echo(f"No dumps{whose} were asked for yet. Begin with: wikiq enqueue --yesterday", err=True)
    else:
        today = utc_now().date()
        typer.echo("\n\n".join("\n".join(_lines(found, snapshots, today)) for found, snapshots in known.items()))
    states = {state for found, snapshots in known.items() for state in (found.state, *(s.state for s in snapshots))}
    done = states <= {DumpState.DONE, DumpState.NO_DUMPS}
    raise typer.Exit(ExitCode.DONE if done else ExitCode.INCOMPLETE)


@app.command()
def refresh(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[PROJECT]...", help="Wikis, as with -p.", show_default=False)
    ] = None,
    project: Projects = None,
    snapshot: Annotated[
        str | None,
        typer.Option(
            metavar="DATE",
            help="Use the dump run of this date for all days. Default: for each day the one nearest to it.",
            show_default=False,
        ),
    ] = None,
    source: Source = None,
    wait: Annotated[bool, typer.Option("--wait", help="With a broker: follow the work to its end.")] = False,
    quiet: Quiet = False,
) -> None:
    """Choose anew which dump run a wiki's days are ranked by, fetch what is lacking, and rank them again.

    \b
      wikiq wiki refresh                            the nearest finished run that there is today
      wikiq wiki refresh --snapshot 2024-01-01      that run for every day, also of later orders
      wikiq wiki refresh de.wikipedia
    """
    from cli.run import carry_out, check_disk, resumable
    from models.dump_run import parse_run
    from worker.app import make_app
    from worker.enqueue import refresh_wikis
    from worker.order import WikiOrder
    from worker.progress import progress_of
    from worker.settings import read_settings

    order = WikiOrder(
        projects_of([*(names or ()), *(project or ())]), parse_run(snapshot) if snapshot else None, source_of(source)
    )
    settings = read_settings()
    if settings.broker_url is None:
        check_disk(settings)
    app = make_app(settings)
    work = refresh_wikis(app.context(), order)
    with resumable():
        code = carry_out(app, work, order, wait=wait, quiet=quiet)
    followed = settings.broker_url is None or wait
    if followed:
        for index in progress_of(app.context(), order).indexes:
            typer.echo(index_trouble(index), err=True)
    if not quiet:
        typer.echo(
            "What there is now: wikiq wiki show" if followed else "Enqueued. Progress: wikiq wiki show", err=True
        )
    raise typer.Exit(code)


def index_trouble(index: IndexProgress) -> str:
    """Why an index is not there."""
    which = f"The index of {index.project}, {index.run}," if index.run else f"The index of {index.project}"
    return f"{which} is {index.state}{f': {visible(index.reason)}' if index.reason else '.'}"


def _lines(wiki: WikiStanding, snapshots: tuple[Snapshot, ...], today: dt.date) -> list[str]:
    pinned = f", pinned to {wiki.pinned}" if wiki.pinned else ""
    trouble = f": {visible(wiki.reason)}" if wiki.reason else ""
    looked = f"  dump runs: {wiki.state}{trouble}" if trouble or not snapshots else None
    lines = [f"{wiki.project}{pinned}", *([looked] if looked else [])]
    for snapshot in snapshots:
        lines += [f"  {line}" for line in _snapshot_lines(snapshot, today)]
    return lines


def _snapshot_lines(snapshot: Snapshot, today: dt.date) -> list[str]:
    age = f"snapshot {snapshot.run}, {(today - snapshot.run).days:,} days old"
    if snapshot.figures is None or snapshot.built_at is None:
        read = sum(table.kept is not None for table in snapshot.tables)
        reason = f": {visible(snapshot.reason)}" if snapshot.reason else ""
        return [f"{age}, {snapshot.state}{reason}", *([f"  {read} of 5 tables are read"] if snapshot.tables else [])]
    figures = {name.replace("_", " "): number for name, number in snapshot.figures.as_dict().items()}
    usual = {name: figures.pop(name) for name in _USUAL}
    odd = {name: number for name, number in figures.items() if number}
    width = max(map(len, (*usual, *odd)))
    size = (snapshot.size or 0) / 1e6
    return [
        f"{age}, built {snapshot.built_at:%Y-%m-%d %H:%M} UTC by wikiq {snapshot.wikiq}, {size:,.1f} MB stored",
        *(f"  {name:<{width}}  {number:>13,}" for name, number in usual.items()),
        *(["  found in the dumps:"] if odd else []),
        *(f"  {name:<{width}}  {number:>13,}" for name, number in odd.items()),
    ]


_USUAL = ("articles", "redirects", "categories", "hidden categories", "memberships", "hidden memberships")


def _document(wiki: WikiStanding, snapshots: tuple[Snapshot, ...]) -> dict[str, Any]:
    return {
        "project": wiki.project.name,
        "state": wiki.state,
        "reason": wiki.reason,
        "pinned": wiki.pinned.isoformat() if wiki.pinned else None,
        "snapshots": [
            {
                "snapshot": snapshot.run.isoformat(),
                "state": snapshot.state,
                "reason": snapshot.reason,
                "figures": snapshot.figures.as_dict() if snapshot.figures else None,
                "bytes": snapshot.size,
                "built_at": f"{snapshot.built_at:%Y-%m-%dT%H:%M:%SZ}" if snapshot.built_at else None,
                "wikiq": snapshot.wikiq,
                "tables": {
                    table.table.value: {"state": table.state, "reason": table.reason, "kept": table.kept}
                    for table in snapshot.tables
                },
            }
            for snapshot in snapshots
        ],
    }
