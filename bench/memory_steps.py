"""``python -m bench.memory_steps STEP DIRECTORY …``: one step of ``bench memory`` in a process of its own.

Each prints one JSON object; its ``peak_mb`` is the most memory that this process had resident, in 10**6 bytes.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sqlite3
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.english_views import english_views
from bench.turn import peak_mb
from bench.wikiq_hours import PROJECT, open_directory
from models.answer import Period, Universe
from models.hour import DAYS_IN_WEEK, hours_of

Report = dict[str, Any]


def count(directory: Path, arguments: argparse.Namespace) -> Report:
    """Count the hours of some days as a worker does, one after the other, in this one process.

    Reports how large it had become after each, day by day, and each day's views by the ledger. At the end of the first
    day the database is copied, so that what a single day takes can be measured there.
    """
    import worker.fleet  # noqa: F401 what a worker has imported before its first task
    from worker.counting import count_hour_file
    from worker.store import ledger, requests
    from worker.store.database import writing

    days = [arguments.day + dt.timedelta(days=number) for number in range(arguments.days)]
    hours = {day: hours_of(day)[: arguments.hours] for day in days}
    context = replace(open_directory(directory), now=lambda: hours[days[-1]][-1].end)
    with writing(context.engine) as session:
        ledger.request_hours(session, [PROJECT], [hour for of_day in hours.values() for hour in of_day])
        requests.request_answers(session, [PROJECT], map(Period, days), Universe.LOGGED_TITLES)
    peaks: list[list[float]] = []
    states: list[str] = []
    for day in days:
        peaks.append([])
        for hour in hours[day]:
            states.append(count_hour_file(context, hour, [PROJECT], source=arguments.source).state)
            peaks[-1].append(peak_mb())
        if day == arguments.day:
            _copy(directory, arguments.first_day)
    return {"peaks_mb": peaks, "states": states, "views": _views(directory)}


def views(directory: Path, arguments: argparse.Namespace) -> Report:
    """The views of English Wikipedia in a day's hour files."""
    hours = hours_of(arguments.day)[: arguments.hours]
    return {"views": sum(english_views(directory / hour.file_name) for hour in hours)}


def rank(directory: Path, arguments: argparse.Namespace) -> Report:
    """Rank a day or a week of what is counted, and give free room back, as a worker does."""
    from worker.answering import rank_period
    from worker.store.room import give_room_back

    context = open_directory(directory)
    period = Period(arguments.day, DAYS_IN_WEEK if arguments.week else 1)
    answer = rank_period(context, PROJECT, period, Universe(arguments.universe))
    give_room_back(context.engine)
    context.engine.dispose()
    if answer is None:
        raise SystemExit("The index is not there.")
    return {"article_views": answer.article_views, "project_views": answer.project_views}


def only(directory: Path, arguments: argparse.Namespace) -> Report:
    """Have a week's first days counted, and no others: those that lack come from the database they were copied from."""
    last = (arguments.day + dt.timedelta(days=arguments.days - 1)).isoformat()
    with closing(_database(directory)) as database, database:
        database.execute("ATTACH ? AS whole", (str(arguments.whole / "wikiq.sqlite"),))
        known = [day for (day,) in database.execute("SELECT DISTINCT day FROM main.hour WHERE day <= ?", (last,))]
        lacking = f"day <= ? AND day NOT IN ({', '.join('?' * len(known))})"
        for table in ("hour", "hour_tally"):
            database.execute(f"DELETE FROM main.{table} WHERE day > ?", (last,))  # noqa: S608 names of our own
            database.execute(f"INSERT INTO main.{table} SELECT * FROM whole.{table} WHERE {lacking}", (last, *known))  # noqa: S608
    return {}


def size(directory: Path, _arguments: argparse.Namespace) -> Report:
    """Bytes of the database's file, once its log is written into it."""
    with closing(_database(directory)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return {"file": (directory / "wikiq.sqlite").stat().st_size}


def _copy(directory: Path, other: Path) -> None:
    """As SQLite does it: a file that is read without its knowledge loses the locks of this process when closed."""
    other.mkdir()
    with closing(_database(directory)) as database, closing(_database(other)) as copy:
        database.backup(copy)


def _views(directory: Path) -> list[int]:
    """Each day's, without the code that ranks."""
    sums = "SELECT coalesce(sum(views), 0) FROM hour GROUP BY day ORDER BY day"
    with closing(_database(directory)) as database:
        return [views for (views,) in database.execute(sums)]


def _database(directory: Path) -> sqlite3.Connection:
    return sqlite3.connect(directory / "wikiq.sqlite")


_STEPS: Mapping[str, Callable[[Path, argparse.Namespace], Report]] = {
    "count": count,
    "views": views,
    "rank": rank,
    "only": only,
    "size": size,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.memory_steps")
    parser.add_argument("step", choices=sorted(_STEPS))
    parser.add_argument("directory", type=Path, help="the data directory, or the one with the hour files")
    parser.add_argument("--day", type=dt.date.fromisoformat)
    parser.add_argument("--days", type=int)
    parser.add_argument("--hours", type=int)
    parser.add_argument("--first-day", type=Path, help="the data directory that the first day is copied to")
    parser.add_argument("--whole", type=Path, help="the data directory with all days counted")
    parser.add_argument("--source")
    parser.add_argument("--week", action="store_true")
    parser.add_argument("--universe", choices=list(Universe), default=Universe.ARTICLES)
    arguments = parser.parse_args()
    report = _STEPS[arguments.step](arguments.directory, arguments)
    sys.stdout.write(json.dumps({**report, "peak_mb": peak_mb()}) + "\n")


if __name__ == "__main__":
    main()
