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

from bench.turn import peak_mb
from bench.wikiq_hours import PROJECT, open_directory
from models.answer import Period, Universe
from models.hour import DAYS_IN_WEEK, hours_of

Report = dict[str, Any]


def count(directory: Path, arguments: argparse.Namespace) -> Report:
    """Count a day's hours as a worker does, one after the other; how large the process had become after each."""
    import worker.fleet  # noqa: F401 what a worker has imported before its first task
    from worker.counting import count_hour_file
    from worker.store import ledger, requests
    from worker.store.database import writing

    hours = hours_of(arguments.day)[: arguments.hours]
    context = replace(open_directory(directory), now=lambda: hours[-1].end)
    with writing(context.engine) as session:
        ledger.request_hours(session, [PROJECT], hours)
        requests.request_answers(session, [PROJECT], [Period(arguments.day)], Universe.LOGGED_TITLES)
    peaks, states = [], []
    for hour in hours:
        states.append(count_hour_file(context, hour, [PROJECT], source=arguments.source).state)
        peaks.append(peak_mb())
    return {"peaks_mb": peaks, "states": states}


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
    with closing(sqlite3.connect(directory / "wikiq.sqlite")) as database, database:
        database.execute("ATTACH ? AS whole", (str(arguments.whole / "wikiq.sqlite"),))
        known = [day for (day,) in database.execute("SELECT DISTINCT day FROM main.hour WHERE day <= ?", (last,))]
        lacking = f"day <= ? AND day NOT IN ({', '.join('?' * len(known))})"
        for table in ("hour", "hour_tally"):
            database.execute(f"DELETE FROM main.{table} WHERE day > ?", (last,))  # noqa: S608 names of our own
            database.execute(f"INSERT INTO main.{table} SELECT * FROM whole.{table} WHERE {lacking}", (last, *known))  # noqa: S608
    return {}


def size(directory: Path, _arguments: argparse.Namespace) -> Report:
    """Bytes of the database's file, once its log is written into it."""
    file = directory / "wikiq.sqlite"
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return {"file": file.stat().st_size}


_STEPS: Mapping[str, Callable[[Path, argparse.Namespace], Report]] = {
    "count": count,
    "rank": rank,
    "only": only,
    "size": size,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.memory_steps")
    parser.add_argument("step", choices=sorted(_STEPS))
    parser.add_argument("directory", type=Path, help="the data directory")
    parser.add_argument("--day", type=dt.date.fromisoformat)
    parser.add_argument("--days", type=int)
    parser.add_argument("--hours", type=int)
    parser.add_argument("--whole", type=Path, help="the data directory with all days counted")
    parser.add_argument("--source")
    parser.add_argument("--week", action="store_true")
    parser.add_argument("--universe", choices=list(Universe), default=Universe.ARTICLES)
    arguments = parser.parse_args()
    report = _STEPS[arguments.step](arguments.directory, arguments)
    sys.stdout.write(json.dumps({**report, "peak_mb": peak_mb()}) + "\n")


if __name__ == "__main__":
    main()
