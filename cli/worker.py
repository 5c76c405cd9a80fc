"""``wikiq worker``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from cli.importing import importing
from cli.options import WorkerName
from worker.settings import LogFormat

if TYPE_CHECKING:
    from worker.settings import Settings


def worker(
    concurrency: Annotated[
        int | None,
        typer.Option("--concurrency", "-c", min=1, help="Processes. Default: one per CPU.", show_default=False),
    ] = None,
    queues: Annotated[str, typer.Option("--queues", "-Q", help="Which lists to take tasks from.")] = "count,rank,index",
    name: WorkerName = None,
    grace: Annotated[
        int,
        typer.Option(min=1, metavar="SECONDS", help="For how long tasks under way may go on after a SIGTERM."),
    ] = 60,
    log_format: Annotated[
        LogFormat | None,
        typer.Option(
            help="For people, or a JSON object a line. Default: WIKIQ_LOG_FORMAT, else text.", show_default=False
        ),
    ] = None,
    loglevel: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
) -> None:
    """Take tasks from the broker until told to stop.

    The first SIGTERM lets tasks under way go on for a minute and then hands them back to the broker; nothing is lost.
    Whoever stops it should wait some 15 s longer than --grace before a SIGKILL; that loses nothing either, but what was
    under way waits for half an hour until another worker takes it.

    \b
      WIKIQ_BROKER_URL=redis://localhost:6379/0 wikiq worker
      WIKIQ_BROKER_URL=redis://localhost:6379/0 wikiq worker -c 4 -Q count
    """
    from models.errors import UsageError
    from worker.health import health_of
    from worker.settings import read_settings, remap_sigterm

    settings = read_settings()
    if settings.broker_url is None:
        raise UsageError("A worker needs a broker: set WIKIQ_BROKER_URL, like redis://localhost:6379/0.")
    # Celery looks at it when its worker is imported.
    remap_sigterm()
    with importing():
        from worker.app import make_app
        from worker.fleet import run_worker
        from worker.queues import QUEUES

    wanted = tuple(dict.fromkeys(queue.strip() for queue in queues.split(",")))
    if unknown := set(wanted) - set(QUEUES):
        raise UsageError(f"There is no queue {', '.join(sorted(unknown))!r}; there are: {', '.join(QUEUES)}.")
    if loglevel.lower() not in ("debug", "info", "warning", "error"):
        raise UsageError("A log level is one of: debug, info, warning, error.")
    health = health_of(settings.data_dir, name)
    _tidy(settings)
    raise typer.Exit(
        run_worker(
            make_app(settings, wanted),
            wanted,
            health,
            concurrency=concurrency or os.cpu_count() or 1,
            grace_seconds=grace,
            log_format=log_format or settings.log_format,
            level=loglevel,
        )
    )


def _tidy(settings: Settings) -> None:
    """Migrate the database, and drop what an earlier worker left on this disk; once, before any child is forked."""
    from worker.context import open_context
    from worker.leftovers import drop_leftovers

    context = open_context(settings)
    try:
        drop_leftovers(context)
    except OSError as error:
        typer.echo(f"wikiq: what an earlier worker left could not be removed ({error.strerror}).", err=True)
    context.engine.dispose()
