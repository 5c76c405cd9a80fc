"""The views of articles: logged titles are read as the wiki would read them, and redirects count for their article."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import polars as pl

from models.answer import Excluded, Rule
from models.siteinfo import Siteinfo
from worker.ahead import ahead
from worker.block import compact
from worker.ranking.counted import Tallied
from worker.ranking.walk import Walk
from worker.wiki.index import Part, WikiIndex
from worker.wiki.titles import read_titles

RESPELT_ROWS = 1_000_000
"""How many titles that the wiki spells in another way are gathered before they are looked up."""

Views = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class ArticleViews:
    """A period's views per article, by article number: each array has one place for every article of the wiki."""

    desktop: Views
    mobile: Views
    through_redirects: Views
    project_views: int
    excluded: tuple[Excluded, ...]

    @property
    def views(self) -> Views:
        return self.desktop + self.mobile


def article_views(totals: Iterable[pl.DataFrame], index: WikiIndex) -> ArticleViews:
    """Give the views of every logged title to the article it means, or to the rule that excludes it.

    Args:
        totals: the tally of a period, as a stream.
        index: the wiki's.
    """
    desktop, mobile, through_redirects = (np.zeros(index.figures.articles, dtype=np.uint64) for _ in range(3))
    tallied = Tallied()
    for rows in _looked_up(totals, index):
        tallied.add(rows)
        ranked = rows.filter(pl.col("rule").is_null())
        _add(desktop, ranked, "desktop")
        _add(mobile, ranked, "mobile")
        _add(through_redirects, ranked.filter("redirect"), "views")
    return ArticleViews(desktop, mobile, through_redirects, tallied.project_views, tallied.excluded)


def _looked_up(totals: Iterable[pl.DataFrame], index: WikiIndex) -> Iterator[pl.DataFrame]:
    """Every row of the tally, with ``views``, and with the ``article`` that it means or the ``rule`` that excludes it.

    Titles and the index both come in order, so they are walked through side by side. Titles that the wiki spells in
    another way are out of this order: they wait until there are many of them, or no others.
    """
    walk, respelt = Walk(index.frames(Part.TITLES)), list[pl.DataFrame]()
    for rows in ahead(partial(_read, siteinfo=index.siteinfo), totals):
        waits = rows["rule"].is_null() & (rows["canonical"] != rows["title"])
        if waits.any():
            respelt.append(compact(rows.filter(waits)))
        yield _with_articles(rows.filter(~waits) if waits.any() else rows, walk)
        if sum(map(len, respelt)) >= RESPELT_ROWS:
            yield _respelt(respelt, index)
            respelt = []
    if respelt:
        yield _respelt(respelt, index)


def _read(total: pl.DataFrame, siteinfo: Siteinfo) -> pl.DataFrame:
    views = (pl.col("desktop") + pl.col("mobile")).alias("views")
    return total.with_columns(views).hstack(read_titles(total["title"], siteinfo))


def _respelt(parts: Sequence[pl.DataFrame], index: WikiIndex) -> pl.DataFrame:
    return _with_articles(pl.concat(parts).sort("canonical"), Walk(index.frames(Part.TITLES)))


def _with_articles(rows: pl.DataFrame, walk: Walk) -> pl.DataFrame:
    """The rows, sorted by ``canonical`` where no rule applies, with what the index says of each."""
    wanted = np.flatnonzero(rows["rule"].is_null().to_numpy())
    articles, redirects = np.full(len(rows), -1, dtype=np.int64), np.zeros(len(rows), dtype=np.bool_)
    articles[wanted], redirects[wanted] = walk.find(rows["canonical"].gather(wanted))
    unknown = rows["rule"].is_null() & pl.Series(articles < 0)
    return rows.with_columns(
        pl.when(unknown).then(pl.lit(Rule.NO_SUCH_ARTICLE)).otherwise(pl.col("rule")).alias("rule"),
        pl.Series("article", articles),
        pl.Series("redirect", redirects),
    )


def _add(sums: Views, rows: pl.DataFrame, column: str) -> None:
    np.add.at(sums, rows["article"].to_numpy(), rows[column].to_numpy())
