"""The same tasks and chords without a broker: Celery's memory transport and a threads pool, in this process.

Nothing needs to be installed, and nothing is left running. What a killed run had committed stays; the database tells
the next run what is missing. Measured against the alternatives in docs/decisions/0004.
"""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from celery.signals import task_failure, task_postrun
from celery.worker import WorkController

from worker.app import Wikiq
from worker.budget import CONNECTIONS, files_at_once, source_keys
from worker.queues import QUEUES
from worker.settings import Settings
from worker.tasks import COUNT_HOUR, WikiqTask

START_SECONDS = 30
INTERRUPT_SECONDS = 2
"""How long an interrupted run waits for tasks under way; longer ones are resumed where they stopped."""


def concurrency(settings: Settings) -> int:
    """Threads: one for each file that is worked on at once."""
    return files_at_once(CONNECTIONS * len(set(source_keys(settings.sources))), os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class EmbeddedRun:
    """What can be seen of an embedded worker from outside.

    ``errors`` are those that tasks ended with; the list grows as they occur. ``advanced`` is set whenever one does, and
    when any task has ended but the many that count, so that who waits for the end need not ask often whether it has
    come.
    """

    errors: list[BaseException] = field(default_factory=list)
    advanced: threading.Event = field(default_factory=threading.Event)


@contextmanager
def embedded_worker(app: Wikiq) -> Iterator[EmbeddedRun]:
    """Run a worker in this process for as long as the block lasts; its end waits for tasks that are under way."""
    run = EmbeddedRun()

    def note_error(exception: BaseException, **_: object) -> None:
        run.errors.append(exception)
        run.advanced.set()

    def note_end(sender: WikiqTask, **_: object) -> None:
        if sender.name != COUNT_HOUR:
            run.advanced.set()

    task_failure.connect(note_error, weak=False)
    task_postrun.connect(note_end, weak=False)
    # The queues are the process's, not the application's: an earlier run that failed may have left messages.
    app.control.purge()
    # Pool threads look their tasks up in Celery's default application.
    app.set_default()
    ready = threading.Event()
    worker = WorkController(
        app=app,
        pool="threads",
        concurrency=concurrency(app.settings),
        queues=list(QUEUES),
        ready_callback=lambda _consumer: ready.set(),
        without_heartbeat=True,
        without_gossip=True,
        without_mingle=True,
        quiet=True,
    )
    # What is loaded by now stays: to look through it for garbage takes longer than to count a small file. What
    # the first tasks load is looked through now and then, in some 20 ms.
    gc.freeze()
    thread = threading.Thread(target=worker.start, name="wikiq-worker", daemon=True)
    thread.start()
    if not ready.wait(START_SECONDS):
        raise TimeoutError("The embedded worker did not start.")
    patience = None
    try:
        yield run
    except KeyboardInterrupt:
        patience = INTERRUPT_SECONDS
        raise
    finally:
        # A message ends the worker's wait for messages at once; its flag would be seen seconds later.
        app.control.shutdown()
        thread.join(patience)
        app.control.purge()
        task_failure.disconnect(note_error)
        task_postrun.disconnect(note_end)
        # Whoever goes on after this run may have made garbage in the meantime that holds files open.
        gc.unfreeze()
