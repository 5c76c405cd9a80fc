"""The columns of a run's five tables -> the wiki's index.

Works through the tables in chunks; what is held at a time is a column or two of numbers per page, the titles of the
pages of one namespace, and eight bytes per membership: under 4 GB for the largest wiki (docs/performance.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from models.dump_run import DumpTable
from models.snapshot import Figures
from worker.wiki.index import PART_SCHEMAS, Numbers, Part
from worker.wiki.tables import ARTICLE_NAMESPACE, CATEGORY_NAMESPACE

TITLE_ROWS = 1_000_000
MEMBER_ROWS = 4_000_000
"""How many rows a stored frame has, or a little more."""

NOBODY = np.uint32(0xFFFFFFFF)
_ARTICLE_BITS = np.uint64(32)

Tables: TypeAlias = Callable[[DumpTable], Iterable[pl.DataFrame]]
Keep: TypeAlias = Callable[[Part, pl.DataFrame], None]


@dataclass(frozen=True, slots=True)
class _Pages:
    """The pages of namespace 0 and 14. ``articles`` is sorted by title, without repeats: title, id."""

    articles: pl.DataFrame
    redirects: pl.DataFrame
    categories: pl.DataFrame
    exists: npt.NDArray[np.bool_]
    repeated: int


@dataclass(frozen=True, slots=True)
class _Marks:
    """What is known of pages beside articles: which ids exist, the titles of category pages, and of hidden ones."""

    exists: npt.NDArray[np.bool_]
    categories: pl.DataFrame
    hidden: pl.Series


@dataclass(frozen=True, slots=True)
class _Members:
    """Page id -> article number, for ids in ascending order."""

    ids: Numbers
    articles: Numbers

    def numbers(self, ids: Numbers) -> Numbers:
        """The article number of each page, or ``NOBODY``."""
        return _looked_up(ids, self.ids, self.articles)


def _looked_up(wanted: npt.NDArray[np.integer], keys: npt.NDArray[np.integer], values: Numbers) -> Numbers:
    """The value of each wanted key, or ``NOBODY``; the keys are in ascending order."""
    if not len(keys):
        return np.full(len(wanted), NOBODY)
    place = np.searchsorted(keys, wanted)
    place[place == len(keys)] = 0
    return np.where(keys[place] == wanted, values[place], NOBODY)


def build_index(tables: Tables, main_page: str, keep: Keep) -> Figures:
    """Build the index from the tables of one run.

    Args:
        tables: gives the frames of a table (worker/wiki/tables.py), any number of times.
        main_page: the main page's title, ``_`` for blanks.
        keep: is given the frames of each part, in their order.
    """
    pages = _pages(tables, main_page.encode())
    figures = Figures(articles=len(pages.articles), repeated_titles=pages.repeated)
    redirects, figures = _resolve(tables, pages, figures)
    for frame in _titles(pages.articles, redirects):
        keep(Part.TITLES, frame)
    figures = replace(figures, redirects=len(redirects))
    by_id = pages.articles.select("id").with_row_index("article").sort("id")
    members = _Members(by_id["id"].to_numpy(), by_id["article"].to_numpy())
    marks = _Marks(pages.exists, pages.categories.select("title"), _hidden_titles(tables, pages))
    del pages, redirects, by_id  # the memberships need the room
    return _keep_categories(tables, members, marks, keep, figures)


def _pages(tables: Tables, main_page: bytes) -> _Pages:
    articles, redirects, categories, ids = [], [], [], []
    for frame in tables(DumpTable.PAGE):
        ids.append(frame["id"].to_numpy())
        in_main = pl.col("namespace") == ARTICLE_NAMESPACE
        articles.append(frame.filter(in_main, ~pl.col("redirect"), pl.col("title") != main_page).select("title", "id"))
        redirects.append(frame.filter(in_main, pl.col("redirect")).select("id", "title"))
        categories.append(frame.filter(pl.col("namespace") == CATEGORY_NAMESPACE).select("id", "title"))
    exists = np.zeros(1 + max((int(part.max()) for part in ids if len(part)), default=0), dtype=np.bool_)
    for part in ids:
        exists[part] = True
    # Of two pages with one title, which no sound wiki has, the older one is kept.
    every = pl.concat(articles).sort("title", "id")
    kept = every.filter(pl.col("title").ne_missing(pl.col("title").shift()))
    return _Pages(kept, pl.concat(redirects), pl.concat(categories), exists, len(every) - len(kept))


def _resolve(tables: Tables, pages: _Pages, figures: Figures) -> tuple[pl.DataFrame, Figures]:
    """The redirects that lead to an article in one step: ``title``, ``article``, ``redirect``."""
    numbered = pages.articles.lazy().select("title").with_row_index("article")
    resolved, lost, rows = [], [], 0
    outside = [0, 0]
    for frame in tables(DumpTable.REDIRECT):
        own = frame.lazy().join(pages.redirects.lazy().rename({"title": "own"}), on="id").collect()
        rows += own["id"].n_unique()
        here = own.filter(~pl.col("interwiki"), pl.col("namespace") == ARTICLE_NAMESPACE)
        outside[0] += int(own["interwiki"].sum())
        outside[1] += len(own.filter(~pl.col("interwiki"), pl.col("namespace") != ARTICLE_NAMESPACE))
        found = here.lazy().join(numbered, on="title", how="left").select("own", "title", "article").collect()
        resolved.append(found.filter(pl.col("article").is_not_null()).select(pl.col("own").alias("title"), "article"))
        lost.append(found.filter(pl.col("article").is_null()).select("own", "title"))
    lost_rows = pl.concat(lost)
    themselves = lost_rows.filter(pl.col("own") == pl.col("title"))
    others = lost_rows.filter(pl.col("own") != pl.col("title"))
    chained = others.join(pages.redirects, on="title", how="semi")
    figures = replace(
        figures,
        redirects_to_other_wikis=outside[0],
        redirects_to_other_namespaces=outside[1],
        redirects_to_themselves=len(themselves),
        redirects_to_redirects=len(chained),
        redirects_to_missing_pages=len(others) - len(chained),
        redirects_without_target=max(len(pages.redirects) - rows, 0),
    )
    return pl.concat(resolved), figures


def _titles(articles: pl.DataFrame, redirects: pl.DataFrame) -> Iterator[pl.DataFrame]:
    named = articles.select("title").with_row_index("article").with_columns(pl.lit(False).alias("redirect"))
    both = pl.concat(
        [named.select("title", "article", "redirect"), redirects.with_columns(pl.lit(True).alias("redirect"))]
    )
    # An article's title means that article, even if a second page of that title is a redirect.
    ordered = both.cast(PART_SCHEMAS[Part.TITLES]).sort("title", "redirect")
    unique = ordered.filter(pl.col("title").ne_missing(pl.col("title").shift()))
    yield from unique.iter_slices(TITLE_ROWS) if len(unique) else [unique]


def _hidden_titles(tables: Tables, pages: _Pages) -> pl.Series:
    marked = pl.concat(list(tables(DumpTable.PAGE_PROPS)))
    return pages.categories.join(marked, on="id", how="semi")["title"].unique()


def _keep_categories(tables: Tables, members: _Members, marks: _Marks, keep: Keep, figures: Figures) -> Figures:
    targets = pl.concat(list(tables(DumpTable.LINKTARGET))).sort("target")
    names = _names(tables, targets)
    keys, figures = _keys(tables, _Vocabulary(names, targets), members, marks.exists, figures)
    bounds = np.searchsorted(keys, np.arange(len(names) + 1, dtype=np.uint64) << _ARTICLE_BITS)
    counts = np.diff(bounds)
    used = np.flatnonzero(counts)
    categories = names.select("name")[used].with_columns(
        pl.col("name").is_in(marks.hidden.implode()).alias("hidden"),
        pl.Series("members", counts[used].astype(np.uint32)),
    )
    for frame in categories.iter_slices(TITLE_ROWS) if len(categories) else [categories]:
        keep(Part.CATEGORIES, frame)
    out_of_sight = categories["hidden"].to_numpy()
    for part, chosen in ((Part.MEMBERS, ~out_of_sight), (Part.HIDDEN_MEMBERS, out_of_sight)):
        for numbers in _in_blocks(keys, bounds[used][chosen], counts[used][chosen]):
            keep(part, pl.DataFrame({"article": numbers}, schema=PART_SCHEMAS[part]))
    visible = categories.filter(~pl.col("hidden"))
    return replace(
        figures,
        categories=len(visible),
        hidden_categories=len(categories) - len(visible),
        memberships=int(visible["members"].sum()),
        hidden_memberships=int(categories["members"].sum()) - int(visible["members"].sum()),
        categories_without_page=len(categories.join(marks.categories, left_on="name", right_on="title", how="anti")),
    )


def _names(tables: Tables, targets: pl.DataFrame) -> pl.DataFrame:
    """Every name that a category link may mean, sorted by its bytes: ``name``, ``number``."""
    found = targets.select(pl.col("title").alias("name"))
    for frame in tables(DumpTable.CATEGORYLINKS):
        written = frame.filter(pl.col("title").is_not_null()).select(pl.col("title").alias("name")).unique()
        if len(written):
            found = pl.concat([found, written]).unique()
    return found.unique().sort("name").with_row_index("number")


class _Vocabulary:
    """Category link -> the number of its name."""

    def __init__(self, names: pl.DataFrame, targets: pl.DataFrame) -> None:
        self._names = names
        numbered = targets.join(names, left_on="title", right_on="name", how="left", maintain_order="left")
        self._targets, self._numbers = targets["target"].to_numpy(), numbered["number"].to_numpy()

    def numbers(self, links: pl.DataFrame) -> Numbers:
        """The number of each link's category, by its name or else by its target; ``NOBODY`` where there is neither."""
        if links["title"].null_count() == len(links):
            return self._by_target(links["target"])
        by_name = links.select("title").join(
            self._names, left_on="title", right_on="name", how="left", maintain_order="left"
        )["number"]
        numbers = by_name.fill_null(int(NOBODY)).to_numpy().copy()
        unnamed = links["title"].is_null().to_numpy()
        numbers[unnamed] = self._by_target(links["target"].filter(links["title"].is_null()))
        return numbers

    def _by_target(self, targets: pl.Series) -> Numbers:
        return _looked_up(targets.fill_null(-1).to_numpy(), self._targets, self._numbers)


