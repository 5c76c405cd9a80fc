"""One hour file: fetch it, count it, commit it; or note in the ledger why that could not be done."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import CorruptFile, FileNotThere, SourceError, SourceRefused, SourceUnreachable, UncountableFile
from models.hour import Hour
from models.project import Project
from models.tables import HourState
from models.version import VERSION
from worker.any_source import from_any
from worker.budget import Budget, hold_file
from worker.context import Context
from worker.dumps_site import hour_url
from worker.early_count import early_count
from worker.fetch import Downloaded, discard, fetch
from worker.hour_file import read_blocks
from worker.patience import Retries
from worker.phases import Phases, Stopwatch
from worker.source import without_credentials
from worker.store import ledger
from worker.store.database import reading, writing

if TYPE_CHECKING:
    # Slow to import; the first download need not wait for it.
    from worker.pageviews import HourCount
    from worker.store.tallies import FileFacts

MAX_HOUR_BYTES = 1 << 30
"""More than ten times the largest hour file that there ever was."""

CORRUPT_TRIES = 3
"""How often a file that cannot be counted is fetched from one source."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one hour file, in numbers: the counts themselves are in the database."""

    hour: str
    state: str
    size: int
    seconds: float


@dataclass(frozen=True, slots=True)
class _Work:
    """One hour file to count for some projects, where it may come from, and how long that takes."""

    hour: Hour
    projects: tuple[Project, ...]
    sources: tuple[str, ...]
    path: Path
    stopwatch: Stopwatch

    @property
    def url(self) -> str:
        """Where the first source has the file: who speaks for all of them."""
        return without_credentials(hour_url(self.sources[0], self.hour))

    def count(self, blocks: Iterable[bytes]) -> HourCount:
        """What the file's text holds for these projects."""
        # Not before there is something to count: the import takes a while, and the first transfer can begin meanwhile.
        from worker.pageviews import count_views

        return count_views(blocks, self.projects)


def count_hour_file(context: Context, hour: Hour, projects: Sequence[Project], *, source: str | None = None) -> Receipt:
    """Count an hour for those projects whose ledger lacks it, or asks for it anew. Twice is the same as once.

    The file comes from the given source, or from any of the settings'. What goes wrong with the source or the file is
    written into the ledger, not raised: the day is still ranked from its other hours, and the hour is tried again when
    it is asked for again.

    Raises:
        sqlalchemy.exc.DBAPIError: the database failed; nothing of the hour is committed.
    """
    started = time.monotonic()
    path = context.settings.downloads_dir / hour.file_name
    work = _Work(hour, tuple(projects), context.settings.sources_of_hours(source), path, Stopwatch())
    try:
        # Held from the first byte to the commit: a second worker on this hour waits, and then finds it counted.
        with hold_file(path):
            work = replace(work, projects=_lacking(context, hour, projects))
            state, size = _count(context, work) if work.projects else (HourState.COUNTED, 0)
    except OSError as error:
        state, size = HourState.FAILED, 0
        record_trouble(context, hour, work.projects, state, _reason(error), work.url)
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
        if work.hour.end > context.now():
            raise FileNotThere(f"The hour {work.hour} is not over yet.")
        downloaded, counted = from_any(context, work.sources, work.stopwatch, partial(_fetch_and_count, context, work))
    except (SourceError, OSError) as error:
        state, reason = _state_after(error), _reason(error)
        _log.info("%s: %s: %s", work.hour, state, reason)
        record_trouble(context, work.hour, work.projects, state, reason, work.url)
        if state is HourState.FAILED:
            discard(work.path)  # what is left of it is of no use; of an interrupted download it is
        return state, 0
    # Before the commit: a kill in between costs a download, after it would leave a file that nobody looks for.
    discard(work.path)
    _record(context, work, downloaded, counted)
    return HourState.COUNTED, downloaded.size


def _fetch_and_count(
    context: Context, work: _Work, source: str, budget: Budget, retries: Retries
) -> tuple[Downloaded, HourCount]:
    ends = time.monotonic() + retries.patience
    for _ in range(CORRUPT_TRIES - 1):
        try:
            return _try_once(context, work, source, budget, retries)
        except UncountableFile:
            raise
        except CorruptFile as error:
            retries = retries.within(ends - time.monotonic())
            if retries.patience <= 0:
                raise
            _log.warning("%s: %s Fetching it anew.", work.hour, error)
    return _try_once(context, work, source, budget, retries)


def _try_once(
    context: Context, work: _Work, source: str, budget: Budget, retries: Retries
) -> tuple[Downloaded, HourCount]:
    try:
        return _fetch_once(context, work, hour_url(source, work.hour), budget, retries)
    except CorruptFile:
        discard(work.path)
        raise


def _fetch_once(
    context: Context, work: _Work, url: str, budget: Budget, retries: Retries
) -> tuple[Downloaded, HourCount]:
    http = context.open_http()
    with early_count(work.path, work.count, context.cores) as early:
        downloaded = fetch(http, url, work.path, budget=budget, retries=retries, limit_bytes=MAX_HOUR_BYTES)
        with work.stopwatch.while_counting():
            counted = early.of(downloaded.sha256)
    if counted is None:
        with context.cores, work.stopwatch.while_counting():
            counted = work.count(read_blocks(downloaded.path))
    return downloaded, counted


def _record(context: Context, work: _Work, downloaded: Downloaded, counted: HourCount) -> None:
    from worker.store import tallies

    facts = tallies.FileFacts(
        url=without_credentials(downloaded.url),
        size=downloaded.size,
        etag=downloaded.etag,
        last_modified=downloaded.last_modified,
        sha256=downloaded.sha256,
        lines=counted.lines,
        malformed=counted.malformed,
    )
    with context.cores:
        began = time.monotonic()
        # Before the transactions, as SQLite has one writer at a time.
        packed = {project: tallies.pack(tally) for project, tally in counted.tallies.items()}

    def phases() -> Phases:
        return work.stopwatch.phases(time.monotonic() - began)

    for project, tally in packed.items():
        if not tally.titles:
            _log.warning("%s: the file has no line of %s; it counts as zero.", work.hour, project)
        with writing(context.engine) as session:
            # Another machine, whose downloads are its own, may have counted it meanwhile.
            if ledger.lacks(session, project, work.hour):
                tallies.record_counted(
                    session, project, work.hour, facts, tally, now=context.now(), version=VERSION, phases=phases
                )
    _tell(work, facts, phases())


def _tell(work: _Work, facts: FileFacts, phases: Phases) -> None:
    projects = [project.name for project in work.projects]
    seconds = {phase: round(took, 3) for phase, took in asdict(phases).items()}
    _log.info(
        "%s: counted for %s, %d bytes from %s: %s",
        *(work.hour, ", ".join(projects), facts.size, facts.url, phases),
        extra={"hour": str(work.hour), "projects": projects, "bytes": facts.size, "url": facts.url, **seconds},
    )


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
