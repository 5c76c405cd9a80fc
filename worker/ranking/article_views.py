"""The views of articles: logged titles are read as the wiki would read them, and redirects count for their article."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import polars as pl

from models.answer import Excluded, Rule
from models.siteinfo import Siteinfo
from worker.ahead import ahead, some_threads
from worker.block import compact
from worker.ranking.counted import Sums, Tallied, sums_by_rule
from worker.ranking.walk import Walk, meanings
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
    for found in _looked_up(totals, index, tallied):
        tallied.add(found.sums)
        np.add.at(desktop, found.articles, found.desktop)
        np.add.at(mobile, found.articles, found.mobile)
        np.add.at(through_redirects, found.articles[found.redirects], found.views[found.redirects])
    return ArticleViews(desktop, mobile, through_redirects, tallied.project_views, tallied.excluded)


@dataclass(frozen=True, slots=True)
class _Read:
    """A part of the tally, read as the wiki would read it.

    Attributes:
        sums: of titles that are excluded by their name alone.
        spelt: the other titles that are spelt as the wiki spells them, in order.
        respelt: those that it spells in another way.
    """

    sums: Sequence[Sums]
    spelt: pl.DataFrame
    respelt: pl.DataFrame


@dataclass(frozen=True, slots=True)
class _Found:
    """Titles that mean an article: the article's number, their views, and whether they lead there as redirects.

    ``sums`` has the views of these and of titles that mean none, by rule.
    """

    sums: Sequence[Sums]
    articles: npt.NDArray[np.int64]
    redirects: npt.NDArray[np.bool_]
    desktop: Views
    mobile: Views

    @property
    def views(self) -> Views:
        return self.desktop + self.mobile


def _looked_up(totals: Iterable[pl.DataFrame], index: WikiIndex, tallied: Tallied) -> Iterator[_Found]:
    """Every title of the tally, looked up; those that are excluded by their name alone are only tallied.

    Titles and the index both come in order, so they are walked through side by side; what is found is worked out in
    threads.
    """
    with some_threads() as threads:
        read = ahead(partial(_read, siteinfo=index.siteinfo), totals, threads)
        yield from ahead(lambda task: task(), _look_ups(read, index, tallied), threads, 1)


def _look_ups(parts: Iterable[_Read], index: WikiIndex, tallied: Tallied) -> Iterator[Callable[[], _Found]]:
    """What is to be looked up where in the index.

    Titles that the wiki spells in another way are out of order: they wait until there are many of them, or no others.
    """
    walk, respelt = Walk(index.frames(Part.TITLES)), list[pl.DataFrame]()
    for part in parts:
        tallied.add(part.sums)
        yield from _along(walk, part.spelt)
        respelt.append(part.respelt)
        if sum(map(len, respelt)) >= RESPELT_ROWS:
            yield from _along_anew(index, respelt)
            respelt = []
    yield from _along_anew(index, respelt)


def _along_anew(index: WikiIndex, parts: Sequence[pl.DataFrame]) -> Iterator[Callable[[], _Found]]:
    if any(map(len, parts)):
        yield from _along(Walk(index.frames(Part.TITLES)), pl.concat(parts).sort("canonical"))


def _along(walk: Walk, rows: pl.DataFrame) -> Iterator[Callable[[], _Found]]:
    for begin, end, known in walk.along(rows["canonical"]):
        yield partial(_look_up, rows[begin:end], known)


def _read(total: pl.DataFrame, siteinfo: Siteinfo) -> _Read:
    views = (pl.col("desktop") + pl.col("mobile")).alias("views")
    rows = total.with_columns(views).hstack(read_titles(total["title"], siteinfo))
    ranked = rows.filter(pl.col("rule").is_null())
    as_spelt = pl.col("canonical") == pl.col("title")
    sums = tuple(sums_by_rule(rows.filter(pl.col("rule").is_not_null())))
    return _Read(sums, ranked.filter(as_spelt), compact(ranked.filter(~as_spelt)))


def _look_up(rows: pl.DataFrame, known: pl.DataFrame) -> _Found:
    articles, redirects = meanings(rows["canonical"], known)
    there, views = articles >= 0, rows["views"].to_numpy()
    ranked, unknown = (
        Sums(rule, int(views[flags].sum()), int(np.count_nonzero(flags)))
        for rule, flags in ((None, there), (Rule.NO_SUCH_ARTICLE, ~there))
    )
    return _Found(
        (ranked, unknown),
        articles[there],
        redirects[there],
        *(rows[name].to_numpy()[there] for name in ("desktop", "mobile")),
    )
