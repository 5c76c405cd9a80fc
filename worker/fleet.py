"""A worker of a fleet: Celery's prefork worker, as a process of its own."""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence
from typing import Any

from billiard.exceptions import TimeLimitExceeded, WorkerLostError
from celery.signals import setup_logging, task_failure
from celery.utils.log import get_multiprocessing_logger

from worker import answering, indexing, pageviews, together  # noqa: F401 - children that are forked share them
from worker.app import Wikiq
from worker.cut_off import PutBack
from worker.health import Health
from worker.heartbeat import add_heartbeat
from worker.logs import set_up_logging
from worker.settings import LogFormat
from worker.store import tallies  # noqa: F401 - likewise
from worker.tasks import GIVE_UP, NOTES, WikiqTask


def run_worker(
    app: Wikiq,
    queues: Sequence[str],
    health: Health,
    *,
    concurrency: int,
    grace_seconds: float,
    log_format: LogFormat,
    level: str,
) -> int:
    """Take tasks until a signal ends it; returns the exit code.

    Args:
        app: made for the same queues.
        queues: which to take tasks from.
        health: where it shows that it lives.
        concurrency: how many processes work.
        grace_seconds: for how long tasks under way may go on after SIGTERM, before they are handed back.
        log_format: as records are written to stderr.
        level: ``debug``, ``info``, ``warning`` or ``error``.
    """
    set_up_logging(log_format, level)
    # That somebody has set it up keeps Celery from doing so.
    setup_logging.connect(_leave_logging_alone)
    # The pool's own logger keeps its records to itself otherwise.
    if (pool_log := get_multiprocessing_logger()) is not None:
        pool_log.propagate = True
    add_heartbeat(app, health)
    app.steps["consumer"].add(PutBack)
    task_failure.connect(_give_up)
    app.conf.worker_soft_shutdown_timeout = grace_seconds
    worker = app.Worker(
        hostname=f"wikiq@{health.alive.stem}",
        pool="prefork",
        concurrency=concurrency,
        queues=list(queues),
        loglevel=level.upper(),
        quiet=True,
        without_gossip=True,
        without_mingle=True,
    )
    # The limit of tasks taken at once; without it Celery 5.7.0 asks its pool for each message, also one that arrives
    # after the pool has ended, and fails.
    worker.max_concurrency = concurrency  # type: ignore[attr-defined]  # the stubs lack it
    # What is loaded by now stays; its children share it, and need not look through it for garbage.
    gc.freeze()
    worker.start()
    return int(worker.exitcode or 0)


def _leave_logging_alone(**_: object) -> None:
    """Celery asks whether somebody listens."""


def _give_up(
    sender: WikiqTask, exception: BaseException, args: Sequence[Any], kwargs: Mapping[str, Any], **_: object
) -> None:
    """Have it noted that a task was given up: the process that could have done so is dead."""
    if sender.name in NOTES and isinstance(exception, WorkerLostError | TimeLimitExceeded):
        reason = f"Its process ended before it was done ({type(exception).__name__}); it may lack memory or time."
        # By the task's own kind of worker: there is one, and no other kind need be started for it.
        queue = sender.app.amqp.router.route({}, sender.name)["queue"]
        sender.app.send_task(GIVE_UP, (sender.name, list(args), dict(kwargs), reason), queue=queue)
