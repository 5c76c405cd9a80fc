"""Memberships: which articles each category of a wiki has, from category links, link targets and category pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from models.dump_run import DumpTable
from models.snapshot import Figures
from worker.block import compact
from worker.wiki.index import Numbers
from worker.wiki.tables import CATEGORY_NAMESPACE

Tables: TypeAlias = Callable[[DumpTable], Iterable[pl.DataFrame]]

NOBODY = np.uint32(0xFFFFFFFF)
"""In place of an article's or a category's number: none."""

ARTICLE_BITS = np.uint64(32)
"""A membership is one number: its category's, and in the lower bits its article's."""


@dataclass(frozen=True, slots=True)
class Members:
    """Page id -> article number, for ids in ascending order; ``exists`` as in ``_Articles``."""

    ids: Numbers
    articles: Numbers
    exists: npt.NDArray[np.bool_]

    def numbers(self, ids: Numbers) -> Numbers:
        """The article number of each page, or ``NOBODY``."""
        return looked_up(ids, self.ids, self.articles)

    def gone(self, ids: Numbers) -> int:
        """How many of these are ids of no page at all."""
        known = ids < len(self.exists)
        return len(ids) - int(np.count_nonzero(self.exists[ids[known]]))


def looked_up(wanted: npt.NDArray[np.integer], keys: npt.NDArray[np.integer], values: Numbers) -> Numbers:
    """The value of each wanted key, or ``NOBODY``; the keys are in ascending order."""
    if not len(keys):
        return np.full(len(wanted), NOBODY)
    place = np.searchsorted(keys, wanted)
    place[place == len(keys)] = 0
    return np.where(keys[place] == wanted, values[place], NOBODY)


def category_pages(tables: Tables, names: pl.DataFrame) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """By the number of its name: whether a category has a page, and whether that page hides it."""
    in_category = pl.col("namespace") == CATEGORY_NAMESPACE
    pages = pl.concat([compact(frame.filter(in_category).select("id", "title")) for frame in tables(DumpTable.PAGE)])
    marked = pl.concat(list(tables(DumpTable.PAGE_PROPS)))
    numbered = pages.join(names, left_on="title", right_on="name")
    has_page, hides = np.zeros((2, len(names)), dtype=np.bool_)
    has_page[numbered["number"].to_numpy()] = True
    hides[numbered.join(marked, on="id", how="semi")["number"].to_numpy()] = True
    return has_page, hides


def category_names(tables: Tables, targets: pl.DataFrame) -> pl.DataFrame:
    """Every name that a category link may mean, sorted by its bytes: ``name``, ``number``."""
    found = targets.select(pl.col("title").alias("name"))
    for frame in tables(DumpTable.CATEGORYLINKS):
        written = frame.filter(pl.col("title").is_not_null()).select(pl.col("title").alias("name")).unique()
        if len(written):
            found = pl.concat([found, written]).unique()
    return found.unique().sort("name").with_row_index("number")


class Vocabulary:
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
        return looked_up(targets.fill_null(-1).to_numpy(), self._targets, self._numbers)


def membership_keys(
    tables: Tables, vocabulary: Vocabulary, members: Members, figures: Figures
) -> tuple[npt.NDArray[np.uint64], Figures]:
    """Every membership once, as category number * 2**32 + article number, in ascending order."""
    parts, gone, dangling = [], 0, 0
    for frame in tables(DumpTable.CATEGORYLINKS):
        ids = frame["id"].to_numpy()
        gone += members.gone(ids)
        articles = members.numbers(ids)
        kept = articles != NOBODY
        categories = vocabulary.numbers(frame.filter(kept))
        known = categories != NOBODY
        dangling += int(np.count_nonzero(~known))
        parts.append(categories[known].astype(np.uint64) << ARTICLE_BITS | articles[kept][known])
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
