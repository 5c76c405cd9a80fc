"""A day's views of an invented wiki, hour by hour, and which of them its articles must be given."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from bench.titles import titles
from bench.wiki import MAIN_PAGE, Leads, Wiki
from models.hour import Hour, hours_of
from worker.tally import SCHEMA, tally_of

DAY = dt.date(2026, 11, 9)
_SHARES = {"articles": 0.55, "redirects": 0.2, "unknown": 0.2, "elsewhere": 0.05}
"""Of a day's titles: a quarter names no page of namespace 0, most of that red links and slips."""


@dataclass(frozen=True, slots=True)
class Day:
    """``views`` is how many each title can expect; ``article`` the number of the article it means, -1 for none."""

    titles: pl.Series
    article: npt.NDArray[np.int64]
    views: npt.NDArray[np.float64]


def draw_day(rng: np.random.Generator, wiki: Wiki) -> Day:
    """About as many titles as are requested in a day; titles are as unequal as real ones, some with 0.1 views."""
    counts = {name: round(wiki.sizes.requested_titles * share) for name, share in _SHARES.items()}
    articles = rng.permutation(len(wiki.articles))[: counts["articles"]]
    redirects = rng.permutation(len(wiki.redirects))[: counts["redirects"]]
    means = np.where(wiki.leads[redirects] == Leads.ARTICLE, wiki.means[redirects], -1)
    known = pl.DataFrame(
        {
            "title": pl.concat(
                [pl.Series([MAIN_PAGE, "-"]), wiki.articles.gather(articles), wiki.redirects.gather(redirects)]
            ),
            "article": np.concatenate([[-1, -1], np.where(articles > 0, articles, -1), means]),
        }
    )
    # Longer than any title of the wiki's forms, so none of these is one.
    unknown = titles(rng, wiki.words, counts["unknown"]) + "_never_written"
    elsewhere = "Talk:" + wiki.articles.gather(rng.integers(0, len(wiki.articles), counts["elsewhere"]))
    others = pl.DataFrame({"title": pl.concat([unknown, elsewhere])}).with_columns(pl.lit(-1).alias("article"))
    day = pl.concat([known, others], how="vertical_relaxed").unique("title", keep="first", maintain_order=True)
    views = np.minimum(0.6 * rng.pareto(0.85, len(day)) + 0.6, 500_000)
    return Day(day["title"], day["article"].to_numpy(), views)


def draw_hours(rng: np.random.Generator, day: Day, date: dt.date = DAY) -> Iterator[tuple[Hour, pl.DataFrame, int]]:
    """Each hour's tally, and the views in it that belong to articles."""
    for hour in hours_of(date):
        desktop, mobile = rng.poisson(day.views * 0.4 / 24), rng.poisson(day.views * 0.6 / 24)
        of_articles = int((desktop + mobile)[day.article >= 0].sum())
        tally = pl.DataFrame({"title": day.titles.cast(pl.Binary), "desktop": desktop, "mobile": mobile})
        yield hour, tally_of(tally.cast(SCHEMA)), of_articles
