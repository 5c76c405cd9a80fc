"""``python -m bench.rank_world DIRECTORY …``: what ``bench rank`` works on, in a process of its own.

A wiki as large as a part of English Wikipedia, with its index in a SQLite file as a worker would have built it, and the
tallies of a day or more; and the same as Parquet files for the other engines::

    tallies/HH.parquet   hour, title, desktop, mobile: of the first day
    titles.parquet       title, article, redirect: of every article, and every redirect that leads to one
    memberships.parquet  article, category: of the visible categories
    categories.parquet   category, name

Articles and categories are numbered from 1 in the order of their names, as a tie is decided. Requested titles are in
MediaWiki's own form, so that looking them up is all there is to do.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from bench.generate_day import Day, draw_day, draw_hours
from bench.titles import drawn, zipf_shares
from bench.turn import peak_mb
from bench.wiki import Leads, Wiki, invent
from bench.wikiq_hours import PROJECT, open_directory
from models.answer import Period, Universe
from models.dump_run import DumpFile, DumpTable, RunFiles
from models.version import VERSION
from worker.context import Context
from worker.indexing import build
from worker.store import blocks, requests, snapshots
from worker.store.blocks import Attempt
from worker.store.database import writing
from worker.store.tallies import FileFacts, pack, record_counted
from worker.wiki.tables import CHUNK_ROWS
from worker.wiki.titles import canonical_titles

RUN = dt.date(2026, 11, 1)
FIRST_DAY = dt.date(2026, 11, 9)
VISIBLE, HIDDEN = 5.75, 0.5
"""Categories of an article, on average: of 7 million articles 40 million visible memberships."""
_NEW_TITLES = 0.25
"""Of a day's titles, those that were not requested the day before."""
_SITEINFO = {
    "query": {"general": {"mainpage": "Main Page", "case": "first-letter"}, "namespaces": {}, "namespacealiases": []}
}


@dataclass(frozen=True, slots=True)
class _Links:
    """Memberships: the number of each one's article among ``wiki.articles``, and of its category's name."""

    articles: npt.NDArray[np.int64]
    categories: npt.NDArray[np.int64]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.rank_world")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--scale", type=float, required=True)
    parser.add_argument("--days", type=int, required=True)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    made = write_world(arguments.directory, arguments.scale, arguments.days, arguments.seed)
    sys.stdout.write(json.dumps({**made, "peak_mb": peak_mb()}) + "\n")


def write_world(directory: Path, scale: float, days: int, seed: int) -> dict[str, int | list[int]]:
    """Write all of it; the same arguments give the same wiki and the same views.

    Returns:
        How many of everything there are, and as ``article_views`` how many views of each day articles must be given.
    """
    rng = np.random.default_rng(seed)
    wiki = invent(rng, scale)
    visible, hidden = _links(rng, wiki, VISIBLE, hidden=False), _links(rng, wiki, HIDDEN, hidden=True)
    context = open_directory(directory / "data")
    _store_index(context, wiki, (visible, hidden))
    made = _write_parquet(directory, wiki, visible)
    titles, article_views = _store_days(context, directory, wiki, days, seed)
    context.engine.dispose()
    return {**made, "days": days, "titles_of_a_day": titles, "article_views": article_views}


def _links(rng: np.random.Generator, wiki: Wiki, mean: float, *, hidden: bool) -> _Links:
    pool = rng.permutation(np.flatnonzero(wiki.hidden == hidden))
    articles = np.repeat(np.arange(len(wiki.articles)), rng.poisson(mean, len(wiki.articles)))
    categories = pool[drawn(rng, zipf_shares(len(pool), 2), len(articles))]
    keys = np.unique(articles[articles > 0] << 32 | categories[articles > 0])  # number 0 is the main page
    return _Links(keys >> 32, keys & 0xFFFFFFFF)


def _store_index(context: Context, wiki: Wiki, links: tuple[_Links, ...]) -> None:
    files = {table: DumpFile(f"{table.value}.sql.gz", 1, None, None) for table in DumpTable}
    namespaces = DumpFile("siteinfo-namespaces.json.gz", 1, None, None)
    with writing(context.engine) as session:
        snapshots.register_snapshot(session, PROJECT, RunFiles(RUN, files, namespaces), json.dumps(_SITEINFO), None)
    attempt = Attempt(PROJECT, RUN)
    for table, frame in _tables(wiki, links).items():
        for number, part in enumerate(frame.iter_slices(CHUNK_ROWS)):
            with writing(context.engine) as session:
                blocks.save_block(session, attempt, table.value, number, part)
        with writing(context.engine) as session:
            snapshots.record_table(session, PROJECT, RUN, table, attempt.name, len(frame), now=_now())
    build(context, PROJECT, RUN)


