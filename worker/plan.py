"""What an order would fetch, as values: which hour files and dumps, of how many bytes, from which sources."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean

from models.dump_run import DumpState
from models.hour import Hour
from models.project import Project
from worker.budget import CONNECTIONS, files_at_once
from worker.hour_listing import ListedFile
from worker.needs import Need, Pace, Tallies, counting_seconds, download_bytes, floor_seconds, index_bytes, short_of

TYPICAL_HOUR_BYTES = 57_600_000
"""The mean of Wikimedia's hour files in 2026; they lie between 45 and 77 MiB. For files whose size is not listed."""


class Look(StrEnum):
    """What looking at a source led to."""

    ANSWERED = "answered"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    FAILED = "failed"  # what arrived is no listing, or it could not be asked from here
    NOT_ASKED = "not asked"  # nothing is needed from it


@dataclass(frozen=True, slots=True)
class SourceLook:
    """A source, without credentials, and what it answered; those with the same ``key`` share their connections."""

    source: str
    key: str
    look: Look
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file to fetch. Bytes; ``exact`` if the source says the size to the byte; ``here`` is on this disk already."""

    name: str
    size: int
    exact: bool = True
    here: int = 0

    @property
    def left(self) -> int:
        return max(self.size - self.here, 0)


@dataclass(frozen=True, slots=True)
class PlannedHours:
    """The hours that were asked for, each in exactly one of four ways.

    ``missing`` are over, but the source has no file of them (yet). ``listed`` is how many of all the source has, None
    where no source told.
    """

    counted: tuple[Hour, ...]
    to_fetch: Mapping[Hour, PlannedFile]
    missing: tuple[Hour, ...]
    not_over: tuple[Hour, ...]
    listed: int | None

    @property
    def wanted(self) -> int:
        return len(self.counted) + len(self.to_fetch) + len(self.missing) + len(self.not_over)


@dataclass(frozen=True, slots=True)
class PlannedIndex:
    """A wiki's index by one dump run: ``state`` is that of ``models.dump_run``, ``waiting`` where it is to be made.

    ``files`` are the dumps to fetch for it; ``run`` is None where none could be chosen, and ``reason`` says why.
    """

    project: Project
    run: dt.date | None
    state: DumpState
    files: tuple[PlannedFile, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is known beforehand.

    ``dump_source`` is the key of the source of the SQL dumps; ``cores`` are this machine's, None where others count;
    ``tallies`` say what the database needs for each project; ``needs`` are the disks'.
    """

    projects: tuple[Project, ...]
    days: tuple[dt.date, ...]
    hours: PlannedHours
    indexes: tuple[PlannedIndex, ...]
    sources: tuple[SourceLook, ...]
    dump_source: str
    cores: int | None
    pace: Pace
    tallies: tuple[Tallies, ...] = ()
    needs: tuple[Need, ...] = ()

    @property
    def dumps(self) -> tuple[PlannedFile, ...]:
        """The SQL dumps to fetch."""
        return tuple(file for index in self.indexes for file in index.files)

    @property
    def files(self) -> tuple[PlannedFile, ...]:
        """All that is to be fetched."""
        return (*self.hours.to_fetch.values(), *self.dumps)

    @property
    def exact(self) -> bool:
        """Whether every size is known to the byte."""
        return all(file.exact for file in self.files)

    @property
    def serving(self) -> frozenset[str]:
        """The keys of the sources that hour files are expected from: those that answered, or all if none did."""
        answered = {source.key for source in self.sources if source.look is Look.ANSWERED}
        return frozenset(answered or {source.key for source in self.sources})

    @property
    def silent(self) -> tuple[SourceLook, ...]:
        """The sources that would not tell what they have, if none did."""
        answered = any(source.look is Look.ANSWERED for source in self.sources)
        return () if answered else tuple(source for source in self.sources if source.reason is not None)

    @property
    def connections(self) -> int:
        """How many connections may be open at once."""
        return CONNECTIONS * len(
            {*(self.serving if self.hours.to_fetch else ()), *({self.dump_source} if self.dumps else ())}
        )

    @property
    def floor(self) -> float:
        """Seconds that the sources' limits allow at best."""
        return floor_seconds(
            bytes_left(self.hours.to_fetch.values()),
            bytes_left(self.dumps),
            max((file.left for file in self.files), default=0),
            hour_sources=self.serving,
            dump_sources={self.dump_source},
        )

    @property
    def counting(self) -> float | None:
        """Seconds that this machine needs for counting and indexing; None where others do it."""
        if self.cores is None:
            return None
        hours, dumps = (sum(file.size for file in files) for files in (self.hours.to_fetch.values(), self.dumps))
        return counting_seconds(hours, dumps, self.pace, self.cores)

    @property
    def seconds(self) -> float:
        """What is to be expected: whichever limit is the narrower."""
        return max(self.floor, self.counting or 0.0)

    @property
    def downloads(self) -> int:
        """Bytes that downloads take on the disk at most: one file on each connection, and those being counted here."""
        at_once = self.connections if self.cores is None else files_at_once(self.connections, self.cores)
        return download_bytes((file.size for file in self.files), at_once)

    @property
    def database(self) -> int:
        """Bytes that the database grows by at most, before days are complete and indexes built."""
        indexes = (index_bytes(sum(file.size for file in index.files)) for index in self.indexes)
        return sum(found.now for found in self.tallies) + sum(building for building, _ in indexes)

    @property
    def shortages(self) -> tuple[tuple[Need, ...], ...]:
        """Needs that are together more than is free on their disk."""
        return short_of(self.needs)


def bytes_left(files: Collection[PlannedFile]) -> int:
    """Bytes that are still to come."""
    return sum(file.left for file in files)


def plan_hours(
    wanted: Sequence[Hour],
    lacking: Collection[Hour],
    listed: Mapping[Hour, ListedFile] | None,
    here: Mapping[Hour, int],
    now: dt.datetime,
) -> PlannedHours:
    """Tell the hours apart.

    Args:
        wanted: each hour once.
        lacking: those that are not counted, or are to be counted anew.
        listed: what the sources have; None where none of them told: then every hour that is over is taken to be there.
        here: bytes of unfinished downloads.
        now: an hour that ends later cannot be had.
    """
    lacking = set(lacking)
    over = [hour for hour in wanted if hour in lacking and hour.end <= now]
    there = [hour for hour in over if listed is None or hour in listed]
    return PlannedHours(
        counted=tuple(hour for hour in wanted if hour not in lacking),
        to_fetch=_files(there, listed or {}, here),
        missing=tuple(hour for hour in over if listed is not None and hour not in listed),
        not_over=tuple(hour for hour in wanted if hour in lacking and hour.end > now),
        listed=None if listed is None else sum(hour in listed for hour in wanted),
    )


def _files(
    hours: Sequence[Hour], listed: Mapping[Hour, ListedFile], here: Mapping[Hour, int]
) -> dict[Hour, PlannedFile]:
    known = [file.size for file in listed.values() if file.size is not None]
    usual = round(fmean(known)) if known else TYPICAL_HOUR_BYTES
    unknown = ListedFile(None, exact=False)

    def planned(hour: Hour) -> PlannedFile:
        file = listed.get(hour, unknown)
        size = usual if file.size is None else file.size
        return PlannedFile(hour.file_name, size, file.exact, min(here.get(hour, 0), size))

    return {hour: planned(hour) for hour in hours}
