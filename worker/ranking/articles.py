"""The ranking of articles: titles are read as the wiki would read them, and redirects count for their article."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from models.answer import STORED_DEPTH, Answer, LeastArticle, LeastRequested, RankedArticle, Rule, Universe
from models.category import CategoryAnswer
from models.errors import UnknownCategory
from models.title import title_text
from worker.ranking.categories import category_name, members_of, top_categories
from worker.ranking.counted import Counted, excluded, flag_of, hourly_views
from worker.wiki.index import Numbers, Part, WikiIndex
from worker.wiki.titles import read_titles

Views = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class ArticleViews:
    """A period's views per article, by article number: each array has one place for every article of the wiki.

    ``rows`` says what became of each logged title: ``title``, ``views``, ``article`` (null where it is excluded) and
    ``rule`` (null where it is not).
    """

    desktop: Views
    mobile: Views
    through_redirects: Views
    rows: pl.DataFrame

    @property
    def views(self) -> Views:
        return self.desktop + self.mobile


def rank_articles(counted: Counted, index: WikiIndex, *, computed_at: dt.datetime, version: str) -> Answer:
    """Rank the articles of the wiki, with the views of all titles that mean them."""
    found = article_views(counted.total, index)
    views = found.views
    requested = int(np.count_nonzero(views))
    most, least = most_requested(views), _least_numbers(views)
    titles = index.titles_of(np.concatenate([most, least[:STORED_DEPTH]]))
    return Answer(
        project=counted.project.name,
        period=counted.period,
        universe=Universe.ARTICLES,
        missing_hours=counted.missing_hours,
        snapshot=index.run,
        namespaces=index.siteinfo.origin,
        project_views=int(found.rows["views"].sum()),
        article_views=int(views.sum()),
        excluded=excluded(found.rows),
        malformed_lines=counted.malformed_lines,
        articles_requested=requested,
        most_requested=_ranked_articles(most, found, titles, _hourly(most, found, counted)),
        least_requested=_least_requested(least, found, titles, len(views) - requested),
        top_categories=top_categories(views, index),
        computed_at=computed_at,
        wikiq=version,
    )


def rank_category(counted: Counted, index: WikiIndex, name: str) -> CategoryAnswer:
    """Rank the articles of one category.

    Raises:
        UnknownCategory: no article is in it.
    """
    category = category_name(name, index.siteinfo)
    known = members_of(category, index)
    if known is None:
        raise UnknownCategory(
            f"{counted.project} has no category {title_text(category)!r} with articles in the snapshot of {index.run}."
        )
    members, hidden = known
    found = article_views(counted.total, index)
    views = np.zeros_like(found.views)
    views[members] = found.views[members]
    most = most_requested(views)
    return CategoryAnswer(
        project=counted.project.name,
        period=counted.period,
        category=title_text(category),
        hidden=hidden,
        missing_hours=counted.missing_hours,
        snapshot=index.run,
        views=int(views.sum()),
        members=len(members),
        requested=int(np.count_nonzero(views)),
        most_requested=_ranked_articles(most, found, index.titles_of(most), _hourly(most, found, counted)),
    )


def article_views(total: pl.DataFrame, index: WikiIndex) -> ArticleViews:
    """Give the views of every logged title to the article it means, or to the rule that excludes it."""
    rows = total.with_columns((pl.col("desktop") + pl.col("mobile")).alias("views")).hstack(
        read_titles(total["title"], index.siteinfo)
    )
    articles, redirects = _looked_up(rows, index)
    rows = rows.drop("canonical").with_columns(
        articles.alias("article"),
        pl.when(pl.col("rule").is_null() & articles.is_null())
        .then(pl.lit(Rule.NO_SUCH_ARTICLE))
        .otherwise(pl.col("rule"))
        .alias("rule"),
    )
    ranked = rows.with_columns(redirects.alias("redirect")).filter(pl.col("article").is_not_null())
    return ArticleViews(
        desktop=_per_article(ranked, "desktop", index.figures.articles),
        mobile=_per_article(ranked, "mobile", index.figures.articles),
        through_redirects=_per_article(ranked.filter("redirect"), "views", index.figures.articles),
        rows=rows.select("title", "views", "article", "rule"),
    )


def most_requested(views: Views) -> Numbers:
    """The articles with the most views, at most as many as are stored; among equals the smaller number comes first."""
    depth = min(STORED_DEPTH, int(np.count_nonzero(views)))
    if not depth:
        return np.empty(0, dtype=np.uint32)
    enough = np.partition(views, len(views) - depth)[len(views) - depth]
    candidates = np.flatnonzero(views >= enough)
    order = np.argsort(np.iinfo(np.int64).max - views[candidates].astype(np.int64), kind="stable")
    return candidates[order][:depth].astype(np.uint32)


def _looked_up(rows: pl.DataFrame, index: WikiIndex) -> tuple[pl.Series, pl.Series]:
    """For each row the article that its title means, and whether it does so as a redirect; null for no article.

    The index comes in order of its titles, so each of its frames is joined with just those rows that may be in it.
    """
    wanted = rows.lazy().select("canonical", "rule").with_row_index("row").filter(pl.col("rule").is_null())
    ordered = wanted.select("canonical", "row").sort("canonical").collect()
    articles = np.full(len(rows), -1, dtype=np.int64)
    redirects = np.zeros(len(rows), dtype=np.bool_)
    for frame in index.frames(Part.TITLES):
        if frame.is_empty():
            continue
        begin = ordered["canonical"].search_sorted(frame["title"][:1], side="left")[0]
        end = ordered["canonical"].search_sorted(frame["title"][-1:], side="right")[0]
        found = ordered[begin:end].join(frame, left_on="canonical", right_on="title")
        articles[found["row"].to_numpy()] = found["article"].to_numpy()
        redirects[found["row"].to_numpy()] = found["redirect"].to_numpy()
    known = pl.Series(articles)
    return known.set(known < 0, None).cast(pl.UInt32), pl.Series(redirects)


def _per_article(rows: pl.DataFrame, column: str, articles: int) -> Views:
    sums = np.zeros(articles, dtype=np.uint64)
    np.add.at(sums, rows["article"].to_numpy(), rows[column].to_numpy())
    return sums


def _least_numbers(views: Views) -> Numbers:
    """All articles that tie for the smallest number of views of a requested article."""
    requested = views[views > 0]
    return np.flatnonzero(views == requested.min()).astype(np.uint32) if len(requested) else np.empty(0, np.uint32)


def _hourly(most: Numbers, found: ArticleViews, counted: Counted) -> Sequence[Sequence[int]]:
    places = pl.DataFrame({"article": most}, schema={"article": pl.UInt32}).with_row_index("row")
    wanted = found.rows.select("title", "article").join(places, on="article").select("title", "row")
    hourly: list[list[int]] = hourly_views(wanted, len(most), counted).tolist()
    return hourly


def _ranked_articles(
    most: Numbers, found: ArticleViews, titles: Mapping[int, bytes], hourly: Sequence[Sequence[int]]
) -> tuple[RankedArticle, ...]:
    return tuple(
        RankedArticle(
            rank=rank,
            title=title_text(titles[article]),
            views=int(found.desktop[article]) + int(found.mobile[article]),
            desktop=int(found.desktop[article]),
            mobile=int(found.mobile[article]),
            through_redirects=int(found.through_redirects[article]),
            hourly=tuple(hours),
            flag=flag_of(int(found.desktop[article]), int(found.mobile[article]), hours),
        )
        for rank, (article, hours) in enumerate(zip(most.tolist(), hourly, strict=True), start=1)
    )


def _least_requested(
    least: Numbers, found: ArticleViews, titles: Mapping[int, bytes], unrequested: int
) -> LeastRequested | None:
    articles = tuple(
        LeastArticle(
            title=title_text(titles[article]),
            views=int(found.desktop[article]) + int(found.mobile[article]),
            desktop=int(found.desktop[article]),
            mobile=int(found.mobile[article]),
            through_redirects=int(found.through_redirects[article]),
        )
        for article in least[:STORED_DEPTH].tolist()
    )
    return LeastRequested(articles[0].views, len(least), unrequested, articles) if articles else None
