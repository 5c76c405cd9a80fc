"""Snapshots: one wiki at the time of one dump run, from the list of its files to its finished index.

A piece of work writes its blocks under an attempt of its own and is counted by one small transaction at its end, which
names the attempt and removes all others' blocks. So whatever dies, or runs twice, an index is whole or not there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from sqlalchemy import delete, func, update
from sqlmodel import Session, col, select

from models.dump_run import DumpFile, DumpState, DumpTable, RunFiles
from models.project import Project, parse_project
from models.snapshot import Figures, Snapshot, TableStanding
from models.tables import SnapshotBlockRow, SnapshotRow, SnapshotTableRow
from worker.store.reason import kept_reason
from worker.store.upsert import insert_missing, upsert


def register_snapshot(session: Session, project: Project, files: RunFiles, siteinfo: str, source: str | None) -> None:
    """Note that an index of this run is wanted, and from which files; what is read or built already stays so."""
    key = {"project": project.name, "run": files.run}
    insert_missing(session, SnapshotRow, [{**key, "state": DumpState.WAITING}])
    session.execute(
        update(SnapshotRow)
        .where(*_of(SnapshotRow, project, files.run), col(SnapshotRow.state) != DumpState.DONE)
        .values(state=DumpState.WAITING, reason=None, siteinfo=siteinfo, source=source)
    )
    for table, file in files.tables.items():
        announced = {"file": file.name, "size": file.size, "sha1": file.sha1, "md5": file.md5}
        row = session.get(SnapshotTableRow, (project.name, files.run, table.value))
        if row is None or row.state != DumpState.DONE or (row.size, row.sha1, row.md5) != file[1:]:
            values = {**announced, "state": DumpState.WAITING, "reason": None, "attempt": None, "kept": None}
            upsert(session, SnapshotTableRow, {**key, "name": table.value}, values)


def note_snapshot_trouble(session: Session, project: Project, run: dt.date, state: DumpState, reason: str) -> None:
    """Note why a run's index cannot be had, unless it is built already."""
    insert_missing(session, SnapshotRow, [{"project": project.name, "run": run, "state": state}])
    session.execute(
        update(SnapshotRow)
        .where(*_of(SnapshotRow, project, run), col(SnapshotRow.state) != DumpState.DONE)
        .values(state=state, reason=kept_reason(reason))
    )


def note_table_trouble(
    session: Session, project: Project, run: dt.date, table: DumpTable, state: DumpState, reason: str
) -> None:
    """Note why a table cannot be read, unless it is; the run's index cannot be had then either."""
    unread: Any = session.execute(
        update(SnapshotTableRow)
        .where(*_of(SnapshotTableRow, project, run), col(SnapshotTableRow.name) == table.value)
        .where(col(SnapshotTableRow.state) != DumpState.DONE)
        .values(state=state, reason=kept_reason(reason))
    )
    if unread.rowcount:
        note_snapshot_trouble(session, project, run, state, f"{table.value}: {reason}")


def forget_snapshot_troubles(session: Session, project: Project | None = None, run: dt.date | None = None) -> None:
    """Let what could not be had or read be tried again: everything, or of one wiki, or of one of its runs."""
    for row in (SnapshotRow, SnapshotTableRow):
        statement = update(row).where(col(row.state).not_in((DumpState.DONE, DumpState.WAITING)))
        if project is not None:
            statement = statement.where(col(row.project) == project.name)
        if run is not None:
            statement = statement.where(col(row.run) == run)
        session.execute(statement.values(state=DumpState.WAITING, reason=None))


def record_table(
    session: Session, project: Project, run: dt.date, table: DumpTable, attempt: str, kept: int, *, now: dt.datetime
) -> bool:
    """Note that a table is read: from now on the blocks of this attempt are its columns.

    The first attempt to end is the one that counts, because an index may be under way from its blocks.

    Returns:
        Whether this was the last table that lacked: of two that end together exactly one is told so.
    """
    # One at a time: otherwise neither of two transactions would see the other's table.
    session.exec(select(SnapshotRow.state).where(*_of(SnapshotRow, project, run)).with_for_update()).all()
    first: Any = session.execute(
        update(SnapshotTableRow)
        .where(*_of(SnapshotTableRow, project, run), col(SnapshotTableRow.name) == table.value)
        .where(col(SnapshotTableRow.state) != DumpState.DONE)
        .values(state=DumpState.DONE, reason=None, attempt=attempt, kept=kept, read_at=now)
    )
    blocks = (*_of(SnapshotBlockRow, project, run), col(SnapshotBlockRow.part) == table.value)
    whose = col(SnapshotBlockRow.attempt)
    session.execute(delete(SnapshotBlockRow).where(*blocks, whose != attempt if first.rowcount else whose == attempt))
    snapshot = load_snapshot(session, project, run)
    return bool(first.rowcount) and snapshot is not None and snapshot.is_read


