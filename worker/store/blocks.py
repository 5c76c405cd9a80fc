"""The blocks of a snapshot: the columns of its tables, and the parts of its index."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import polars as pl
from sqlalchemy import Engine, delete
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select

from models.dump_run import DumpState
from models.project import Project
from models.siteinfo import parse_siteinfo
from models.snapshot import Figures
from models.tables import SnapshotBlockRow, SnapshotRow
from worker.ahead import ahead
from worker.block import from_block, to_block
from worker.store.database import reading, writing
from worker.store.upsert import upsert
from worker.wiki.index import Part, WikiIndex


@dataclass(frozen=True, slots=True)
class Attempt:
    """One piece of work at a table or at an index: what it writes is kept apart from what any other writes."""

    project: Project
    run: dt.date
    name: str = field(default_factory=lambda: uuid.uuid4().hex)


@contextmanager
def attempting(engine: Engine, project: Project, run: dt.date) -> Iterator[Attempt]:
    """An attempt whose blocks are removed if the work ends in an error."""
    attempt = Attempt(project, run)
    try:
        yield attempt
    except Exception:
        # What cannot be removed now goes with the attempt that succeeds.
        with suppress(DBAPIError), writing(engine) as session:
            session.execute(
                delete(SnapshotBlockRow).where(
                    col(SnapshotBlockRow.project) == project.name,
                    col(SnapshotBlockRow.run) == run,
                    col(SnapshotBlockRow.attempt) == attempt.name,
                )
            )
        raise


def save_block(session: Session, attempt: Attempt, part: str, number: int, frame: pl.DataFrame) -> None:
    """Write a piece of an attempt; it counts for nothing until the attempt is recorded."""
    key = {
        "project": attempt.project.name,
        "run": attempt.run,
        "part": part,
        "attempt": attempt.name,
        "number": number,
    }
    upsert(session, SnapshotBlockRow, key, {"block": to_block(frame)})


def frames_of(engine: Engine, project: Project, run: dt.date, part: str, attempt: str | None) -> Iterator[pl.DataFrame]:
    """The frames of a table or of a part of an index, one at a time."""
    return map(from_block, _blocks_of(engine, project, run, part, attempt))


def _blocks_of(engine: Engine, project: Project, run: dt.date, part: str, attempt: str | None) -> Iterator[bytes]:
    wanted = (
        SnapshotBlockRow.project == project.name,
        SnapshotBlockRow.run == run,
        SnapshotBlockRow.part == part,
        SnapshotBlockRow.attempt == attempt,
    )
    with reading(engine) as session:
        numbers = session.exec(
            select(SnapshotBlockRow.number).where(*wanted).order_by(col(SnapshotBlockRow.number))
        ).all()
        for number in numbers:
            block = select(SnapshotBlockRow.block).where(*wanted, SnapshotBlockRow.number == number)
            yield session.exec(block).one()


def load_index(engine: Engine, project: Project, run: dt.date) -> WikiIndex | None:
    """The index of a run, or None where it is not built."""
    with reading(engine) as session:
        row = session.get(SnapshotRow, (project.name, run))
        if row is None or row.state != DumpState.DONE or row.siteinfo is None or row.figures is None:
            return None
        siteinfo, figures, attempt = row.siteinfo, Figures(**row.figures), row.attempt

    def frames(part: Part) -> Iterator[pl.DataFrame]:
        return ahead(from_block, _blocks_of(engine, project, run, part.value, attempt), many=1)

    return WikiIndex(run, parse_siteinfo(siteinfo, run.isoformat()), figures, frames)
