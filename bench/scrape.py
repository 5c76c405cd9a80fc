"""``python -m bench.scrape``: what a scrape costs with a year of three projects, and what exactness would cost."""

from __future__ import annotations

import argparse
import datetime as dt
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Engine, insert
from sqlmodel import SQLModel

from cli.exposition import text
from models.answer import Period, Universe, Verdict
from models.dump_run import DumpState
from models.hour import Hour, hours_of
from models.tables import AnswerRow, HourRow, HourState, HourTallyRow, SnapshotRow, WikiRow
from worker.metrics import Metrics
from worker.store.database import reading, writing
from worker.store.figures import open_hastily, read_figures
from worker.store.requests import all_requests, out_of_date

PROJECTS = ("en.wikipedia", "de.wikipedia", "commons.wikimedia")
FIRST, NOW = dt.date(2024, 1, 1), dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
BLOCK = 20_000
"""Bytes of each tally: far less than real ones, enough that reading them would show."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.scrape", description=__doc__)
    parser.add_argument("url", nargs="?", help="an EMPTY database; without one a SQLite file is made")
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--rounds", type=int, default=10)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wikiq-bench-") as directory:
        engine = open_hastily(arguments.url or f"sqlite:///{directory}/wikiq.sqlite")
        for project in PROJECTS:
            fill(engine, project, arguments.days)
        lines = [*report(engine, arguments.rounds)]
        engine.dispose()
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def fill(engine: Engine, project: str, days: int) -> None:
    """Put so many complete days of a project, their weeks and twelve indexes into a database."""
    wanted = [FIRST + dt.timedelta(days=number) for number in range(days)]
    hours = [hour for day in wanted for hour in hours_of(day)]
    periods = [Period(day) for day in wanted] + [Period(day, 7) for day in wanted[: days - 6 : 7]]
    runs = [FIRST + dt.timedelta(days=30 * number) for number in range(12)]
    rows: dict[type[SQLModel], list[dict[str, Any]]] = {
        HourRow: [_hour(project, hour) for hour in hours],
        HourTallyRow: [
            {"project": project, "day": hour.day, "hour": hour.hour, "block": os.urandom(BLOCK)} for hour in hours
        ],
        AnswerRow: [_answer(project, period) for period in periods],
        WikiRow: [{"project": project, "state": DumpState.DONE}],
        SnapshotRow: [
            {"project": project, "run": run, "state": DumpState.DONE, "siteinfo": "x" * BLOCK} for run in runs
        ],
    }
    with writing(engine) as session:
        for table, values in rows.items():
            session.execute(insert(table), values)


def report(engine: Engine, rounds: int) -> Iterator[str]:
    """Seconds of a scrape, and of finding late answers the exact way."""
    wall, cpu = zip(*(_timed(lambda: _scrape(engine)) for _ in range(rounds)), strict=True)
    found = read_figures(engine)
    hours, answers = sum(found.hours.values()), sum(found.answers.numbers.values())
    yield f"{engine.name}: {hours} hours, {answers} answers, {len(_scrape(engine))} bytes of text"
    yield f"scrape: {min(wall):.3f} s at best, median {statistics.median(wall):.3f} s, {min(cpu):.3f} s of CPU"
    yield f"late answers by their fingerprints: {_timed(lambda: _exact(engine))[0]:.1f} s"


def _scrape(engine: Engine) -> str:
    seen = Metrics(read_figures(engine), None)
    return text(lambda: seen)


def _exact(engine: Engine) -> object:
    with reading(engine) as session:
        return out_of_date(session, all_requests(session))


def _timed(action: Callable[[], object]) -> tuple[float, float]:
    began, used = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - began, time.process_time() - used


def _hour(project: str, hour: Hour) -> dict[str, Any]:
    facts = {"size": 50_000_000, "lines": 5_200_000, "malformed": 3, "views": 9_000_000, "titles": 1_000_000}
    phases = {"waited": 1.0, "downloading": 9.0, "counting": 1.0, "storing": 0.25}
    where = {"url": f"https://dumps.example.org/{hour.path}", "etag": '"0123456789abcdef"', "sha256": "a" * 64}
    key = {"project": project, "day": hour.day, "hour": hour.hour}
    return {**key, **facts, **phases, **where, "state": HourState.COUNTED, "counted_at": NOW, "wikiq": "0"}


def _answer(project: str, period: Period) -> dict[str, Any]:
    key = {"project": project, "first_day": period.first, "days": period.days, "universe": Universe.ARTICLES}
    basis = {"fingerprint": "f" * 64, "snapshot": FIRST, "wanted_snapshot": FIRST, "namespaces": str(FIRST)}
    return {**key, **basis, "verdict": Verdict.COMPLETE, "missing_hours": [], "computed_at": NOW}


if __name__ == "__main__":
    raise SystemExit(main())
