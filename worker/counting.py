"""One hour file: fetch it, count it, commit it; or note in the ledger why that could not be done."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from models.errors import CorruptFile, FileNotThere, SourceError, SourceRefused, SourceUnreachable, UncountableFile
from models.hour import Hour
from models.project import Project
from models.tables import HourState
from models.version import VERSION
from worker.budget import hold_file
from worker.context import Context
from worker.dumps_site import hour_url
from worker.fetch import Downloaded, ask, discard, fetch
from worker.hour_file import read_blocks
from worker.pageviews import HourCount, count_views
from worker.source import without_credentials
from worker.store import ledger, tallies
from worker.store.database import reading, writing
from worker.store.sources import note_source_trouble, source_trouble

CORRUPT_TRIES = 3
"""How often a file that cannot be counted is fetched anew."""
SOURCE_TROUBLE_LASTS = dt.timedelta(minutes=5)
"""For so long after a source has refused, or not answered at all, it is not asked for the next hour."""

PROBES = 3

_log = logging.getLogger(__name__)


def ask_source(context: Context, hour: Hour, source: str) -> None:
    """Find out, before any work, whether the source answers.

    Raises:
        SourceRefused: it refuses this client.
        SourceUnreachable: it does not answer within a few seconds.
    """
    hasty = replace(context.retries, attempts=min(context.retries.attempts, PROBES))
    ask(context.open_http(), hour_url(source, hour), budget=context.budget(source), retries=hasty)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one hour file, in numbers: the counts themselves are in the database."""

    hour: str
    state: str
    size: int
    seconds: float


@dataclass(frozen=True, slots=True)
class _Work:
    """One hour file to count for some projects, and where it comes from."""

    hour: Hour
    projects: tuple[Project, ...]
    source: str
    url: str
    path: Path


def count_hour_file(context: Context, hour: Hour, projects: Sequence[Project], *, source: str) -> Receipt:
    """Count an hour for those projects whose ledger lacks it, or asks for it anew. Twice is the same as once.

    What goes wrong with the source or the file is written into the ledger, not raised: the day is still ranked from its
    other hours, and the hour is tried again when it is asked for again.

    Raises:
        sqlalchemy.exc.DBAPIError: the database failed; nothing of the hour is committed.
    """
    started = time.monotonic()
    url = hour_url(source, hour)
    path = context.settings.downloads_dir / hour.file_name
    try:
        # Held from the first byte to the commit: a second worker on this hour waits, and then finds it counted.
        with hold_file(path):
            lacking = _lacking(context, hour, projects)
            work = _Work(hour, lacking, source, url, path)
            state, size = _count(context, work) if lacking else (HourState.COUNTED, 0)
    except OSError as error:
        state, size = HourState.FAILED, 0
        record_trouble(context, hour, projects, state, _reason(error), without_credentials(url))
    return Receipt(str(hour), state, size, round(time.monotonic() - started, 3))


def record_trouble(
    context: Context, hour: Hour, projects: Sequence[Project], state: HourState, reason: str, url: str = ""
) -> None:
    """Note in the ledger why an hour could not be counted."""
    for project in projects:
        with writing(context.engine) as session:
            ledger.record_trouble(session, project, hour, state, reason, url=url, now=context.now())


def _lacking(context: Context, hour: Hour, projects: Sequence[Project]) -> tuple[Project, ...]:
    with reading(context.engine) as session:
        return tuple(project for project in projects if ledger.uncounted(session, project, [hour]))


def _count(context: Context, work: _Work) -> tuple[HourState, int]:
    try:
        _check_before(context, work)
        downloaded, counted = _fetch_and_count(context, work)
    except (SourceError, OSError) as error:
        state, reason = _state_after(error), _reason(error)
        _log.info("%s: %s: %s", work.hour, state, reason)
        record_trouble(context, work.hour, work.projects, state, reason, without_credentials(work.url))
        if state is HourState.FAILED:
            discard(work.path)  # what is left of it is of no use; of an interrupted download it is
        return state, 0
    # Before the commit: a kill in between costs a download, after it would leave a file that nobody looks for.
    discard(work.path)
    _record(context, work, downloaded, counted)
    return HourState.COUNTED, downloaded.size


def _check_before(context: Context, work: _Work) -> None:
    """Spare the source a request for what cannot be there, or while it is in trouble.

    Raises:
        FileNotThere: the hour is not over yet.
        SourceRefused, SourceUnreachable: the source did so a moment ago, for whatever hour.
    """
    if work.hour.end > context.now():
        raise FileNotThere(f"The hour {work.hour} is not over yet.")
    with reading(context.engine) as session:
        since = context.now() - SOURCE_TROUBLE_LASTS
        trouble = source_trouble(session, without_credentials(work.source), since=since)
    if trouble is not None:
        raise trouble


def _fetch_and_count(context: Context, work: _Work) -> tuple[Downloaded, HourCount]:
    for _ in range(CORRUPT_TRIES - 1):
        try:
            return _try_once(context, work)
        except UncountableFile:
            raise
        except CorruptFile as error:
            _log.warning("%s: %s Fetching it anew.", work.hour, error)
            discard(work.path)
    return _try_once(context, work)


def _try_once(context: Context, work: _Work) -> tuple[Downloaded, HourCount]:
    budget = context.budget(work.source)
    try:
        downloaded = fetch(context.open_http(), work.url, work.path, budget=budget, retries=context.retries)
    except (SourceRefused, SourceUnreachable) as error:
        with writing(context.engine) as session:
            note_source_trouble(session, without_credentials(work.source), error, now=context.now())
        raise
    return downloaded, count_views(read_blocks(downloaded.path), work.projects)


def _record(context: Context, work: _Work, downloaded: Downloaded, counted: HourCount) -> None:
    facts = tallies.FileFacts(
        url=without_credentials(downloaded.url),
        size=downloaded.size,
        etag=downloaded.etag,
        last_modified=downloaded.last_modified,
        sha256=downloaded.sha256,
        lines=counted.lines,
        malformed=counted.malformed,
    )
    for project, tally in counted.tallies.items():
        if tally.is_empty():
            _log.warning("%s: the file has no line of %s; it counts as zero.", work.hour, project)
        with writing(context.engine) as session:
            tallies.record_counted(session, project, work.hour, facts, tally, now=context.now(), version=VERSION)


def _state_after(error: SourceError | OSError) -> HourState:
    match error:
        case FileNotThere():
            return HourState.MISSING
        case SourceRefused():
            return HourState.REFUSED
        case SourceUnreachable():
            return HourState.UNREACHABLE
        case _:
            return HourState.FAILED


def _reason(error: SourceError | OSError) -> str:
    if isinstance(error, OSError):
        return f"The download could not be written: {error.strerror or error}."
    return str(error)
