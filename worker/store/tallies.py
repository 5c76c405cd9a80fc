"""Counts as blocks: an hour's, written with its line of the ledger in one transaction."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict, dataclass

import polars as pl
from sqlmodel import Session

from models.hour import Hour
from models.project import Project
from models.tables import HourRow, HourState, HourTallyRow
from worker.block import FRAME_ROWS, to_block
from worker.phases import PHASES, Phases
from worker.store.ledger import key_of, lacks
from worker.store.upsert import upsert
from worker.tally import views_of


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is remembered of a counted file. ``size`` in bytes; ``lines`` and ``malformed`` of the whole file."""

    url: str
    size: int
    etag: str | None
    last_modified: str | None
    sha256: str
    lines: int
    malformed: int


@dataclass(frozen=True, slots=True)
class PackedTally:
    """A tally as it is stored, with the sum of its views and the number of its titles."""

    block: bytes
    views: int
    titles: int


def pack(tally: pl.DataFrame) -> PackedTally:
    """Pack a tally. It takes a quarter of a second for the largest wiki, in which others may write to the database."""
    return PackedTally(to_block(tally, frame_rows=FRAME_ROWS), views_of(tally), len(tally))


def record_counted(
    session: Session,
    project: Project,
    hour: Hour,
    facts: FileFacts,
    tally: PackedTally,
    *,
    now: dt.datetime,
    version: str,
    phases: Callable[[], Phases] | None = None,
) -> None:
    """Write an hour's facts and tally. The caller's transaction makes both of them visible together.

    ``phases`` is asked once the tally is written, so that it can tell how long that took.
    """
    lacks(session, project, hour)  # until the transaction ends, nobody else puts the hour into its day
    key = key_of(project, hour)
    upsert(session, HourTallyRow, key, {"block": tally.block})
    upsert(
        session,
        HourRow,
        key,
        {
            "state": HourState.COUNTED,
            "recount": False,
            "reason": None if tally.titles else f"the file has no line of {project}",
            "tried_at": now,
            "url": facts.url,
            "size": facts.size,
            "etag": facts.etag,
            "last_modified": facts.last_modified,
            "sha256": facts.sha256,
            "lines": facts.lines,
            "malformed": facts.malformed,
            "views": tally.views,
            "titles": tally.titles,
            **(asdict(phases()) if phases else dict.fromkeys(PHASES)),
            "counted_at": now,
            "wikiq": version,
        },
    )
