"""Carrying out what is missing: in this process, or by handing it to the broker; and following it to its end."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence

import typer

from cli.exits import ExitCode
from cli.progress import reporting
from models.errors import BrokerUnreachable, DataDirectoryUnwritable, SourceRefused, TaskFailed
from models.tables import HourState
from worker.app import Wikiq
from worker.context import Context
from worker.counting import ask_source
from worker.embedded import embedded_worker
from worker.enqueue import Order, Work, missing_work, send
from worker.patience import SET_CONTACT
from worker.progress import Progress, progress_of
from worker.settings import Settings
from worker.source import is_wikimedia

POLL_SECONDS = 0.2
STALLED_SECONDS = 120
PROBE_BYTES = 1 << 20


def check_before(settings: Settings, source: str) -> None:
    """What can be known before any work is done in this process.

    Raises:
        SourceRefused: the source is Wikimedia's and nobody is named whom it could write to.
        DataDirectoryUnwritable: nothing can be written to the data directory, or its disk is full.
    """
    if is_wikimedia(source) and settings.contact is None:
        raise SourceRefused(f"Wikimedia asks whom to write to when a client misbehaves: {SET_CONTACT}.")
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
        probe.unlink(missing_ok=True)


def carry_out(app: Wikiq, work: Work, order: Order | None, *, source: str | None, wait: bool, quiet: bool) -> ExitCode:
    """Do the work here if there is no broker; else hand it over, and follow it if asked to.

    Raises:
        SourceRefused: as this process would do the work: the source refuses it.
        SourceUnreachable: likewise, it does not answer.
        BrokerUnreachable: the broker does not answer; what was asked for stays in the database.
    """
    context = app.context()
    if app.settings.broker_url is None:
        if first := next((hour for day in work.days for hour in day.hours), None):
            ask_source(context, first, source or app.settings.source)
        with embedded_worker(app) as errors:
            send(app, work, source=source)
            return _follow(app, context, order, source=source, quiet=quiet, errors=errors)
    _send_to_broker(app, work, source=source)
    if wait:
        return _follow(app, context, order, source=source, quiet=quiet)
    return ExitCode.DONE


def exit_code_after(standing: Progress) -> ExitCode:
    """What became of the hours, as an exit code: the source's trouble before a file's, both before a missing file."""
    for state, code in (
        (HourState.REFUSED, ExitCode.SOURCE),
        (HourState.UNREACHABLE, ExitCode.SOURCE),
        (HourState.FAILED, ExitCode.FAILED),
        (HourState.MISSING, ExitCode.INCOMPLETE),
    ):
        if standing.hours.get(state):
            return code
    return ExitCode.DONE


def _send_to_broker(app: Wikiq, work: Work, *, source: str | None) -> None:
    from kombu.exceptions import OperationalError

    try:
        send(app, work, source=source)
    except OperationalError as error:
        raise BrokerUnreachable(
            f"The broker does not answer ({error}); check WIKIQ_BROKER_URL, then: wikiq resume"
        ) from error


def _follow(
    app: Wikiq,
    context: Context,
    order: Order | None,
    *,
    source: str | None,
    quiet: bool,
    errors: Sequence[BaseException] = (),
) -> ExitCode:
    try:
        with reporting(quiet=quiet) as report:
            changed, last = time.monotonic(), None
            while not (standing := progress_of(context, order)).done:
                report(standing)
                if errors:
                    raise TaskFailed(f"A task failed ({errors[0]!r}). What was counted is kept; try: wikiq resume")
                if standing != last:
                    changed, last = time.monotonic(), standing
                elif time.monotonic() - changed > STALLED_SECONDS:
                    changed = time.monotonic()
                    _nudge(app, context, order, source)
                time.sleep(POLL_SECONDS)
            report(standing)
    except KeyboardInterrupt:
        _leave()
    return exit_code_after(standing)


def _nudge(app: Wikiq, context: Context, order: Order | None, source: str | None) -> None:
    """Nothing moved for a while: say so, and where a ranking's message was lost, send it again."""
    typer.echo(f"Nothing moved for {STALLED_SECONDS} s.", err=True)
    work = missing_work(context, order)
    if not work.hours:
        send(app, work, source=source)
    elif app.settings.broker_url is not None:
        typer.echo("Is a worker running? Start one with: wikiq worker", err=True)


def _leave() -> None:
    """End at once. Downloads under way would hold up a polite end; they are resumed where they stopped."""
    typer.echo("\nInterrupted. What was counted is kept; go on with: wikiq resume", err=True)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(ExitCode.INTERRUPTED)
