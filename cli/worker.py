"""``wikiq worker``."""

from __future__ import annotations

import os
from typing import Annotated

import typer


def worker(
    concurrency: Annotated[
        int | None,
        typer.Option("--concurrency", "-c", min=1, help="Processes. Default: one per CPU.", show_default=False),
    ] = None,
    queues: Annotated[str, typer.Option("--queues", "-Q", help="Which lists to take tasks from.")] = "count,rank,index",
    loglevel: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
) -> None:
    """Take tasks from the broker until told to stop.

    A first SIGTERM lets tasks under way go on for a minute and then hands them back to the broker; nothing is lost.

    \b
      WIKIQ_BROKER_URL=redis://localhost:6379/0 wikiq worker
      WIKIQ_BROKER_URL=redis://localhost:6379/0 wikiq worker -c 4 -Q count
    """
    from models.errors import UsageError
    from worker.settings import read_settings, remap_sigterm

    settings = read_settings()
    if settings.broker_url is None:
        raise UsageError("A worker needs a broker: set WIKIQ_BROKER_URL, like redis://localhost:6379/0.")
    # Celery looks at it when its worker is imported.
    remap_sigterm()
    from worker.app import make_app
    from worker.store.database import open_database

    # Migrate once, before any child is forked.
    open_database(settings.database_url).dispose()
    make_app(settings).worker_main(
        [
            "worker",
            "--pool=prefork",
            f"--concurrency={concurrency or os.cpu_count() or 1}",
            f"--queues={queues}",
            f"--loglevel={loglevel}",
            "--without-gossip",
            "--without-mingle",
        ]
    )
