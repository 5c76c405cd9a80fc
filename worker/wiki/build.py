"""The columns of a run's five tables -> the wiki's index.

Works through the tables in chunks; what is held at a time is a column or two of numbers per page, the titles of the
pages of one kind, and eight bytes per membership: under 4 GB for the largest wiki (docs/performance.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from models.dump_run import DumpTable
from models.snapshot import Figures
from worker.block import compact
from worker.wiki.index import PART_SCHEMAS, Numbers, Part, steps_of
from worker.wiki.memberships import (
    ARTICLE_BITS,
    NOBODY,
    Members,
    Tables,
    Vocabulary,
    category_names,
    category_pages,
    looked_up,
    membership_keys,
)
from worker.wiki.tables import ARTICLE_NAMESPACE

TITLE_ROWS = 1_000_000
MEMBER_ROWS = 4_000_000
"""How many rows a stored frame has, or a little more."""

OTHER_WIKI, OTHER_NAMESPACE, LOST = NOBODY - np.arange(1, 4, dtype=np.uint32)
"""In place of an article's number: what a redirect leads to instead of one; the last is the smallest."""

Keep: TypeAlias = Callable[[Part, pl.DataFrame], None]


@dataclass(frozen=True, slots=True)
class _Articles:
    """``pages`` is sorted by title, without repeats: title, id. ``exists`` tells of every page id whether there is."""

    pages: pl.DataFrame
    exists: npt.NDArray[np.bool_]
    repeated: int


@dataclass(frozen=True, slots=True)
class _Leads:
    """Where redirect pages lead: for ids in ascending order the article's number, or one of the codes above them.

    ``lost`` are those that lead to no article: id, title.
    """

    ids: Numbers
    articles: Numbers
    lost: pl.DataFrame


def build_index(tables: Tables, main_page: str, keep: Keep) -> Figures:
    """Build the index from the tables of one run.

    Args:
        tables: gives the frames of a table (worker/wiki/tables.py), any number of times.
        main_page: the main page's title, ``_`` for blanks.
        keep: is given the frames of each part, in their order.
    """
    articles = _articles(tables, main_page.encode())
    figures = Figures(articles=len(articles.pages), repeated_titles=articles.repeated)
    redirects, figures = _redirects(tables, articles.pages, figures)
    for frame in _even(_titles(articles.pages["title"], redirects)):
        keep(Part.TITLES, frame)
    by_id = articles.pages.select("id").with_row_index("article").sort("id")
    members = Members(by_id["id"].to_numpy(), by_id["article"].to_numpy(), articles.exists)
    del articles, redirects, by_id  # the memberships need the room
    return _keep_categories(tables, members, keep, figures)


def _articles(tables: Tables, main_page: bytes) -> _Articles:
    parts, exists = [], np.zeros(0, dtype=np.bool_)
    for frame in tables(DumpTable.PAGE):
        ids = frame["id"].to_numpy()
        exists = np.append(exists, np.zeros(max(int(ids.max(initial=0)) + 1 - len(exists), 0), dtype=np.bool_))
        exists[ids] = True
        wanted = (pl.col("namespace") == ARTICLE_NAMESPACE) & ~pl.col("redirect") & (pl.col("title") != main_page)
        parts.append(compact(frame.filter(wanted).select("title", "id")))
    # Of two pages with one title, which no sound wiki has, the older one is kept.
    every = pl.concat(parts).sort("id").sort("title", maintain_order=True)
    kept = every.filter(pl.col("title").ne_missing(pl.col("title").shift()))
    return _Articles(kept, exists, len(every) - len(kept))


def _redirects(tables: Tables, articles: pl.DataFrame, figures: Figures) -> tuple[pl.DataFrame, Figures]:
    """The redirects that lead to an article in one step: ``title``, ``article``."""
    leads = _leads(tables, articles)
    resolved, lost, chained, codes = [], [], [], Counter[int]()
    for frame in tables(DumpTable.PAGE):
        own = frame.filter(pl.col("namespace") == ARTICLE_NAMESPACE, pl.col("redirect")).select("title", "id")
        own = own.with_columns(pl.Series("article", looked_up(own["id"].to_numpy(), leads.ids, leads.articles)))
        resolved.append(compact(own.filter(pl.col("article") < LOST).select("title", "article")))
        codes.update(own["article"].filter(own["article"] >= LOST).to_list())
        lost.append(own.filter(pl.col("article") == LOST).select("id", pl.col("title").alias("own")))
        chained.append(leads.lost.select("title").join(own, on="title", how="semi").unique())
    lost_pages = leads.lost.unique("id", keep="first").join(pl.concat(lost), on="id")
    themselves = lost_pages.filter(pl.col("own") == pl.col("title"))
    others = lost_pages.filter(pl.col("own") != pl.col("title"))
    to_redirects = others.join(pl.concat(chained).unique(), on="title", how="semi")
    redirects = pl.concat(resolved)
    return redirects, replace(
        figures,
        redirects=len(redirects),
        redirects_to_other_wikis=codes[int(OTHER_WIKI)],
        redirects_to_other_namespaces=codes[int(OTHER_NAMESPACE)],
        redirects_to_themselves=len(themselves),
        redirects_to_redirects=len(to_redirects),
        redirects_to_missing_pages=len(others) - len(to_redirects),
        redirects_without_target=codes[int(NOBODY)],
    )


