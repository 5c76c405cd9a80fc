"""``wikiq health``."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from cli.options import WorkerName


def health(
    ready: Annotated[bool, typer.Option("--ready", help="Whether it also takes tasks from the broker.")] = False,
    name: WorkerName = None,
) -> None:
    """Tell by the exit code whether this machine's worker lives, for probes: 0 if so, 1 if not.

    It asks neither the broker nor the database: while they are away, a worker waits for them and is well.

    \b
      wikiq health
      wikiq health --ready
    """
    from worker.health import check_alive, check_ready, health_of
    from worker.settings import read_settings

    found = health_of(read_settings().data_dir, name)
    (check_ready if ready else check_alive)(found, time.time())
