"""A wiki's index, step by step: each SQL dump is fetched and read, then the index is built of all five."""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from models.dump_run import DumpFile, DumpState, DumpTable, run_path
from models.errors import CorruptFile, FileNotThere, SourceError, UnreadableDump
from models.project import Project
from models.siteinfo import parse_siteinfo
from models.snapshot import Snapshot
from models.version import VERSION
from worker.budget import hold_file
from worker.context import Context
from worker.fetch import discard, fetch
from worker.snapshots import state_after
from worker.store import blocks, snapshots
from worker.store.blocks import Attempt
from worker.store.database import reading, writing
from worker.unpack import unpack
from worker.wiki.build import build_index
from worker.wiki.index import Part
from worker.wiki.tables import table_columns

CORRUPT_TRIES = 3
"""How often a dump that is not what was announced is fetched anew."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Work:
    """One SQL dump to read."""

    project: Project
    run: dt.date
    table: DumpTable
    file: DumpFile
    url: str
    source: str
    path: Path


def read_dump(context: Context, project: Project, run: dt.date, table: DumpTable, *, source: str) -> bool:
    """Fetch one SQL dump of a run and keep the columns that the index needs. Twice is the same as once.

    What goes wrong with the source or the file is written into the database, not raised.

    Returns:
        Whether the index can be built now and nobody else was told so; a table that was read before tells it again,
        since whoever read it may have died before passing it on.

    Raises:
        sqlalchemy.exc.DBAPIError: the database failed; nothing of the table counts.
    """
    work = _work(context, project, run, table, source)
    if work is None:
        return can_be_built(context, project, run)
    try:
        # Held from the first byte to the commit: a second worker on this table waits, and then finds it read.
        with hold_file(work.path):
            if _work(context, project, run, table, source) is not None:
                return _read(context, work)
    except SourceError as error:
        note_trouble(context, project, run, table, state_after(error), str(error))
    except OSError as error:
        reason = f"The download could not be written: {error.strerror or error}."
        note_trouble(context, project, run, table, DumpState.FAILED, reason)
    return False


def note_trouble(
    context: Context, project: Project, run: dt.date, table: DumpTable | None, state: DumpState, reason: str
) -> None:
    """Note why a table, or the whole index, could not be made."""
    _log.warning("%s %s: %s", project, run, reason)
    with writing(context.engine) as session:
        if table is None:
            snapshots.note_snapshot_trouble(session, project, run, state, reason)
        else:
            snapshots.note_table_trouble(session, project, run, table, state, reason)


def build(context: Context, project: Project, run: dt.date) -> None:
    """Build the index of a run whose five tables are read, unless it is built.

    Raises:
        sqlalchemy.exc.DBAPIError: the database failed; nothing of the index counts.
    """
    with hold_file(context.settings.downloads_dir / f"{project.database}-{run_path(run)}.index"):
        with reading(context.engine) as session:
            snapshot = snapshots.load_snapshot(session, project, run)
        if snapshot is None or snapshot.state is DumpState.DONE or not snapshot.is_read:
            return
        try:
            _build(context, snapshot)
        except Exception:
            # Another machine may have built it meanwhile; then the tables are gone, and rightly so.
            if can_be_built(context, project, run):
                raise


def tables_to_read(context: Context, project: Project, run: dt.date) -> tuple[DumpTable, ...]:
    """The tables of a wanted index that are still to be read, the largest file first."""
    with reading(context.engine) as session:
        snapshot = snapshots.load_snapshot(session, project, run)
    return _lacking(snapshot) if snapshot else ()


def can_be_built(context: Context, project: Project, run: dt.date) -> bool:
    """Whether an index is wanted, lacks no table, and is not built yet."""
    with reading(context.engine) as session:
        snapshot = snapshots.load_snapshot(session, project, run)
    return snapshot is not None and snapshot.state is not DumpState.DONE and snapshot.is_read


def _lacking(snapshot: Snapshot) -> tuple[DumpTable, ...]:
    if snapshot.state is DumpState.DONE:
        return ()
    waiting = [table for table in snapshot.tables if table.state is not DumpState.DONE]
    return tuple(table.table for table in sorted(waiting, key=lambda table: -table.file.size))


def check_file(path: Path, file: DumpFile) -> None:
    """Compare a file with what its run announced: size, and SHA-1 or, where there is none, MD5.

    Raises:
        CorruptFile: it is another.
    """
    size = path.stat().st_size
    if size != file.size:
        raise CorruptFile(f"{file.name} has {size} bytes, {file.size} were announced.")
    for name, announced in (("sha1", file.sha1), ("md5", file.md5)):
        if announced is not None:
            with path.open("rb") as content:
                found = hashlib.file_digest(content, partial(hashlib.new, name, usedforsecurity=False)).hexdigest()
            if found != announced:
                raise CorruptFile(f"{file.name} has not the announced {name.upper()}.")
            return


def _work(context: Context, project: Project, run: dt.date, table: DumpTable, source: str) -> _Work | None:
    """What there is to do for a table; None where it is read, or nobody wants it."""
    with reading(context.engine) as session:
        snapshot = snapshots.load_snapshot(session, project, run)
    if snapshot is None or table not in _lacking(snapshot):
        return None
    [standing] = [found for found in snapshot.tables if found.table is table]
    url = f"{source.rstrip('/')}/{project.database}/{run_path(run)}/{standing.file.name}"
    path = context.settings.downloads_dir / standing.file.name
    return _Work(project, run, table, standing.file, url, source, path)


def _read(context: Context, work: _Work) -> bool:
    _fetch(context, work)
    with blocks.attempting(context.engine, work.project, work.run) as attempt:
        try:
            kept = _keep(context, work, attempt)
        except CorruptFile as error:
            discard(work.path)
            raise UnreadableDump(f"{work.file.name}: {error}") from error
        # Before the commit: a kill in between costs a download, after it would leave a file that nobody looks for.
        discard(work.path)
        with writing(context.engine) as session:
            return snapshots.record_table(
                session, work.project, work.run, work.table, attempt.name, kept, now=context.now()
            )


def _keep(context: Context, work: _Work, attempt: Attempt) -> int:
    """Write the wanted columns of a dump that is on disk; how many rows they have."""
    kept = 0
    for number, frame in enumerate(table_columns(work.table, unpack(work.path))):
        kept += len(frame)
        with writing(context.engine) as session:
            blocks.save_block(session, attempt, work.table.value, number, frame)
    return kept


def _fetch(context: Context, work: _Work) -> None:
    """Have the dump on disk, as it was announced; one that a killed worker left there will do.

    Raises:
        CorruptFile: it is not, however often it is fetched.
        SourceError: as ``worker.fetch.fetch``.
    """
    if _is_here(work):
        return None
    ends = time.monotonic() + context.retries.patience
    for attempt in range(1, CORRUPT_TRIES + 1):
        try:
            budget, retries = context.budget(work.source), context.retries.within(ends - time.monotonic())
            limit = work.file.size
            fetch(context.open_http(), work.url, work.path, budget=budget, retries=retries, limit_bytes=limit)
            return check_file(work.path, work.file)
        except FileNotThere:
            raise
        except CorruptFile as error:
            discard(work.path)
            if attempt == CORRUPT_TRIES or time.monotonic() >= ends:
                raise
            _log.warning("%s Fetching it anew.", error)
    return None


def _is_here(work: _Work) -> bool:
    if not work.path.exists() or (work.file.sha1 or work.file.md5) is None:
        return False
    try:
        check_file(work.path, work.file)
    except CorruptFile:
        return False
    return True


def _build(context: Context, snapshot: Snapshot) -> None:
    with blocks.attempting(context.engine, snapshot.project, snapshot.run) as attempt:
        _build_attempt(context, snapshot, attempt)


def _build_attempt(context: Context, snapshot: Snapshot, attempt: Attempt) -> None:
    numbers = Counter[Part]()
    attempts = {table.table: table.attempt for table in snapshot.tables}
    siteinfo = parse_siteinfo(snapshot.siteinfo or "", snapshot.run.isoformat())

    def keep(part: Part, frame: pl.DataFrame) -> None:
        with writing(context.engine) as session:
            blocks.save_block(session, attempt, part.value, numbers[part], frame)
        numbers[part] += 1

    figures = build_index(
        lambda table: blocks.frames_of(context.engine, snapshot.project, snapshot.run, table.value, attempts[table]),
        siteinfo.main_page,
        keep,
    )
    with writing(context.engine) as session:
        snapshots.record_built(
            session, snapshot.project, snapshot.run, attempt.name, figures, now=context.now(), version=VERSION
        )
