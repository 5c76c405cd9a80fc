"""wikiq on a day of hour files: counted by processes as ``wikiq worker`` has them, then ranked by one.

Each process takes a file, counts it and commits its tally, as a worker does once it has downloaded it. Then the day is
ranked from the database, and the room that its hours took is given back. The engine ``wikiq, one process`` does it with
threads, as ``wikiq enqueue`` without a broker.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

from bench.day_answer import day_answer, files_of
from bench.engines import Answer, Engine, Task
from bench.processes import Used, of_others, started, used_since
from bench.wikiq_hours import PROJECT, commit, count, open_directory
from models.answer import Answer as Ranking
from models.answer import Period, Universe
from models.hour import Hour, hour_of_stamp
from worker.answering import rank_period
from worker.context import Context
from worker.store import requests
from worker.store.database import writing
from worker.store.room import give_room_back

CountOne = Callable[[Path], Used]


@dataclass(slots=True)
class _Day:
    """What is open between the steps of a round, and the ranking once there is one."""

    context: Context
    period: Period
    workers: Executor
    count_one: CountOne
    ranking: list[Ranking] = field(default_factory=list)


def _with_processes(task: Task) -> _Day:
    return _open(task, started(task.threads, __name__), lambda _: partial(_count_in_process, task.scratch))


def _with_threads(task: Task) -> _Day:
    return _open(task, ThreadPoolExecutor(task.threads), lambda context: partial(_count, context))


def _open(task: Task, workers: Executor, count_one: Callable[[Context], CountOne]) -> _Day:
    context = open_directory(task.scratch)
    period = Period(_hour_of(files_of(task.source)[0]).day)
    with writing(context.engine) as session:
        requests.request_answers(session, [PROJECT], [period], Universe.LOGGED_TITLES)
    return _Day(context, period, workers, count_one(context))


def _run(task: Task, day: _Day) -> Mapping[str, float]:
    began = time.perf_counter()
    files = list(day.workers.map(day.count_one, files_of(task.source)))
    counted = time.perf_counter()
    ranking = rank_period(day.context, PROJECT, day.period, Universe.LOGGED_TITLES)
    if ranking is not None:
        day.ranking.append(ranking)
    ranked = time.perf_counter()
    give_room_back(day.context.engine)  # as the worker's task does that ranks a day
    parts = {"counting": counted - began, "ranking": ranked - counted, "giving room back": time.perf_counter() - ranked}
    return {**parts, **of_others(files)}


def _count_in_process(directory: Path, file: Path) -> Used:
    return _count(_context(directory), file)


@cache
def _context(directory: Path) -> Context:
    return open_directory(directory)


def _count(context: Context, file: Path) -> Used:
    began = time.process_time()
    commit(context, _hour_of(file), file, count(file))
    return used_since(began)


def _hour_of(file: Path) -> Hour:
    return hour_of_stamp(file.name.removeprefix("pageviews-").removesuffix(".gz"))


def _answer(_task: Task, day: _Day) -> Answer:
    day.workers.shutdown()
    day.context.engine.dispose()
    [ranking] = day.ranking
    least = ranking.least_requested
    sums = [(row.rule.value, row.views, row.titles) for row in ranking.excluded]
    return day_answer(
        [(None, ranking.article_views, ranking.articles_requested), *sums],
        [(row.title, row.desktop, row.mobile) for row in ranking.most_requested],
        {row.title: dict(enumerate(row.hourly)) for row in ranking.most_requested},
        (least.views, least.tied) if least else (0, 0),
        [row.title for row in least.articles] if least else [],
    )


ENGINES = {
    "wikiq": Engine(_run, _answer, _with_processes),
    "wikiq, one process": Engine(_run, _answer, _with_threads),
}
