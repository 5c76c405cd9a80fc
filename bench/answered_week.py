"""``python -m bench.answered_week DIRECTORY``: a database with a week's complete answers, as `wikiq results` finds it.

The hours are in the ledger with next to no views of their own: what is read are the answers, whose lists have as many
rows as are ever kept.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from sqlmodel import Session

from bench.titles import Lexicon, category_titles, lexicon, titles
from bench.wikiq_hours import PROJECT, open_directory
from models.answer import (
    STORED_DEPTH,
    Answer,
    LeastArticle,
    LeastRequested,
    Period,
    RankedArticle,
    RankedCategory,
    Universe,
)
from models.dump_run import DumpFile, DumpState, DumpTable, RunFiles
from models.hour import DAYS_IN_WEEK, HOURS_IN_DAY, Hour, hours_of, week_from
from models.snapshot import Figures
from models.version import VERSION
from worker.store import ledger, requests, snapshots, wikis
from worker.store.answers import save_answer
from worker.store.database import writing
from worker.store.tallies import FileFacts, pack, record_counted
from worker.tally import SCHEMA

FIRST_DAY = dt.date(2026, 11, 9)
RUN = dt.date(2026, 11, 1)
_NOW = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.answered_week")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--depth", type=int, default=STORED_DEPTH, help="rows of each list")
    arguments = parser.parse_args()
    first = write_week(arguments.directory, arguments.depth)
    sys.stdout.write(f"{first}\n")


def write_week(directory: Path, depth: int) -> str:
    """Write the database; gives the most requested article of the week's first day."""
    rng = np.random.default_rng(7)
    words, context = lexicon(rng), open_directory(directory)
    days = week_from(FIRST_DAY)
    periods = [*map(Period, days), Period(FIRST_DAY, DAYS_IN_WEEK)]
    with writing(context.engine) as session:
        requests.request_answers(session, [PROJECT], periods, Universe.ARTICLES, snapshot=RUN)
        _store_snapshot(session)
        for day in days:
            _count(session, hours_of(day))
    answers = [_answer(rng, words, period, depth) for period in periods]
    with writing(context.engine) as session:
        for answer in answers:
            hours = ledger.fingerprint(ledger.counted_hours(session, PROJECT, answer.period))
            if not save_answer(session, PROJECT, Universe.ARTICLES, answer, hours):
                raise SystemExit("The database does not take the answer.")
    context.engine.dispose()
    return answers[0].most_requested[0].title


def _store_snapshot(session: Session) -> None:
    files = {table: DumpFile(f"{table.value}.sql.gz", 1, None, None) for table in DumpTable}
    snapshots.register_snapshot(session, PROJECT, RunFiles(RUN, files, DumpFile("", 1, None, None)), "{}", None)
    snapshots.record_built(session, PROJECT, RUN, "bench", Figures(), now=_NOW, version=VERSION)
    wikis.record_looked(session, PROJECT, DumpState.DONE, None, now=_NOW)


def _count(session: Session, hours: Sequence[Hour]) -> None:
    tally = pl.DataFrame({"title": [b"Main_Page"], "desktop": [1], "mobile": [1]}, schema=SCHEMA)
    for hour in hours:
        facts = FileFacts(f"https://dumps.example.org/{hour.file_name}", 1, None, None, "0" * 64, 1, 0)
        record_counted(session, PROJECT, hour, facts, pack(tally), now=_NOW, version=VERSION)


def _answer(rng: np.random.Generator, words: Lexicon, period: Period, depth: int) -> Answer:
    names = titles(rng, words, 3 * depth).unique(maintain_order=True).to_list()
    hourly = np.sort(rng.zipf(1.5, (depth, period.days * HOURS_IN_DAY)).clip(1, 50_000), axis=0)[::-1].tolist()
    most = [
        RankedArticle(place + 1, names[place], sum(views), sum(views) // 2, -(-sum(views) // 2), 0, tuple(views), None)
        for place, views in enumerate(hourly)
    ]
    least = [LeastArticle(name, 1, 1, 0, 0) for name in sorted(names[depth : 2 * depth])]
    categories = category_titles(rng, words, depth).to_list()
    return Answer(
        project=PROJECT.name,
        period=period,
        universe=Universe.ARTICLES,
        missing_hours=(),
        snapshot=RUN,
        namespaces=RUN.isoformat(),
        project_views=2 * 10**8,
        article_views=10**8,
        excluded=(),
        malformed_lines=0,
        articles_requested=3_000_000,
        most_requested=tuple(most),
        least_requested=LeastRequested(1, 500_000, 4_000_000, tuple(least)),
        top_categories=tuple(
            RankedCategory(rank, name, 10**7 // rank, 10**4) for rank, name in enumerate(categories, start=1)
        ),
        computed_at=_NOW,
        wikiq=VERSION,
    )


if __name__ == "__main__":
    main()
