"""What fetching and counting so many bytes takes: seconds, and room on disks. Every figure says its source."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from models.hour import HOURS_IN_DAY
from models.project import Project
from worker.budget import CONNECTIONS

CONNECTION_BYTES_PER_SECOND = 5 << 20
"""What Wikimedia gives each connection, about; mirrors may give more."""

HOUR_SECONDS_PER_MB = 0.035
"""One core's, per MB (10^6 bytes) of hour files, all that becomes of them included: ``python -m bench day``, 40
processor seconds for 24 files of 49 MB."""

INDEX_SECONDS_PER_MB = 0.08
"""One core's, per MB of SQL dumps, read and built into an index: ``python -m bench index``, scales 0.02 and 1."""

TITLES_PER_MB = 15_500
"""Of English Wikipedia, per MB of hour files: decision 0003, 1.04 million titles in a file of 67 MB. No other wiki has
so many, so this is an upper bound for one of which nothing was counted yet."""

BYTES_PER_TITLE = 12.8
"""In the database, for each title of each hour, until its day is complete: decision 0003, 320 MB for 24 such hours."""

BYTES_PER_TITLE_OF_COMPLETE_DAY = 2.5
"""The same once the day is ranked, which puts its hours together: ``python -m bench memory``, a fifth of the room."""

INDEX_SHARE, COLUMNS_SHARE = 0.066, 0.18
"""Of the dumps' bytes: a stored index, and the columns it is built from, which go when it is built: ``python -m bench
index``, scales 1 and 0.02."""

_MB = 1e6


@dataclass(frozen=True, slots=True)
class Pace:
    """One core's seconds per MB of hour files, as measured over so many files here; 0 files: elsewhere."""

    seconds_per_mb: float = HOUR_SECONDS_PER_MB
    files: int = 0


@dataclass(frozen=True, slots=True)
class Density:
    """A project's titles per MB of hour files, as counted in the ledger, or, if not ``counted``, at most."""

    titles_per_mb: float = TITLES_PER_MB
    counted: bool = False


@dataclass(frozen=True, slots=True)
class Tallies:
    """Bytes that the database needs for a project's hours: until their days are complete, and from then on.

    ``day`` and ``complete_day`` are for one whole day; ``counted`` says whether that follows from this ledger.
    """

    project: Project
    now: int
    then: int
    day: int
    complete_day: int
    counted: bool


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes that are needed at a place, and free on its disk; ``disk`` names that, None where it is not known."""

    what: str
    place: str
    size: int
    free: int | None = None
    disk: int | None = None


def floor_seconds(
    hours: int, dumps: int, largest: int, *, hour_sources: Collection[str], dump_sources: Collection[str]
) -> float:
    """The least that the sources' limits allow.

    No source gives more than its connections do; hours may come from any of theirs, dumps only from theirs; and one
    file comes through one connection.

    Args:
        hours: bytes of hour files.
        dumps: bytes of SQL dumps.
        largest: bytes of the largest single file.
        hour_sources: keys of the sources of hour files; those that share a key share their connections.
        dump_sources: the same of the SQL dumps.
    """
    everywhere = {*(hour_sources if hours else ()), *(dump_sources if dumps else ())}
    shares = ((hours, hour_sources), (dumps, dump_sources), (hours + dumps, everywhere))
    rate = CONNECTIONS * CONNECTION_BYTES_PER_SECOND
    return max(
        largest / CONNECTION_BYTES_PER_SECOND,
        *(size / (rate * max(len(set(sources)), 1)) for size, sources in shares),
    )


def counting_seconds(hours: int, dumps: int, pace: Pace, cores: int) -> float:
    """What so many cores take for these bytes of hour files and SQL dumps, evenly spread over them."""
    return (hours * pace.seconds_per_mb + dumps * INDEX_SECONDS_PER_MB) / _MB / cores


def tallies(project: Project, hours: Iterable[int], density: Density) -> Tallies:
    """The database's need for hour files of these sizes."""
    sizes = list(hours)
    titles = sum(sizes) / _MB * density.titles_per_mb
    of_day = titles / len(sizes) * HOURS_IN_DAY if sizes else 0.0
    return Tallies(
        project=project,
        now=round(titles * BYTES_PER_TITLE),
        then=round(titles * BYTES_PER_TITLE_OF_COMPLETE_DAY),
        day=round(of_day * BYTES_PER_TITLE),
        complete_day=round(of_day * BYTES_PER_TITLE_OF_COMPLETE_DAY),
        counted=density.counted,
    )


def index_bytes(dumps: int) -> tuple[int, int]:
    """The database's need for an index of dumps of so many bytes: while it is built, and from then on."""
    return round(dumps * (INDEX_SHARE + COLUMNS_SHARE)), round(dumps * INDEX_SHARE)


def download_bytes(sizes: Iterable[int], at_once: int) -> int:
    """The most that lies on a disk when so many files at once are there: the largest ones."""
    return sum(sorted(sizes, reverse=True)[:at_once])


def short_of(needs: Iterable[Need]) -> tuple[tuple[Need, ...], ...]:
    """Those needs, by disk, that are together more than is free on it."""
    by_disk: dict[int, list[Need]] = {}
    for need in needs:
        if need.disk is not None and need.free is not None:
            by_disk.setdefault(need.disk, []).append(need)
    return tuple(
        tuple(found)
        for found in by_disk.values()
        if sum(need.size for need in found) > min(need.free or 0 for need in found)
    )