def _tables(wiki: Wiki, links: tuple[_Links, ...]) -> Mapping[DumpTable, pl.DataFrame]:
    """The columns of the five dumps, of none but the pages that count: articles, redirects, then categories."""
    redirects, categories = len(wiki.articles), len(wiki.articles) + len(wiki.redirects)
    paged = wiki.categories.gather(wiki.paged)
    titles = pl.concat([wiki.articles, wiki.redirects, paged]).cast(pl.Binary)
    ids = np.arange(1, len(titles) + 1, dtype=np.uint32)
    leads = wiki.leads
    meant = wiki.articles.gather(np.where(leads == Leads.ARTICLE, wiki.means, 0)).cast(pl.Binary)
    joined = pl.concat([pl.DataFrame({"id": each.articles, "target": each.categories}) for each in links])
    return {
        DumpTable.PAGE: pl.DataFrame(
            {
                "id": ids,
                "namespace": np.where(ids <= categories, 0, 14).astype(np.int32),
                "redirect": (ids > redirects) & (ids <= categories),
                "title": titles,
            }
        ),
        DumpTable.REDIRECT: pl.DataFrame(
            {
                "id": ids[redirects:categories],
                "namespace": np.where(leads == Leads.OTHER_NAMESPACE, 4, 0).astype(np.int32),
                "title": meant,  # all others lead to the main page, which is no article
                "interwiki": leads == Leads.OTHER_WIKI,
            }
        ),
        DumpTable.LINKTARGET: pl.DataFrame(
            {"target": np.arange(len(wiki.categories)), "title": wiki.categories.cast(pl.Binary)}
        ),
        DumpTable.CATEGORYLINKS: joined.select(
            (pl.col("id") + 1).cast(pl.UInt32), pl.lit(None, dtype=pl.Binary).alias("title"), "target"
        ),
        DumpTable.PAGE_PROPS: pl.DataFrame({"id": ids[categories:][wiki.hidden[wiki.paged]]}),
    }


def _write_parquet(directory: Path, wiki: Wiki, visible: _Links) -> dict[str, int]:
    numbers, order = _numbered(wiki.articles, wiki.articles != "Main_Page")
    leads = np.flatnonzero(wiki.leads == Leads.ARTICLE)
    titles = pl.DataFrame(
        {
            "title": pl.concat([wiki.articles.gather(order), wiki.redirects.gather(leads)]),
            "article": np.concatenate([numbers[order], numbers[wiki.means[leads]]]).astype(np.uint32),
            "redirect": np.repeat([False, True], [len(order), len(leads)]),
        }
    )
    titles.sort("title").write_parquet(directory / "titles.parquet")
    categories, named = _numbered(wiki.categories, pl.repeat(value=True, n=len(wiki.categories), eager=True))
    memberships = pl.DataFrame(
        {
            "article": numbers[visible.articles].astype(np.uint32),
            "category": categories[visible.categories].astype(np.uint32),
        }
    )
    memberships.sort("category", "article").write_parquet(directory / "memberships.parquet")
    pl.DataFrame(
        {"category": categories[named].astype(np.uint32), "name": wiki.categories.gather(named)}
    ).write_parquet(directory / "categories.parquet")
    return {"articles": len(order), "redirects": len(leads), "memberships": len(memberships)}


def _numbered(names: pl.Series, wanted: pl.Series) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The number of each name, from 1 in the order of the bytes, and the places of the wanted ones in that order."""
    places = np.flatnonzero(wanted.to_numpy())
    order = places[names.gather(places).arg_sort().to_numpy()]
    numbers = np.zeros(len(names), dtype=np.int64)
    numbers[order] = np.arange(1, len(order) + 1)
    return numbers, order


def _store_days(context: Context, directory: Path, wiki: Wiki, days: int, seed: int) -> tuple[int, list[int]]:
    """Gives the first day's titles, and each day's views that belong to articles."""
    (directory / "tallies").mkdir()
    dates = [FIRST_DAY + dt.timedelta(days=number) for number in range(days)]
    with writing(context.engine) as session:
        periods = [*map(Period, dates), *([Period(FIRST_DAY, 7)] if days == 7 else [])]  # noqa: PLR2004 a week
        requests.request_answers(session, [PROJECT], periods, Universe.ARTICLES, snapshot=RUN)
    of_first: Day | None = None
    article_views = [0] * days
    for number, date in enumerate(dates):
        day = _drawn(np.random.default_rng([seed, number]), wiki, of_first)
        of_first = of_first or day
        for hour, tally, of_articles in draw_hours(np.random.default_rng([seed, number, 1]), day, date):
            article_views[number] += of_articles
            facts = FileFacts("https://dumps.example.org/x.gz", 1, None, None, "0" * 64, len(tally), 0)
            with writing(context.engine) as session:
                record_counted(session, PROJECT, hour, facts, pack(tally), now=_now(), version=VERSION)
            if number == 0:
                columns = [pl.lit(hour.hour, dtype=pl.UInt8).alias("hour"), pl.col("title").cast(pl.String)]
                tally.select(*columns, "desktop", "mobile").write_parquet(
                    directory / "tallies" / f"{hour.hour:02d}.parquet"
                )
    return len(of_first.titles) if of_first else 0, article_views


def _drawn(rng: np.random.Generator, wiki: Wiki, before: Day | None) -> Day:
    """A day's titles in MediaWiki's own form; most of those of another day, if there was one."""
    day = draw_day(rng, wiki)
    frame = pl.DataFrame({"title": day.titles, "article": day.article, "views": day.views})
    if before is not None:
        earlier = pl.DataFrame({"title": before.titles, "article": before.article, "views": before.views})
        kept = pl.Series(rng.random(len(earlier)) >= _NEW_TITLES)
        fresh = pl.Series(rng.random(len(frame)) < _NEW_TITLES)
        frame = pl.concat([earlier.filter(kept), frame.filter(fresh)]).unique(
            "title", keep="first", maintain_order=True
        )
    frame = frame.filter(canonical_titles(frame["title"], first_letter=True) == frame["title"])
    return Day(frame["title"], frame["article"].to_numpy(), frame["views"].to_numpy())


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


if __name__ == "__main__":
    main()
