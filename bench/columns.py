"""An invented wiki as the columns that reading its dumps would give (worker/wiki/tables.py), without the SQL text.

Text is most of the work; without it even the full size is a matter of minutes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl

from bench.links import LinkTruth, draw_links
from bench.wiki import Kind, Leads, Wiki
from models.dump_run import DumpTable
from worker.wiki.tables import ARTICLE_NAMESPACE, CATEGORY_NAMESPACE, CHUNK_ROWS


def table_frames(rng: np.random.Generator, wiki: Wiki, truth: LinkTruth) -> Mapping[DumpTable, Iterator[pl.DataFrame]]:
    """The frames of each table, as large as those that reading gives.

    Args:
        rng: what links are drawn with.
        wiki: whose tables they are.
        truth: links are added to it as they are drawn.
    """
    return {
        DumpTable.PAGE: _pages(wiki),
        DumpTable.REDIRECT: _redirects(wiki),
        DumpTable.LINKTARGET: _link_targets(wiki),
        DumpTable.CATEGORYLINKS: _large(_category_links(rng, wiki, truth)),
        DumpTable.PAGE_PROPS: _hidden_categories(wiki),
    }


def _pages(wiki: Wiki) -> Iterator[pl.DataFrame]:
    for begin in range(0, len(wiki.ids), CHUNK_ROWS):
        end = min(len(wiki.ids), begin + CHUNK_ROWS)
        kinds = wiki.kinds[begin:end]
        frame = pl.DataFrame(
            {
                "id": wiki.ids[begin:end].astype(np.uint32),
                "namespace": wiki.namespaces[begin:end].astype(np.int32),
                "redirect": kinds == Kind.REDIRECT,
                "title": wiki.titles(begin, end).cast(pl.Binary),
            }
        )
        named = pl.col("namespace").is_in([ARTICLE_NAMESPACE, CATEGORY_NAMESPACE])
        yield frame.with_columns(pl.when(named).then("title")).filter(pl.Series(kinds != Kind.GONE))


def _redirects(wiki: Wiki) -> Iterator[pl.DataFrame]:
    ids = wiki.ids[wiki.kinds == Kind.REDIRECT].astype(np.uint32)
    for begin in range(0, len(ids), CHUNK_ROWS):
        end = min(len(ids), begin + CHUNK_ROWS)
        leads = wiki.leads[begin:end]
        frame = pl.DataFrame(
            {
                "id": ids[begin:end],
                "namespace": np.where(leads == Leads.OTHER_NAMESPACE, 4, 0).astype(np.int32),
                "title": wiki.redirect_targets(begin, end).cast(pl.Binary),
                "interwiki": leads == Leads.OTHER_WIKI,
            }
        )
        yield frame.filter(pl.Series(leads != Leads.NOWHERE))


def _link_targets(wiki: Wiki) -> Iterator[pl.DataFrame]:
    targets = wiki.target_ids[wiki.target_rows]
    yield pl.DataFrame({"target": targets, "title": wiki.categories.cast(pl.Binary)}).filter(pl.Series(wiki.targeted))


def _category_links(rng: np.random.Generator, wiki: Wiki, truth: LinkTruth) -> Iterator[pl.DataFrame]:
    targets = wiki.target_ids[wiki.target_rows]
    for links in draw_links(rng, wiki):
        truth.add(wiki, links)
        pages = ~np.isin(wiki.kinds[links.places], (Kind.CATEGORY, Kind.FILE))
        frame = pl.DataFrame(
            {"id": wiki.ids[links.places[pages]].astype(np.uint32), "target": targets[links.categories[pages]]}
        )
        yield frame.select("id", pl.lit(None, dtype=pl.Binary).alias("title"), "target")


def _large(frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    pending: list[pl.DataFrame] = []
    for frame in frames:
        pending.append(frame)
        if sum(map(len, pending)) >= CHUNK_ROWS:
            yield pl.concat(pending, rechunk=True)
            pending = []
    if pending:
        yield pl.concat(pending, rechunk=True)


def _hidden_categories(wiki: Wiki) -> Iterator[pl.DataFrame]:
    ids = wiki.ids[wiki.kinds == Kind.CATEGORY][wiki.hidden[wiki.paged]]
    yield pl.DataFrame({"id": ids.astype(np.uint32)})
