"""Wikis whose articles are ranked: which of their dump runs each answer is to be ranked by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, select

from models.answer import Period, Universe
from models.dump_run import DumpState
from models.project import Project, parse_project
from models.tables import AnswerRow, SnapshotRow, WikiRow
from worker.store.reason import kept_reason
from worker.store.snapshots import forget_snapshot_troubles, snapshot_state
from worker.store.upsert import insert_missing


@dataclass(frozen=True, slots=True)
class WikiStanding:
    """Whether a wiki's dump runs were looked at, and with what result; ``pinned`` is the run to use for all days."""

    project: Project
    state: DumpState
    reason: str | None
    pinned: dt.date | None
    source: str | None


def want_wiki(session: Session, project: Project, source: str | None) -> None:
    """Have the wiki's runs looked at, if an answer has none to be ranked by or if that failed before."""
    insert_missing(session, WikiRow, [{"project": project.name, "state": DumpState.WAITING}])
    statement = update(WikiRow).where(col(WikiRow.project) == project.name)
    if not undecided(session, project):
        statement = statement.where(col(WikiRow.state) != DumpState.DONE)
    session.execute(statement.values(state=DumpState.WAITING, reason=None))
    session.execute(update(WikiRow).where(col(WikiRow.project) == project.name).values(source=source))


def choose_anew(session: Session, project: Project, pinned: dt.date | None, source: str | None) -> None:
    """Forget which runs the wiki's answers are ranked by: all take the pinned one, or the nearest to be found."""
    session.execute(
        update(AnswerRow)
        .where(col(AnswerRow.project) == project.name, col(AnswerRow.universe) == Universe.ARTICLES)
        .values(wanted_snapshot=pinned, trouble=None)
    )
    insert_missing(session, WikiRow, [{"project": project.name, "state": DumpState.WAITING}])
    session.execute(
        update(WikiRow)
        .where(col(WikiRow.project) == project.name)
        .values(state=DumpState.WAITING, reason=None, pinned=pinned, source=source)
    )


def forget_wiki_troubles(session: Session) -> None:
    """Let every wiki whose runs could not be had be looked at again."""
    session.execute(
        update(WikiRow).where(col(WikiRow.state) != DumpState.DONE).values(state=DumpState.WAITING, reason=None)
    )


def forget_troubles_of_named(session: Session, project: Project, named: dt.date | None) -> None:
    """Have the named run, and the pinned one, tried again; other runs in trouble are not used, but chosen anew."""
    wiki = load_wiki(session, project)
    for run in (named, wiki.pinned if wiki else None):
        if run is not None:
            forget_snapshot_troubles(session, project, run)


def undecided(session: Session, project: Project) -> tuple[Period, ...]:
    """The periods of the wiki's answers for which no run is chosen."""
    return tuple(sorted((period for period, run in _wanted(session, project) if run is None), key=_begin))


def runs_in_use(session: Session, project: Project) -> frozenset[dt.date]:
    """The runs that the wiki's answers are to be ranked by, and the pinned one."""
    wiki = load_wiki(session, project)
    runs = {run for _, run in _wanted(session, project)} | {wiki.pinned if wiki else None}
    return frozenset(run for run in runs if run is not None)


def wanted_runs(session: Session, project: Project) -> frozenset[dt.date]:
    """The runs whose index is wanted: those in use, or the newest if nothing was asked of the wiki but its index."""
    in_use = runs_in_use(session, project)
    if in_use or _wanted(session, project):
        return in_use
    registered: Any = select(col(SnapshotRow.run)).where(
        SnapshotRow.project == project.name, col(SnapshotRow.siteinfo).is_not(None)
    )
    return frozenset(sorted(session.exec(registered))[-1:])


def runs_to_keep(session: Session, project: Project) -> frozenset[dt.date]:
    """The wanted runs, and those that stored answers were ranked by."""
    ranked = session.exec(select(col(AnswerRow.snapshot)).where(AnswerRow.project == project.name))
    return wanted_runs(session, project) | {run for run in ranked if run is not None}


def decide(session: Session, project: Project, chosen: Mapping[Period, dt.date]) -> None:
    """Rank these periods by these runs, unless something else was decided meanwhile."""
    for period, run in chosen.items():
        session.execute(
            update(AnswerRow)
            .where(
                col(AnswerRow.project) == project.name,
                col(AnswerRow.universe) == Universe.ARTICLES,
                col(AnswerRow.first_day) == period.first,
                col(AnswerRow.days) == period.days,
                col(AnswerRow.wanted_snapshot).is_(None),
            )
            .values(wanted_snapshot=run)
        )


def record_looked(
    session: Session, project: Project, state: DumpState, reason: str | None, *, now: dt.datetime
) -> bool:
    """Note the result of looking at a wiki's runs; False, and nothing noted, if more was asked for meanwhile."""
    if state is DumpState.DONE and undecided(session, project):
        return False
    values = {"state": state, "reason": kept_reason(reason) if reason else None, "looked_at": now}
    session.execute(update(WikiRow).where(col(WikiRow.project) == project.name).values(**values))
    return True


def load_wiki(session: Session, project: Project) -> WikiStanding | None:
    """Where the wiki stands; None if its articles were never asked for."""
    row = session.get(WikiRow, project.name)
    return _standing(row) if row else None


def all_wikis(session: Session) -> tuple[WikiStanding, ...]:
    """Every wiki whose articles were asked for."""
    return tuple(_standing(row) for row in session.exec(select(WikiRow).order_by(col(WikiRow.project))))


def lacks_index(session: Session, wiki: WikiStanding) -> bool:
    """Whether its runs are to be looked at, or an index that is wanted is to be made."""
    return wiki.state is DumpState.WAITING or any(
        snapshot_state(session, wiki.project, run)[0] is DumpState.WAITING for run in wanted_runs(session, wiki.project)
    )


def _standing(row: WikiRow) -> WikiStanding:
    return WikiStanding(parse_project(row.project), DumpState(row.state), row.reason, row.pinned, row.source)


def _wanted(session: Session, project: Project) -> list[tuple[Period, dt.date | None]]:
    query: Any = select(col(AnswerRow.first_day), col(AnswerRow.days), col(AnswerRow.wanted_snapshot)).where(
        AnswerRow.project == project.name, AnswerRow.universe == Universe.ARTICLES
    )
    return [(Period(first, days), run) for first, days, run in session.exec(query)]


def _begin(period: Period) -> tuple[dt.date, int]:
    return period.first, period.days
