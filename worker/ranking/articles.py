"""The ranking of articles: titles are read as the wiki would read them, and redirects count for their article."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from models.answer import STORED_DEPTH, Answer, LeastArticle, LeastRequested, RankedArticle, Universe
from models.category import CategoryAnswer
from models.errors import UnknownCategory
from models.siteinfo import Siteinfo
from models.title import title_text
from worker.ahead import some_threads
from worker.ranking.article_views import ArticleViews, Views, article_views
from worker.ranking.categories import category_name, members_of, top_categories
from worker.ranking.counted import Counted, RowsOf, flag_of, hourly_views
from worker.wiki.index import Numbers, WikiIndex
from worker.wiki.titles import excluding_rules, spelt_titles


def rank_articles(counted: Counted, index: WikiIndex, *, computed_at: dt.datetime, version: str) -> Answer:
    """Rank the articles of the wiki, with the views of all titles that mean them."""
    found = article_views(counted.totals(), index)
    views = found.views
    requested = int(np.count_nonzero(views))
    with some_threads() as threads:
        categories = threads.submit(top_categories, views, index)
        most, least = most_requested(views), _least_numbers(views)
        names = index.names_of(np.concatenate([most, least[:STORED_DEPTH]]))
        ranked = _most_requested(most, found, names, index.siteinfo, counted)
    return Answer(
        project=counted.project.name,
        period=counted.period,
        universe=Universe.ARTICLES,
        missing_hours=counted.missing_hours,
        snapshot=index.run,
        namespaces=index.siteinfo.origin,
        project_views=found.project_views,
        article_views=int(views.sum()),
        excluded=found.excluded,
        malformed_lines=counted.malformed_lines,
        articles_requested=requested,
        most_requested=ranked,
        least_requested=_least_requested(least, found, names, len(views) - requested),
        top_categories=categories.result(),
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
    found = article_views(counted.totals(), index)
    views = np.zeros_like(found.desktop)
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
        most_requested=_most_requested(most, found, index.names_of(most), index.siteinfo, counted),
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


def _least_numbers(views: Views) -> Numbers:
    """All articles that tie for the smallest number of views of a requested article."""
    requested = views[views > 0]
    return np.flatnonzero(views == requested.min()).astype(np.uint32) if len(requested) else np.empty(0, np.uint32)


def _most_requested(
    most: Numbers, found: ArticleViews, names: pl.DataFrame, siteinfo: Siteinfo, counted: Counted
) -> tuple[RankedArticle, ...]:
    hourly = hourly_views(_rows_of(most, names, siteinfo), len(most), counted).tolist()
    titles = _titles(names)
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


def _rows_of(most: Numbers, names: pl.DataFrame, siteinfo: Siteinfo) -> RowsOf:
    """Which of these articles logged titles mean, as ``article_views`` has it."""
    places = pl.DataFrame({"article": most}, schema={"article": pl.UInt32}).with_row_index("row")
    wanted = names.join(places, on="article").select("title", "row")

    def rows_of(titles: pl.Series) -> npt.NDArray[np.int64]:
        spelt = spelt_titles(titles, siteinfo).alias("title").to_frame().with_row_index("at")
        found = spelt.join(wanted, on="title")
        found = found.filter(excluding_rules(titles.gather(found["at"]), siteinfo).is_null())
        rows = np.full(len(titles), -1, dtype=np.int64)
        rows[found["at"].to_numpy()] = found["row"].to_numpy()
        return rows

    return rows_of


def _least_requested(
    least: Numbers, found: ArticleViews, names: pl.DataFrame, unrequested: int
) -> LeastRequested | None:
    titles = _titles(names)
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


def _titles(names: pl.DataFrame) -> Mapping[int, bytes]:
    own = names.filter(~pl.col("redirect"))
    return dict(zip(own["article"].to_list(), own["title"].to_list(), strict=True))