def _keys(
    tables: Tables, vocabulary: _Vocabulary, members: _Members, exists: npt.NDArray[np.bool_], figures: Figures
) -> tuple[npt.NDArray[np.uint64], Figures]:
    """Every membership once, as category number * 2**32 + article number, in ascending order."""
    parts, gone, dangling = [], 0, 0
    for frame in tables(DumpTable.CATEGORYLINKS):
        ids = frame["id"].to_numpy()
        gone += int(np.count_nonzero(~exists[np.minimum(ids, len(exists) - 1)] | (ids >= len(exists))))
        articles = members.numbers(ids)
        kept = articles != NOBODY
        categories = vocabulary.numbers(frame.filter(kept))
        known = categories != NOBODY
        dangling += int(np.count_nonzero(~known))
        parts.append(categories[known].astype(np.uint64) << _ARTICLE_BITS | articles[kept][known])
    keys = _joined(parts)
    keys.sort()
    repeats = np.flatnonzero(keys[1:] == keys[:-1])
    if len(repeats):
        keys = np.delete(keys, repeats)
    return keys, replace(figures, links_of_missing_pages=gone, links_to_missing_targets=dangling)


def _joined(parts: list[npt.NDArray[np.uint64]]) -> npt.NDArray[np.uint64]:
    """The parts one after the other; each is let go once it is copied."""
    keys = np.empty(sum(map(len, parts)), dtype=np.uint64)
    end = len(keys)
    while parts:
        part = parts.pop()
        keys[end - len(part) : end] = part
        end -= len(part)
    return keys


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
