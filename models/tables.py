"""The database: one ledger of hours, the bulk of their counts as blocks, and the answers as rows.

``hour``            the ledger: one row per (project, hour) that was ever asked for, and what became of it
``hour_tally``      the counted views of that hour, a Parquet block (worker/tally.py); written with its ledger row, and
                    there until the day is ranked the next time
``day_tally``       the views of a day's other counted hours, together, as Parquet blocks (worker/day.py)
``siteinfo``        what a wiki says of its namespaces, as it was fetched
``source_trouble``  sources that refused or did not answer a moment ago
``wiki``            one row per wiki that is ranked by articles: whether its dump runs were found, which one is pinned
``snapshot``        one row per (wiki, dump run) whose index was asked for, and what became of it
``snapshot_table``  the five SQL dumps of a run, and what became of each
``snapshot_block``  columns of these dumps until the index is built, then the index, as Parquet blocks
``answer``          one row per (project, period, universe) that was asked for; its figures once it was ranked
``exclusion``, ``ranked_article``, ``ranked_category``   the rows of an answer

Days and hours are UTC, an hour is named by its start; sizes are bytes, views are page requests by users. Columns stand
in the order in which migrations put them: a database that is made anew is like one that was brought up to date.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from sqlalchemy import JSON, BigInteger, CheckConstraint, Column, DateTime, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from models.dump_run import DumpState


class HourState(StrEnum):
    """What became of an hour that was asked for."""

    WAITING = "waiting"
    COUNTED = "counted"
    MISSING = "missing"  # the source has no such file (yet)
    REFUSED = "refused"  # the source refuses this client
    UNREACHABLE = "unreachable"  # the source did not answer
    FAILED = "failed"  # what arrived could not be counted


class RankedKind(StrEnum):
    """Which list of an answer a ranked article stands in."""

    MOST_REQUESTED = "most_requested"
    LEAST_REQUESTED = "least_requested"


def _utc(*, nullable: bool = True) -> Column[dt.datetime]:
    return Column(DateTime(timezone=True), nullable=nullable)


def _big(*, nullable: bool = True) -> Column[int]:
    return Column(BigInteger, nullable=nullable)


class HourRow(SQLModel, table=True):
    """One line of the ledger.

    ``waited`` (for a connection), ``downloading`` (while holding one), ``counting`` and ``storing`` (up to the commit)
    are seconds. They tell of the file, so each project it was counted for repeats them.
    """

    __tablename__ = "hour"
    __table_args__ = (CheckConstraint("hour BETWEEN 0 AND 23", name="hour_of_day"),)

    project: str = Field(primary_key=True)
    day: dt.date = Field(primary_key=True)
    hour: int = Field(primary_key=True)
    state: str = Field(default=HourState.WAITING, index=True)
    recount: bool = False  # it is counted, and asked for anew
    reason: str | None = Field(default=None, sa_column=Column(Text))
    tries: int = 0
    tried_at: dt.datetime | None = Field(default=None, sa_column=_utc())
    url: str | None = Field(default=None, sa_column=Column(Text))
    size: int | None = Field(default=None, sa_column=_big())
    etag: str | None = None
    last_modified: str | None = None
    sha256: str | None = None
    lines: int | None = Field(default=None, sa_column=_big())
    malformed: int | None = Field(default=None, sa_column=_big())
    views: int | None = Field(default=None, sa_column=_big())
    titles: int | None = Field(default=None, sa_column=_big())
    counted_at: dt.datetime | None = Field(default=None, sa_column=_utc())
    wikiq: str | None = None
    waited: float | None = None
    downloading: float | None = None
    counting: float | None = None
    storing: float | None = None


class HourTallyRow(SQLModel, table=True):
    """The counted views of one hour; where there is such a row, what its day's rows say of the hour is out of date."""

    __tablename__ = "hour_tally"

    project: str = Field(primary_key=True)
    day: dt.date = Field(primary_key=True)
    hour: int = Field(primary_key=True)
    block: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class DayTallyRow(SQLModel, table=True):
    """The views of some titles of a day, by hour, as three blocks; numbers ascend with the titles."""

    __tablename__ = "day_tally"

    project: str = Field(primary_key=True)
    day: dt.date = Field(primary_key=True)
    number: int = Field(primary_key=True)
    titles: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    views: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    large: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class SiteinfoRow(SQLModel, table=True):
    """A wiki's siteinfo document, or why it could not be had (then MediaWiki's canonical names serve)."""

    __tablename__ = "siteinfo"

    project: str = Field(primary_key=True)
    run: dt.date | None = None
    document: str | None = Field(default=None, sa_column=Column(Text))
    reason: str | None = Field(default=None, sa_column=Column(Text))
    fetched_at: dt.datetime = Field(sa_column=_utc(nullable=False))


class SourceTroubleRow(SQLModel, table=True):
    """A source that refused or did not answer a moment ago, so that it is spared the requests for all other hours."""

    __tablename__ = "source_trouble"

    source: str = Field(primary_key=True)
    state: str
    reason: str = Field(sa_column=Column(Text, nullable=False))
    at: dt.datetime = Field(sa_column=_utc(nullable=False))


class WikiRow(SQLModel, table=True):
    """A wiki whose articles are ranked; ``pinned`` is the run for all its days, else each has its nearest."""

    __tablename__ = "wiki"

    project: str = Field(primary_key=True)
    state: str = Field(default=DumpState.WAITING)
    reason: str | None = Field(default=None, sa_column=Column(Text))
    pinned: dt.date | None = None
    source: str | None = Field(default=None, sa_column=Column(Text))
    looked_at: dt.datetime | None = Field(default=None, sa_column=_utc())


