"""What the ledger teaches about hours to come: how fast files were counted, and how many titles a wiki has in one."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import Session, col, select

from models.project import Project
from models.tables import HourRow, HourState


@dataclass(frozen=True, slots=True)
class Counted:
    """Files that were counted, each once, their bytes, and the seconds that counting and storing them took."""

    files: int
    size: int
    seconds: float


def counted_files(session: Session) -> Counted:
    """All files of which it was noted how long they took; an hour counted anew replaces the one before."""
    files = (
        select(
            func.max(HourRow.size).label("size"),
            # Of a file's rows, one per project, the last to be written has the most seconds.
            func.max(col(HourRow.counting) + col(HourRow.storing)).label("seconds"),
        )
        .where(HourRow.state == HourState.COUNTED, col(HourRow.counting).is_not(None))
        .group_by(col(HourRow.day), col(HourRow.hour), col(HourRow.url))
        .subquery()
    )
    number, size, seconds = session.exec(select(func.count(), func.sum(files.c.size), func.sum(files.c.seconds))).one()
    return Counted(number, int(size or 0), float(seconds or 0))


def counted_titles(session: Session, project: Project) -> tuple[int, int]:
    """Bytes of the files that were counted for a project, and its titles in them, each once per hour."""
    found = session.exec(
        select(func.sum(HourRow.size), func.sum(HourRow.titles)).where(
            HourRow.project == project.name, HourRow.state == HourState.COUNTED
        )
    ).one()
    size, titles = (int(number or 0) for number in found)
    return size, titles
