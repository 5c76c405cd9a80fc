"""From row changes in the source's binary log to rows of the engine. Pure; no import beyond the standard library.

The log may be read twice, from any earlier point: a row's version is its place in the log, so reading it again writes
the same rows again, and the engine keeps the highest version of each key. Rows of a snapshot have version 0: whatever
the log says of a row is newer. That holds as long as reading begins at a place noted before the snapshot was taken.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

KEY = ("district_id", "class_id", "score_id")
COLUMNS = ("district_id", "class_id", "score_id", "student_id", "points", "seq")
Row = Mapping[str, int]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """The end of a transaction in the log: reading can go on from here."""

    file: str
    position: int

    @property
    def version(self) -> int:
        """The file's number, then the position in it (below 2**40 bytes): grows with the log."""
        return int(self.file.rpartition(".")[2]) << 40 | self.position


@dataclass(frozen=True, slots=True)
class Change:
    """A row before and after; None before an insert and after a delete."""

    before: Row | None
    after: Row | None


def engine_rows(change: Change, version: int) -> list[tuple[int, ...]]:
    """The rows that make the engine agree: columns, version, deleted. A moved row leaves a tombstone where it was."""
    rows = []
    if change.before is not None and (change.after is None or _key(change.before) != _key(change.after)):
        rows.append((*(change.before[name] for name in COLUMNS), version, 1))
    if change.after is not None:
        rows.append((*(change.after[name] for name in COLUMNS), version, 0))
    return rows


def _key(row: Row) -> tuple[int, ...]:
    return tuple(row[name] for name in KEY)


def values(rows: list[tuple[int, ...]]) -> str:
    return ",".join(f"({','.join(map(str, row))})" for row in rows)


def saved(file: Path) -> Place | None:
    """Where reading had come to, None if nothing was saved."""
    return Place(**json.loads(file.read_text(encoding="utf-8"))) if file.exists() else None


def save(file: Path, place: Place) -> None:
    """Whole or not at all, whenever the process is killed."""
    fresh = file.with_suffix(".fresh")
    fresh.write_text(json.dumps(asdict(place)), encoding="utf-8")
    fresh.replace(file)


def visible(seq: int, shown: int | None, deleted: int | None) -> bool:
    """Whether the engine shows the change ``seq`` of a row, or a later one of it.

    ``shown`` is the last change of the row that it shows, None if it has no such row; ``deleted`` is the change that
    deleted the row at the source, None if none did.
    """
    if shown is not None:
        return shown >= seq
    return deleted is not None and deleted >= seq