class SnapshotRow(SQLModel, table=True):
    """A wiki at the time of a dump run. ``attempt`` names the blocks of its index, ``figures`` says what it holds."""

    __tablename__ = "snapshot"

    project: str = Field(primary_key=True)
    run: dt.date = Field(primary_key=True)
    state: str = Field(default=DumpState.WAITING)
    reason: str | None = Field(default=None, sa_column=Column(Text))
    source: str | None = Field(default=None, sa_column=Column(Text))
    siteinfo: str | None = Field(default=None, sa_column=Column(Text))
    attempt: str | None = None
    figures: dict[str, int] | None = Field(default=None, sa_column=Column(JSON))
    size: int | None = Field(default=None, sa_column=_big())
    built_at: dt.datetime | None = Field(default=None, sa_column=_utc())
    wikiq: str | None = None


class SnapshotTableRow(SQLModel, table=True):
    """One SQL dump of a run. ``size`` and the checksums are as announced; ``kept`` rows are in its blocks."""

    __tablename__ = "snapshot_table"

    project: str = Field(primary_key=True)
    run: dt.date = Field(primary_key=True)
    name: str = Field(primary_key=True)
    state: str = Field(default=DumpState.WAITING)
    reason: str | None = Field(default=None, sa_column=Column(Text))
    file: str
    size: int = Field(sa_column=_big(nullable=False))
    sha1: str | None = None
    md5: str | None = None
    attempt: str | None = None
    kept: int | None = Field(default=None, sa_column=_big())
    read_at: dt.datetime | None = Field(default=None, sa_column=_utc())


class SnapshotBlockRow(SQLModel, table=True):
    """A piece of a table's columns or of an index; only those count whose ``attempt`` their table or snapshot names."""

    __tablename__ = "snapshot_block"

    project: str = Field(primary_key=True)
    run: dt.date = Field(primary_key=True)
    part: str = Field(primary_key=True)
    attempt: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    block: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class AnswerRow(SQLModel, table=True):
    """One answer that was asked for; ``fingerprint`` names the counted hours it was ranked from, null before."""

    __tablename__ = "answer"
    __table_args__ = (
        UniqueConstraint("project", "first_day", "days", "universe", name="one_answer"),
        CheckConstraint("days IN (1, 7)", name="day_or_week"),
    )

    id: int | None = Field(default=None, primary_key=True)
    project: str
    first_day: dt.date
    days: int
    universe: str
    source: str | None = Field(default=None, sa_column=Column(Text))  # where to fetch; null is each worker's own
    fingerprint: str | None = None
    verdict: str | None = None
    missing_hours: list[str] | None = Field(default=None, sa_column=Column(JSON))
    snapshot: dt.date | None = None
    namespaces: str | None = None
    project_views: int | None = Field(default=None, sa_column=_big())
    article_views: int | None = Field(default=None, sa_column=_big())
    malformed_lines: int | None = Field(default=None, sa_column=_big())
    articles_requested: int | None = Field(default=None, sa_column=_big())
    least_views: int | None = Field(default=None, sa_column=_big())
    least_tied: int | None = Field(default=None, sa_column=_big())
    unrequested: int | None = Field(default=None, sa_column=_big())
    has_categories: bool = False
    computed_at: dt.datetime | None = Field(default=None, sa_column=_utc())
    wikiq: str | None = None
    wanted_snapshot: dt.date | None = None  # the run to rank by; null until it is chosen, and for logged titles
    trouble: str | None = Field(default=None, sa_column=Column(Text))  # why the last ranking failed


class ExclusionRow(SQLModel, table=True):
    """What one rule kept out of an answer."""

    __tablename__ = "exclusion"

    answer_id: int = Field(primary_key=True, foreign_key="answer.id", ondelete="CASCADE")
    rule: str = Field(primary_key=True)
    views: int = Field(sa_column=_big(nullable=False))
    titles: int = Field(sa_column=_big(nullable=False))


class RankedArticleRow(SQLModel, table=True):
    """One article of an answer's lists; ``hourly`` and ``flag`` for the most requested only."""

    __tablename__ = "ranked_article"

    answer_id: int = Field(primary_key=True, foreign_key="answer.id", ondelete="CASCADE")
    kind: str = Field(primary_key=True)
    rank: int = Field(primary_key=True)
    title: str = Field(sa_column=Column(Text, nullable=False))
    views: int = Field(sa_column=_big(nullable=False))
    desktop: int = Field(sa_column=_big(nullable=False))
    mobile: int = Field(sa_column=_big(nullable=False))
    through_redirects: int = Field(sa_column=_big(nullable=False))
    hourly: list[int] | None = Field(default=None, sa_column=Column(JSON))
    flag: str | None = None


class RankedCategoryRow(SQLModel, table=True):
    """One of an answer's top categories."""

    __tablename__ = "ranked_category"

    answer_id: int = Field(primary_key=True, foreign_key="answer.id", ondelete="CASCADE")
    rank: int = Field(primary_key=True)
    category: str = Field(sa_column=Column(Text, nullable=False))
    views: int = Field(sa_column=_big(nullable=False))
    articles: int = Field(sa_column=_big(nullable=False))