def record_built(
    session: Session,
    project: Project,
    run: dt.date,
    attempt: str,
    figures: Figures,
    *,
    now: dt.datetime,
    version: str,
) -> None:
    """Note that the index is built: from now on the blocks of this attempt are it, and the tables' are gone.

    Of two attempts the first to end counts, because rankings may be reading it.
    """
    blocks, whose = _of(SnapshotBlockRow, project, run), col(SnapshotBlockRow.attempt)
    size = session.exec(select(func.sum(func.length(SnapshotBlockRow.block))).where(*blocks, whose == attempt)).one()
    first: Any = session.execute(
        update(SnapshotRow)
        .where(*_of(SnapshotRow, project, run), col(SnapshotRow.state) != DumpState.DONE)
        .values(
            state=DumpState.DONE,
            reason=None,
            attempt=attempt,
            figures=figures.as_dict(),
            size=size or 0,
            built_at=now,
            wikiq=version,
        )
    )
    session.execute(delete(SnapshotBlockRow).where(*blocks, whose != attempt if first.rowcount else whose == attempt))


def drop_unused(session: Session, project: Project, used: Collection[dt.date]) -> None:
    """Remove what is built or failed of a wiki's runs that no answer was or is to be ranked by: it may be gigabytes.

    What is waiting stays: it may have been taken down for an answer a moment ago.
    """
    idle = select(col(SnapshotRow.run)).where(
        SnapshotRow.project == project.name, SnapshotRow.state != DumpState.WAITING
    )
    for run in set(session.exec(idle)) - set(used):
        for table in (SnapshotBlockRow, SnapshotTableRow, SnapshotRow):
            session.execute(delete(table).where(*_of(table, project, run)))


def load_snapshot(session: Session, project: Project, run: dt.date) -> Snapshot | None:
    """What became of a run's index; None if it was never asked for."""
    row = session.get(SnapshotRow, (project.name, run))
    return _snapshot(session, row) if row else None


def all_snapshots(session: Session, project: Project | None = None) -> tuple[Snapshot, ...]:
    """Every snapshot that was asked for, of one wiki or of all."""
    query = select(SnapshotRow).order_by(col(SnapshotRow.project), col(SnapshotRow.run))
    if project is not None:
        query = query.where(SnapshotRow.project == project.name)
    return tuple(_snapshot(session, row) for row in session.exec(query))


def snapshot_state(session: Session, project: Project, run: dt.date) -> tuple[DumpState, str | None]:
    """Only the state of a run's index and the reason for it; what was never asked for is waiting."""
    found = session.exec(
        select(SnapshotRow.state, SnapshotRow.reason).where(SnapshotRow.project == project.name, SnapshotRow.run == run)
    ).first()
    return (DumpState(found[0]), found[1]) if found else (DumpState.WAITING, None)


def unread_files(session: Session) -> frozenset[str]:
    """The names of the dumps that are not read yet."""
    query = select(col(SnapshotTableRow.file)).where(col(SnapshotTableRow.state) != DumpState.DONE)
    return frozenset(session.exec(query))


def blocks_written(session: Session, project: Project, run: dt.date) -> int:
    """How many blocks there are: a number that moves as long as somebody works."""
    return session.exec(
        select(func.count()).select_from(SnapshotBlockRow).where(*_of(SnapshotBlockRow, project, run))
    ).one()


def _of(table: Any, project: Project, run: dt.date) -> tuple[Any, ...]:  # noqa: ANN401 any of the three tables
    return col(table.project) == project.name, col(table.run) == run


def _snapshot(session: Session, row: SnapshotRow) -> Snapshot:
    tables = session.exec(
        select(SnapshotTableRow).where(SnapshotTableRow.project == row.project, SnapshotTableRow.run == row.run)
    )
    found = {table.name: table for table in tables}
    return Snapshot(
        project=parse_project(row.project),
        run=row.run,
        state=DumpState(row.state),
        reason=row.reason,
        source=row.source,
        siteinfo=row.siteinfo,
        tables=tuple(_table(found[name.value]) for name in DumpTable if name.value in found),
        figures=Figures(**row.figures) if row.figures else None,
        size=row.size,
        built_at=row.built_at,
        wikiq=row.wikiq,
    )


def _table(row: SnapshotTableRow) -> TableStanding:
    return TableStanding(
        table=DumpTable(row.name),
        state=DumpState(row.state),
        reason=row.reason,
        file=DumpFile(row.file, row.size, row.sha1, row.md5),
        attempt=row.attempt,
        kept=row.kept,
    )
