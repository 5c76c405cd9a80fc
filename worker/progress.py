"""How far things are, as the database tells it: the same for tasks in this process and for a fleet elsewhere."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from models.answer import Universe, Verdict
from models.hour import HOURS_IN_DAY
from models.project import Project
from models.tables import HourState
from worker.context import Context
from worker.enqueue import Order
from worker.store import ledger, requests
from worker.store.database import reading


@dataclass(frozen=True, slots=True)
class Progress:
    """Hours by state (an hour of two projects counts twice), bytes of counted files, answers still to be ranked."""

    hours: Mapping[HourState, int]
    size: int
    unranked: int

    @property
    def total(self) -> int:
        return sum(self.hours.values())

    @property
    def waiting(self) -> int:
        return self.hours.get(HourState.WAITING, 0)

    @property
    def done(self) -> bool:
        """Whether nothing more will happen by itself."""
        return not self.waiting and not self.unranked


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one day of one project stands."""

    project: Project
    day: dt.date
    universe: Universe
    hours: Mapping[HourState, int]
    ranked: bool
    troubles: tuple[ledger.Trouble, ...]

    @property
    def counted(self) -> int:
        return self.hours.get(HourState.COUNTED, 0)

    @property
    def verdict(self) -> Verdict:
        return Verdict.COMPLETE if self.counted == HOURS_IN_DAY else Verdict.INCOMPLETE


def progress_of(context: Context, order: Order | None) -> Progress:
    """Where an order stands now; without one, everything that was ever asked for."""
    projects, span = (order.projects, order.span) if order else (None, None)
    with reading(context.engine) as session:
        wanted = [found for found in requests.all_requests(session) if order is None or order.holds(found)]
        hours: Counter[HourState] = Counter()
        for states in ledger.tally_states(session, projects, span).values():
            hours.update(states)
        return Progress(
            hours=hours,
            size=ledger.counted_bytes(session, projects, span),
            unranked=len(requests.out_of_date(session, wanted)),
        )


def standings(context: Context, order: Order | None = None) -> tuple[Standing, ...]:
    """Where each day stands that was asked for, of an order or ever."""
    projects, span = (order.projects, order.span) if order else (None, None)
    with reading(context.engine) as session:
        wanted = [found for found in requests.all_requests(session) if order is None or order.holds(found)]
        days = [found for found in wanted if not found.period.is_week]
        stale = set(requests.out_of_date(session, days))
        states = ledger.tally_states(session, projects, span)
        troubles = ledger.troubles(session, projects, span)
    return tuple(
        Standing(
            project=found.project,
            day=found.period.first,
            universe=found.universe,
            hours=states.get((found.project.name, found.period.first), {}),
            ranked=found not in stale,
            troubles=tuple(
                trouble
                for trouble in troubles
                if (trouble.project, trouble.hour.day) == (found.project.name, found.period.first)
            ),
        )
        for found in days
    )
