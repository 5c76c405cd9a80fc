"""A wiki at the time of one dump run: what became of its tables and of its index, and what the index holds."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass

from models.dump_run import DumpFile, DumpState, DumpTable
from models.project import Project


@dataclass(frozen=True, slots=True)
class Figures:
    """How many of everything an index has, and how many things in the dumps it could make nothing of.

    ``redirects`` lead to an article; those that do not are counted by what they lead to instead. Redirects to the main
    page are among those to a page that is ``gone``: it is no article.
    """

    articles: int = 0
    redirects: int = 0
    categories: int = 0
    hidden_categories: int = 0
    memberships: int = 0
    hidden_memberships: int = 0
    redirects_to_redirects: int = 0
    redirects_to_themselves: int = 0
    redirects_to_other_wikis: int = 0
    redirects_to_other_namespaces: int = 0
    redirects_to_missing_pages: int = 0
    redirects_without_target: int = 0
    repeated_titles: int = 0
    categories_without_page: int = 0
    links_of_missing_pages: int = 0
    links_to_missing_targets: int = 0

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class TableStanding:
    """What became of one SQL dump of a run; ``kept`` rows were taken from it."""

    table: DumpTable
    state: DumpState
    reason: str | None
    file: DumpFile
    attempt: str | None
    kept: int | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What became of one run's index. ``size`` is that of the stored index, in bytes."""

    project: Project
    run: dt.date
    state: DumpState
    reason: str | None
    source: str | None
    siteinfo: str | None
    tables: tuple[TableStanding, ...]
    figures: Figures | None
    size: int | None
    built_at: dt.datetime | None
    wikiq: str | None

    @property
    def is_read(self) -> bool:
        """Whether all five tables are there to build the index from."""
        return len(self.tables) == len(DumpTable) and all(table.state is DumpState.DONE for table in self.tables)
