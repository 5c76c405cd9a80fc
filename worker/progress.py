"""How far things are, as the database tells it: the same for tasks in this process and for a fleet elsewhere."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from models.answer import Universe, Verdict
from models.dump_run import DumpState
from models.hour import HOURS_IN_DAY, days_between
from models.project import Project
from models.snapshot import TableStanding
from models.tables import HourState
from worker.context import Context
from worker.order import EVERYTHING, Scope
from worker.partial_file import bytes_here
from worker.store import ledger, requests, snapshots, wikis
from worker.store.database import reading
from worker.store.requests import Request
from worker.store.wikis import WikiStanding


@dataclass(frozen=True, slots=True)
class IndexProgress:
    """How far a wiki's index is. ``run`` is None while its dump runs are not chosen; sizes are bytes.

    ``blocks`` are the pieces that are written to the database so far: a number that moves while somebody works.
    """

    project: Project
    run: dt.date | None
    state: DumpState
    reason: str | None
    tables: int = 0
    fetched: int = 0
    size: int = 0
    blocks: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """Hours by state (an hour of two projects counts twice), bytes of counted files, answers still to be ranked.

    ``unranked`` are the answers that will be ranked by themselves; ``indexes`` those that are not built, whatever the
    reason; ``late_weeks`` the weeks that are out of date, whatever the reason; ``trouble`` why a ranking failed.
    """

    hours: Mapping[HourState, int]
    size: int
    unranked: int
    late_weeks: int = 0
    trouble: str | None = None
    indexes: tuple[IndexProgress, ...] = ()

    @property
    def total(self) -> int:
        return sum(self.hours.values())

    @property
    def waiting(self) -> int:
        return self.hours.get(HourState.WAITING, 0)

    @property
    def done(self) -> bool:
        """Whether nothing more will happen by itself."""
        return not self.waiting and not self.unranked and not self.indexing

    @property
    def indexing(self) -> bool:
        """Whether an index is being made, or will be."""
        return any(index.state is DumpState.WAITING for index in self.indexes)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one day of one project stands.

    ``snapshot`` is the run it was ranked by; ``waits_for`` says why it cannot be ranked by articles yet: the state of
    the index, and the reason if there is one. ``trouble`` says why ranking it failed.
    """

    project: Project
    day: dt.date
    universe: Universe
    hours: Mapping[HourState, int]
    ranked: bool
    troubles: tuple[ledger.Trouble, ...]
    snapshot: dt.date | None = None
    wanted_snapshot: dt.date | None = None
    waits_for: tuple[DumpState, str | None] | None = None
    trouble: str | None = None

    @property
    def counted(self) -> int:
        return self.hours.get(HourState.COUNTED, 0)

    @property
    def verdict(self) -> Verdict:
        return Verdict.COMPLETE if self.counted == HOURS_IN_DAY else Verdict.INCOMPLETE


def progress_of(context: Context, scope: Scope = EVERYTHING) -> Progress:
    """Where an order stands now, or everything that was ever asked for."""
    with reading(context.engine) as session:
        wanted = [found for found in requests.all_requests(session) if scope.holds(found)]
        states = ledger.tally_states(session, *scope.hours)
        hours: Counter[HourState] = Counter()
        for numbers in states.values():
            hours.update(numbers)
        waiting = {key for key, numbers in states.items() if numbers.get(HourState.WAITING)}
        late = requests.out_of_date(session, wanted)
        return Progress(
            hours=hours,
            size=ledger.counted_bytes(session, *scope.hours),
            # Of an answer that waits for hours this is known already, and while hours are counted most do.
            unranked=sum(requests.will_be_ranked(session, found) for found in late if not _waits(found, waiting)),
            late_weeks=sum(found.period.is_week for found in late),
            trouble=next((found.trouble for found in late if found.trouble), None),
            indexes=_indexes(context, scope, wanted),
        )


def standings(context: Context, scope: Scope = EVERYTHING) -> tuple[Standing, ...]:
    """Where each day stands that was asked for, of an order or ever."""
    with reading(context.engine) as session:
        wanted = [found for found in requests.all_requests(session) if scope.holds(found)]
        days = [found for found in wanted if not found.period.is_week]
        stale = set(requests.out_of_date(session, days))
        waits = {found: requests.wait_for_snapshot(session, found) for found in stale}
        states = ledger.tally_states(session, *scope.hours)
        troubles = ledger.troubles(session, *scope.hours)
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
            snapshot=found.snapshot,
            wanted_snapshot=found.wanted_snapshot,
            waits_for=waits.get(found),
            trouble=found.trouble,
        )
        for found in days
    )


def _waits(found: Request, waiting: Collection[tuple[str, dt.date]]) -> bool:
    days = days_between(found.period.first, found.period.last)
    return any((found.project.name, day) in waiting for day in days)


def _indexes(context: Context, scope: Scope, asked: Sequence[Request]) -> tuple[IndexProgress, ...]:
    """Those that are not built, but for indexes that only answers beyond the scope are to be ranked by."""
    with reading(context.engine) as session:
        known = [wiki for wiki in wikis.all_wikis(session) if scope.ranks(wiki.project)]
        if not known:
            return ()
        others = {
            (found.project, found.wanted_snapshot) for found in requests.all_requests(session) if not scope.holds(found)
        } - {(found.project, found.wanted_snapshot) for found in asked}
        wanted = {
            wiki: {run for run in wikis.wanted_runs(session, wiki.project) if (wiki.project, run) not in others}
            for wiki in known
        }
    choices = [
        IndexProgress(wiki.project, None, wiki.state, wiki.reason)
        for wiki in known
        if wiki.state not in (DumpState.DONE, DumpState.NO_DUMPS)
    ]
    found = [_index(context, wiki, run) for wiki in known for run in sorted(wanted[wiki])]
    return (*choices, *(index for index in found if index.state is not DumpState.DONE))


def _index(context: Context, wiki: WikiStanding, run: dt.date) -> IndexProgress:
    with reading(context.engine) as session:
        snapshot = snapshots.load_snapshot(session, wiki.project, run)
        blocks = snapshots.blocks_written(session, wiki.project, run)
    if snapshot is None:
        return IndexProgress(wiki.project, run, DumpState.WAITING, None)
    return IndexProgress(
        project=wiki.project,
        run=run,
        state=snapshot.state,
        reason=snapshot.reason,
        tables=sum(table.state is DumpState.DONE for table in snapshot.tables),
        fetched=sum(_fetched(context, table) for table in snapshot.tables),
        size=sum(table.file.size for table in snapshot.tables),
        blocks=blocks,
    )


def _fetched(context: Context, table: TableStanding) -> int:
    """Bytes of a dump that are here; what other machines have of it is not known."""
    if table.state is DumpState.DONE:
        return table.file.size
    return bytes_here(context.settings.downloads_dir / table.file.name)
