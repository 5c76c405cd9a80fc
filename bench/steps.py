"""``python -m bench.steps STEP DIRECTORY …``: one step of ``bench index`` in a process of its own.

Each prints one JSON object; its ``peak_mb`` is the most memory that this process had resident, in 10**6 bytes.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import resource
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sqlalchemy import func
from sqlmodel import Session, select

from bench.columns import table_frames
from bench.generate_day import DAY, draw_day, draw_hours
from bench.generate_dumps import write_dumps
from bench.links import no_links
from bench.truth import check_figures, check_index, write_figures, write_truth
from bench.wiki import invent
from models.answer import Period, Universe
from models.dump_run import DumpFile, DumpTable, RunFiles
from models.project import parse_project
from models.tables import SnapshotBlockRow
from worker.answering import rank_period
from worker.context import Context, open_context
from worker.indexing import build
from worker.settings import read_settings
from worker.store import blocks, requests, snapshots
from worker.store.blocks import Attempt, load_index
from worker.store.database import reading, writing
from worker.store.tallies import FileFacts, pack, record_counted
from worker.unpack import unpack
from worker.wiki.index import WikiIndex
from worker.wiki.tables import table_columns

PROJECT = parse_project("en.wikipedia")
RUN = dt.date(2026, 11, 1)
_SITEINFO = {
    "query": {"general": {"mainpage": "Main Page", "case": "first-letter"}, "namespaces": {}, "namespacealiases": []}
}
Report = dict[str, Any]


def generate(directory: Path, arguments: argparse.Namespace) -> Report:
    """Write the dumps and the truth about them, and count a day."""
    rng = np.random.default_rng(arguments.seed)
    wiki = invent(rng, arguments.scale)
    links, unpacked = write_dumps(rng, wiki, directory)
    day = draw_day(rng, wiki)
    context = _context(directory)
    with writing(context.engine) as session:
        _register(session, directory)
        requests.request_answers(session, [PROJECT], [Period(DAY)], Universe.ARTICLES, snapshot=RUN)
    article_views = 0
    for hour, tally, of_articles in draw_hours(rng, day):
        article_views += of_articles
        facts = FileFacts("https://dumps.example.org/x.gz", 1, None, None, "0" * 64, len(tally), 0)
        with writing(context.engine) as session:
            record_counted(session, PROJECT, hour, facts, pack(tally), now=_now(), version="bench")
    write_truth(directory, wiki, links, article_views)
    return {"unpacked": unpacked, "link_rows": links.rows, "titles": len(day.titles)}


def read(directory: Path, arguments: argparse.Namespace) -> Report:
    """Read one table as ``worker.indexing.read_dump`` does once it has the file."""
    table, context = DumpTable(arguments.table), _context(directory)
    path = directory / f"{table.value}.sql.gz"
    started = time.perf_counter()
    unpacked = sum(map(len, unpack(path)))
    gunzip = time.perf_counter() - started
    started = time.perf_counter()
    kept = _keep(context, table, table_columns(table, unpack(path)))
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "gunzip": gunzip, "unpacked": unpacked, "kept": kept}


def columns(directory: Path, arguments: argparse.Namespace) -> Report:
    """Store the columns of a wiki as if its dumps had been read, and how many of everything it has."""
    rng = np.random.default_rng(arguments.seed)
    wiki = invent(rng, arguments.scale)
    links = no_links(wiki)
    context = _context(directory)
    with writing(context.engine) as session:
        _register(session, directory)
    kept = {table: _keep(context, table, frames) for table, frames in table_frames(rng, wiki, links).items()}
    write_figures(directory, wiki, links)
    return {"kept": kept}


def build_index(directory: Path, _arguments: argparse.Namespace) -> Report:
    """Build the index as a worker does; and which of its figures are not those that the wiki was drawn with."""
    context = _context(directory)
    columns = _stored(context)
    started = time.perf_counter()
    build(context, PROJECT, RUN)
    seconds = time.perf_counter() - started
    faults = check_figures(directory, _index(context).figures)
    return {"seconds": seconds, "columns": columns, "stored": _stored(context), "faults": faults}


def rank(directory: Path, _arguments: argparse.Namespace) -> Report:
    """Merge the day's hours and rank it by the index, as a worker does."""
    context = _context(directory)
    started = time.perf_counter()
    answer = rank_period(context, PROJECT, Period(DAY), Universe.ARTICLES)
    seconds = time.perf_counter() - started
    if answer is None:
        raise SystemExit("The index is not there.")
    return {
        "seconds": seconds,
        "article_views": answer.article_views,
        "project_views": answer.project_views,
        "articles_requested": answer.articles_requested,
    }


def verify(directory: Path, arguments: argparse.Namespace) -> Report:
    """Compare the index, and the views that the ranking gave to articles, with what was written."""
    return {"faults": check_index(directory, _index(_context(directory)), arguments.article_views)}


_STEPS: Mapping[str, Callable[[Path, argparse.Namespace], Report]] = {
    "generate": generate,
    "columns": columns,
    "read": read,
    "build": build_index,
    "rank": rank,
    "verify": verify,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.steps")
    parser.add_argument("step", choices=sorted(_STEPS))
    parser.add_argument("directory", type=Path)
    parser.add_argument("--scale", type=float)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--table")
    parser.add_argument("--article-views", type=int)
    arguments = parser.parse_args()
    report = _STEPS[arguments.step](arguments.directory, arguments)
    sys.stdout.write(json.dumps({**report, "peak_mb": _peak() / 1e6}) + "\n")
    return 0


def _peak() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _context(directory: Path) -> Context:
    return open_context(read_settings({"WIKIQ_DATA_DIR": str(directory / "data")}))


def _index(context: Context) -> WikiIndex:
    index = load_index(context.engine, PROJECT, RUN)
    if index is None:
        raise SystemExit("The index is not there.")
    return index


def _register(session: Session, directory: Path) -> None:
    paths = {table: directory / f"{table.value}.sql.gz" for table in DumpTable}
    files = {table: DumpFile(path.name, 1, None, None) for table, path in paths.items()}
    namespaces = DumpFile("siteinfo-namespaces.json.gz", 1, None, None)
    snapshots.register_snapshot(session, PROJECT, RunFiles(RUN, files, namespaces), json.dumps(_SITEINFO), None)


def _keep(context: Context, table: DumpTable, frames: Iterable[pl.DataFrame]) -> int:
    attempt, kept = Attempt(PROJECT, RUN), 0
    for number, frame in enumerate(frames):
        kept += len(frame)
        with writing(context.engine) as session:
            blocks.save_block(session, attempt, table.value, number, frame)
    with writing(context.engine) as session:
        snapshots.record_table(session, PROJECT, RUN, table, attempt.name, kept, now=_now())
    return kept


def _stored(context: Context) -> dict[str, int]:
    """Bytes of each part's blocks."""
    query = select(SnapshotBlockRow.part, func.sum(func.length(SnapshotBlockRow.block)))
    with reading(context.engine) as session:
        return {part: int(size) for part, size in session.exec(query.group_by(SnapshotBlockRow.part))}


if __name__ == "__main__":
    sys.exit(main())
