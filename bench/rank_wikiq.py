"""wikiq on stored tallies: the day's ranking by articles, and the memory that a week of days takes."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.engines import Answer, Engine, Task
from bench.rank_answer import rank_answer
from bench.rank_world import FIRST_DAY
from bench.turn import peak_mb
from bench.wikiq_hours import PROJECT, open_directory
from models.answer import Answer as Ranking
from models.answer import Period, Universe
from models.hour import DAYS_IN_WEEK, week_from
from worker.answering import rank_period
from worker.context import Context
from worker.store.room import give_room_back


@dataclass(slots=True)
class _Stored:
    """A database of counted hours, and the rankings made of it."""

    context: Context
    rankings: list[Ranking] = field(default_factory=list)

    def rank(self, period: Period) -> Mapping[str, float]:
        """As the worker's task does; how many seconds its parts took."""
        began = time.perf_counter()
        ranking = rank_period(self.context, PROJECT, period, Universe.ARTICLES)
        if ranking is None:
            raise SystemExit("The index is not there.")
        self.rankings.append(ranking)
        ranked = time.perf_counter()
        give_room_back(self.context.engine)
        return {"ranking": ranked - began, "giving room back": time.perf_counter() - ranked}


def _copied(task: Task) -> _Stored:
    """A ranking changes what is stored, so each has a copy of its own."""
    shutil.copytree(task.source / "data", task.scratch, dirs_exist_ok=True)
    stored = _Stored(open_directory(task.scratch))
    # What the index was built from is gone, and the task that built it would have given back its room.
    give_room_back(stored.context.engine)
    # As hours that were counted a while ago are; or the ranking's commit would wait until the copy is written.
    os.sync()
    return stored


def _rank_day(_task: Task, stored: _Stored) -> Mapping[str, float]:
    return stored.rank(Period(FIRST_DAY))


def _rank_week(_task: Task, stored: _Stored) -> Mapping[str, float]:
    """Seven days, then the week that they make; how large the process had become after each."""
    peaks = {}
    for day in week_from(FIRST_DAY):
        stored.rank(Period(day))
        peaks[f"MB after {day}"] = peak_mb()
    stored.rank(Period(FIRST_DAY, DAYS_IN_WEEK))
    return {**peaks, "MB after the week": peak_mb()}


def _answer(_task: Task, stored: _Stored) -> Answer:
    stored.context.engine.dispose()
    ranking = stored.rankings[0]
    least = ranking.least_requested
    requested = ranking.articles_requested
    return rank_answer(
        article_views=ranking.article_views,
        excluded={row.rule.value: (row.views, row.titles) for row in ranking.excluded},
        counts=(requested, requested + ((least and least.unrequested) or 0)),
        most=[(row.title, row.desktop, row.mobile, row.through_redirects, row.rank) for row in ranking.most_requested],
        hourly=[(row.rank, hour, views) for row in ranking.most_requested for hour, views in enumerate(row.hourly)],
        least=(least.views, least.tied) if least else (0, 0),
        least_titles=[row.title for row in least.articles] if least else [],
        categories=[(row.category, row.views, row.articles) for row in ranking.top_categories or ()],
    )


ENGINES = {"wikiq": Engine(_rank_day, _answer, _copied), "wikiq, a week": Engine(_rank_week, _answer, _copied)}