def _leads(tables: Tables, articles: pl.DataFrame) -> _Leads:
    numbered = articles.select("title").with_row_index("article").lazy()
    ids, numbers, lost = [], [], []
    for frame in tables(DumpTable.REDIRECT):
        in_main = frame["namespace"].to_numpy() == ARTICLE_NAMESPACE
        outside = frame["interwiki"].to_numpy()
        leads = np.where(outside, OTHER_WIKI, np.where(in_main, LOST, OTHER_NAMESPACE))
        wanted = frame.lazy().select("title").with_row_index("row").filter(pl.Series(leads == LOST))
        found = numbered.join(wanted, on="title").select("row", "article").collect()
        leads[found["row"].to_numpy()] = found["article"].to_numpy()
        ids.append(frame["id"].to_numpy())
        numbers.append(leads)
        lost.append(frame.filter(pl.Series(leads == LOST)).select("id", "title"))
    every = np.concatenate(ids)
    order = np.argsort(every, kind="stable")
    return _Leads(every[order], np.concatenate(numbers)[order], pl.concat(lost))


def _titles(articles: pl.Series, redirects: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Articles and redirects in the order of their titles, from one title to another at a time."""
    parts = min((len(articles) + len(redirects)) // TITLE_ROWS + 1, len(articles) + 1)
    bounds = [len(articles) * part // parts for part in range(parts + 1)]
    numbered = articles.to_frame("title").with_row_index("article")
    for part, (begin, end) in enumerate(pairwise(bounds)):
        within = pl.lit(value=True)
        if part:
            within &= pl.col("title") >= articles[begin]
        if part < parts - 1:
            within &= pl.col("title") < articles[end]
        frames = [
            numbered[begin:end].with_columns(pl.lit(value=False).alias("redirect")),
            redirects.filter(within).with_columns(pl.lit(value=True).alias("redirect")),
        ]
        # An article's title means that article, even if a second page of that title is a redirect.
        both = pl.concat([frame.select(PART_SCHEMAS[Part.TITLES].names()) for frame in frames])
        ordered = both.cast(PART_SCHEMAS[Part.TITLES]).sort("title", "redirect", "article")
        yield ordered.filter(pl.col("title").ne_missing(pl.col("title").shift()))


def _even(frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The same rows in frames of ``TITLE_ROWS``; the last one may have fewer."""
    rest = PART_SCHEMAS[Part.TITLES].to_frame()
    for frame in frames:
        rest = pl.concat([rest, frame])
        while len(rest) > TITLE_ROWS:
            yield rest[:TITLE_ROWS]
            rest = rest[TITLE_ROWS:]
    yield rest


def _keep_categories(tables: Tables, members: Members, keep: Keep, figures: Figures) -> Figures:
    targets = pl.concat(list(tables(DumpTable.LINKTARGET))).sort("target")
    names = category_names(tables, targets)
    vocabulary = Vocabulary(names, targets)
    del targets
    has_page, hides = category_pages(tables, names)
    keys, figures = membership_keys(tables, vocabulary, members, figures)
    bounds = np.searchsorted(keys, np.arange(len(names) + 1, dtype=np.uint64) << ARTICLE_BITS)
    counts = np.diff(bounds)
    used = np.flatnonzero(counts)
    hidden = hides[used]
    categories = names.select("name")[used].with_columns(
        pl.Series("hidden", hidden), pl.Series("members", counts[used].astype(np.uint32))
    )
    for frame in categories.iter_slices(TITLE_ROWS) if len(categories) else [categories]:
        keep(Part.CATEGORIES, frame)
    for part, chosen in ((Part.MEMBERS, ~hidden), (Part.HIDDEN_MEMBERS, hidden)):
        for numbers in _in_blocks(keys, bounds[used][chosen], counts[used][chosen]):
            keep(part, pl.DataFrame({"step": steps_of(numbers)}, schema=PART_SCHEMAS[part]))
    return replace(
        figures,
        categories=int(np.count_nonzero(~hidden)),
        hidden_categories=int(np.count_nonzero(hidden)),
        memberships=int(counts[used][~hidden].sum()),
        hidden_memberships=int(counts[used][hidden].sum()),
        categories_without_page=int(np.count_nonzero(~has_page[used])),
    )


def _in_blocks(
    keys: npt.NDArray[np.uint64], begins: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]
) -> Iterator[Numbers]:
    """The article numbers of some categories, whole categories at a time."""
    ends = np.cumsum(counts)
    start = 0
    while start < len(begins):
        done = int(ends[start] - counts[start])
        stop = max(start + 1, int(np.searchsorted(ends, done + MEMBER_ROWS, side="right")))
        shifts = begins[start:stop] - (ends[start:stop] - counts[start:stop] - done)
        rows = np.arange(int(ends[stop - 1]) - done) + np.repeat(shifts, counts[start:stop])
        yield keys[rows].astype(np.uint32)
        start = stop
