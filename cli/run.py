"""Carrying out what is missing: in this process, or by handing it to the broker; and following it to its end."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain

import typer

from cli.exits import ExitCode
from cli.progress import reporting
from cli.render.safe import visible
from models.errors import DataDirectoryUnwritable, SourceRefused, TaskFailed
from worker.any_source import ask_sources
from worker.app import Wikiq
from worker.context import Context
from worker.embedded import EmbeddedRun, embedded_worker
from worker.enqueue import Ranking, Work, all_ready, failure, missing_work, send
from worker.order import Scope
from worker.patience import SET_CONTACT
from worker.progress import Progress, progress_of
from worker.settings import Settings
from worker.source import is_wikimedia
from worker.store.database import outlast

POLL_SECONDS = (0.2, 2.0)
LOOKS_APART = 20
"""Where the work is done in this process, so many times as long as a look at how far things are takes lies between two
of them, because it takes that from the work; within these bounds."""
STALLED_SECONDS = 120
CALLBACK_SECONDS = 10
"""How long a ranking is waited for of which the database does not know that it is missing."""
PROBE_BYTES = 1 << 20
_WORST_FIRST = (
    ("refused", ExitCode.SOURCE),
    ("unreachable", ExitCode.SOURCE),
    ("failed", ExitCode.FAILED),
    ("missing", ExitCode.INCOMPLETE),
)
"""States that hours and indexes have in common."""


@contextmanager
def resumable() -> Iterator[None]:
    """Tell who interrupts the work how it goes on."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("\nInterrupted. What was counted is kept; go on with: wikiq resume", err=True)
        raise


def check_contact(settings: Settings, *sources: str) -> None:
    """Whether this process may ask the sources at all.

    Raises:
        SourceRefused: one of them is Wikimedia's and nobody is named whom it could write to.
    """
    if settings.contact is None and any(map(is_wikimedia, sources)):
        raise SourceRefused(f"Wikimedia asks whom to write to when a client misbehaves: {SET_CONTACT}.")


def check_disk(settings: Settings) -> None:
    """Whether there is room for downloads.

    Raises:
        DataDirectoryUnwritable: nothing can be written to the data directory, or its disk is full.
    """
    probe = settings.downloads_dir / "probe"
    try:
        settings.downloads_dir.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(bytes(PROBE_BYTES))
    except OSError as error:
        raise DataDirectoryUnwritable(
            f"The data directory {settings.data_dir} cannot be written ({error.strerror}); "
            "free some space or set WIKIQ_DATA_DIR to another."
        ) from error
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)


def carry_out(app: Wikiq, work: Work, scope: Scope, *, wait: bool, quiet: bool) -> ExitCode:
    """Do the work here if there is no broker; else hand it over, and follow it if asked to.

    Raises:
        SourceRefused: as this process would do the work: the source refuses it.
        SourceUnreachable: likewise, it does not answer.
        BrokerUnreachable: the broker does not answer; what was asked for stays in the database.
    """
    context = app.context()
    if app.settings.broker_url is None:
        _ask_sources(context, work)
        with embedded_worker(app) as run:
            return _follow(app, context, scope, send(app, work), quiet=quiet, run=run)
    results = send(app, work)
    return _follow(app, context, scope, results, quiet=quiet) if wait else ExitCode.DONE


def exit_code_after(standing: Progress) -> ExitCode:
    """What became of hours and indexes: the source's trouble before a file's, both before a missing file."""
    states = {state.value for state, number in standing.hours.items() if number}
    states |= {index.state.value for index in standing.indexes}
    return next((code for state, code in _WORST_FIRST if state in states), ExitCode.DONE)


def _ask_sources(context: Context, work: Work) -> None:
    """One cheap question to each source before any work; of those for the same hours, one has to answer."""
    settings = context.settings
    firsts = {settings.sources_of_hours(day.source): day.hours[0] for day in work.days if day.hours}
    check_contact(settings, *chain(*firsts), *(settings.source_of_dumps(wiki.source) for wiki in work.wikis))
    for sources, hour in firsts.items():
        for error in ask_sources(context, hour, sources).values():
            typer.echo(f"{visible(str(error))} Going on with the other sources.", err=True)


def _follow(
    app: Wikiq,
    context: Context,
    scope: Scope,
    results: Sequence[Ranking],
    *,
    quiet: bool,
    run: EmbeddedRun | None = None,
) -> ExitCode:
    with reporting(quiet=quiet) as report:
        changed, last = time.monotonic(), None
        while True:
            began = time.monotonic()
            if run:
                run.advanced.clear()
            standing = outlast(lambda: progress_of(context, scope))
            report(standing)
            if run and run.errors:
                raise TaskFailed(f"A task failed ({run.errors[0]!r}). What was counted is kept; try: wikiq resume")
            if standing.trouble:
                raise TaskFailed(f"A ranking failed ({standing.trouble}). What was counted is kept; try: wikiq resume")
            if error := failure(results):
                raise TaskFailed(f"A task failed ({error!r}). What was counted is kept; try: wikiq resume")
            if standing != last:
                changed, last = time.monotonic(), standing
            unchanged = time.monotonic() - changed
            if standing.done and (unchanged > CALLBACK_SECONDS or all_ready(results)):
                return exit_code_after(standing)
            if unchanged > STALLED_SECONDS:
                changed = time.monotonic()
                _nudge(app, context, scope)
            _wait(run, time.monotonic() - began)


def _wait(run: EmbeddedRun | None, look: float) -> None:
    """Until things may have advanced, after a look that took so many seconds."""
    if run:
        run.advanced.wait(_pause(look))
    else:
        time.sleep(POLL_SECONDS[0])


def _pause(look: float) -> float:
    """Seconds to the next look, after one that took so many."""
    shortest, longest = POLL_SECONDS
    return min(max(shortest, LOOKS_APART * look), longest)


def _nudge(app: Wikiq, context: Context, scope: Scope) -> None:
    """Nothing moved for a while: say so, and where a ranking's message was lost, send it again."""
    typer.echo(f"Nothing moved for {STALLED_SECONDS} s.", err=True)
    work = missing_work(context, scope)
    if not work.hours and not work.wikis:
        send(app, work)
    elif app.settings.broker_url is not None:
        typer.echo("Is a worker running? Start one with: wikiq worker", err=True)
        typer.echo("If one is, the broker has lost tasks; in another terminal: wikiq resume", err=True)
