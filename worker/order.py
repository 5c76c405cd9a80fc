"""What a user asks for, and which part of the database it is about."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from models.answer import Period, Universe
from models.hour import DAYS_IN_WEEK
from models.project import Project
from worker.store.requests import Request


class Hours(NamedTuple):
    """Hours of some projects in a period; None is all that were ever asked for."""

    projects: tuple[Project, ...] | None
    span: Period | None


class Scope(Protocol):
    """A part of everything that was ever asked for, to be followed to its end."""

    @property
    def hours(self) -> Hours:
        """The hours that are to be counted."""

    def holds(self, found: Request) -> bool:
        """Whether an answer belongs to it."""

    def ranks(self, project: Project) -> bool:
        """Whether it needs the project's index."""


class Everything:
    """All that was ever asked for."""

    hours = Hours(None, None)

    def holds(self, _found: Request) -> bool:
        return True

    def ranks(self, _project: Project) -> bool:
        return True


EVERYTHING = Everything()


@dataclass(frozen=True, slots=True)
class Order:
    """What a user asks for.

    ``source`` overrides the workers' own; ``force`` counts anew what is counted; ``snapshot`` is the dump run to rank
    articles by, by default the finished one that is nearest to each day.
    """

    projects: tuple[Project, ...]
    days: tuple[dt.date, ...]
    universe: Universe
    week: bool = False
    source: str | None = None
    force: bool = False
    snapshot: dt.date | None = None

    @property
    def periods(self) -> tuple[Period, ...]:
        """The days, and the week as a whole if it was asked for."""
        return (*(Period(day) for day in self.days), *([Period(self.days[0], DAYS_IN_WEEK)] if self.week else []))

    @property
    def span(self) -> Period:
        """From the first day to the last."""
        return Period(self.days[0], (self.days[-1] - self.days[0]).days + 1)

    @property
    def hours(self) -> Hours:
        """The hours that are to be counted for it."""
        return Hours(self.projects, self.span)

    def ranks(self, project: Project) -> bool:
        """Whether the project's articles are to be ranked."""
        return self.universe is Universe.ARTICLES and project in self.projects

    def holds(self, found: Request) -> bool:
        """Whether the answer is one of those asked for."""
        return found.project in self.projects and found.period in self.periods and found.universe == self.universe


@dataclass(frozen=True, slots=True)
class WikiOrder:
    """Wikis whose dump runs are to be chosen anew: ``snapshot`` for all their days, or the nearest to each."""

    projects: tuple[Project, ...]
    snapshot: dt.date | None = None
    source: str | None = None

    @property
    def hours(self) -> Hours:
        """None at all: it is about what is counted already."""
        return Hours((), None)

    def holds(self, found: Request) -> bool:
        """Whether the answer is by articles of one of the wikis."""
        return found.universe is Universe.ARTICLES and found.project in self.projects

    def ranks(self, project: Project) -> bool:
        """Whether it is one of the wikis."""
        return project in self.projects
