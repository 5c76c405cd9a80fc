"""Categories: the views of their member articles, each article counting fully in every one of its categories."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from models.answer import STORED_DEPTH, RankedCategory
from models.siteinfo import Siteinfo, normal_prefix
from models.title import title_text
from worker.wiki.index import Numbers, WikiIndex
from worker.wiki.titles import canonical_titles


@dataclass(frozen=True, slots=True)
class CategorySums:
    """Per category number: the views of its members, and how many of them were requested."""

    views: npt.NDArray[np.uint64]
    requested: npt.NDArray[np.int64]


def top_categories(views: npt.NDArray[np.uint64], index: WikiIndex) -> tuple[RankedCategory, ...]:
    """The visible categories whose direct members have the most views.

    Args:
        views: of each article, by its number.
        index: the wiki's.
    """
    categories = index.categories()
    sums = category_sums(views, index, categories)
    order = np.argsort(np.iinfo(np.int64).max - sums.views.astype(np.int64), kind="stable")[:STORED_DEPTH]
    names = categories["name"].gather(order)
    return tuple(
        RankedCategory(rank, title_text(name), int(sums.views[number]), int(sums.requested[number]))
        for rank, (number, name) in enumerate(zip(order.tolist(), names, strict=True), start=1)
        if sums.views[number]
    )


def category_sums(views: npt.NDArray[np.uint64], index: WikiIndex, categories: pl.DataFrame) -> CategorySums:
    """Add up the members of every visible category; hidden ones have zeros."""
    sums = CategorySums(np.zeros(len(categories), dtype=np.uint64), np.zeros(len(categories), dtype=np.int64))
    for some in index.members(categories):
        of_members = views.take(some.articles())
        sums.views[some.numbers] = np.add.reduceat(of_members, some.begins)
        sums.requested[some.numbers] = np.add.reduceat(of_members > 0, some.begins, dtype=np.int64)
    return sums


def category_name(text: str, siteinfo: Siteinfo) -> bytes:
    """A category's name as the wiki stores it, from how people write it: ``living people``, ``Kategorie:Mann``."""
    prefixed = re.fullmatch(r"[\s_]*:?[\s_]*([^:]*?)[\s_]*:(.*)", text, flags=re.DOTALL)
    known = prefixed is not None and normal_prefix(prefixed[1]) in siteinfo.category_prefixes
    bare = prefixed[2] if prefixed is not None and known else text
    # What is no text, such as bytes of a shell that are no UTF-8, names no category; U+FFFD is in no title either.
    legible = bare.encode(errors="surrogatepass").decode(errors="replace")
    written = pl.Series([re.sub(r"\s+", "_", legible.strip())], dtype=pl.String)
    return str(canonical_titles(written, first_letter=siteinfo.first_letter)[0]).encode()


def members_of(name: bytes, index: WikiIndex) -> tuple[Numbers, bool] | None:
    """The member articles of a category, ascending, and whether it is hidden; None where there is no such category."""
    categories = index.categories()
    found = categories.with_row_index("number").filter(pl.col("name") == name)
    if found.is_empty():
        return None
    number, hidden = found["number"][0], found["hidden"][0]
    for some in index.members(categories, hidden=hidden):
        place = int(np.searchsorted(some.numbers, number))
        if place < len(some.numbers) and some.numbers[place] == number:
            ends = np.append(some.begins[1:], len(some.steps))
            return some.articles()[some.begins[place] : ends[place]], hidden
    return None
