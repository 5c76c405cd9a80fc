"""What an index of an invented wiki must hold, said by whoever invented it, and the comparison with one that was built.

The truth is added up from what was drawn, by numbers of articles and categories; nothing of the index's own code is
used for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import polars as pl

from bench.links import LinkTruth
from bench.wiki import Leads, Wiki
from models.snapshot import Figures
from worker.wiki.index import Part, WikiIndex


def write_truth(directory: Path, wiki: Wiki, links: LinkTruth, article_views: int) -> None:
    """Write what must come out: figures, what each title means, memberships per article and per category."""
    write_figures(directory, wiki, links)
    (directory / "truth-views.json").write_text(json.dumps(article_views))
    _titles(wiki).write_parquet(directory / "truth-titles.parquet")
    counts = {"visible": links.visible[1:], "hidden": links.hidden[1:]}
    pl.DataFrame({"title": wiki.articles[1:].cast(pl.Binary), **counts}).write_parquet(
        directory / "truth-articles.parquet"
    )
    categories = pl.DataFrame(
        {"name": wiki.categories.cast(pl.Binary), "hidden": wiki.hidden, "members": links.per_category}
    )
    categories.filter(pl.col("members") > 0).write_parquet(directory / "truth-categories.parquet")


def write_figures(directory: Path, wiki: Wiki, links: LinkTruth) -> None:
    """Write only how many of everything the index must hold."""
    (directory / "truth-figures.json").write_text(json.dumps(asdict(_figures(wiki, links))))


def check_figures(directory: Path, figures: Figures) -> list[str]:
    """Which figures are not those that were written."""
    truth, found = json.loads((directory / "truth-figures.json").read_text()), asdict(figures)
    return [f"{name}: {found[name]}, not {truth[name]}" for name in found if found[name] != truth[name]]


def check_index(directory: Path, index: WikiIndex, article_views: int) -> list[str]:
    """What the index or the ranking has otherwise than it was written; nothing if all is well."""
    faults = check_figures(directory, index.figures)
    written = json.loads((directory / "truth-views.json").read_text())
    if article_views != written:
        faults.append(f"article views: {article_views}, not {written}")
    return faults + list(_unlike(directory, index))


def _unlike(directory: Path, index: WikiIndex) -> Iterator[str]:
    titles = pl.concat(index.frames(Part.TITLES))
    articles = titles.filter(~pl.col("redirect")).select("article", means="title")
    if len(articles) != index.figures.articles or articles["article"].to_list() != list(range(len(articles))):
        yield "articles are not numbered by their titles"
    meant = titles.join(articles, on="article").select("title", "means").sort("title")
    if not meant.equals(pl.read_parquet(directory / "truth-titles.parquet").sort("title")):
        yield "titles mean other articles"
    categories = index.categories()
    written = pl.read_parquet(directory / "truth-categories.parquet").sort("name")
    if not categories.with_columns(pl.col("members").cast(pl.Int64)).equals(written):
        yield "categories have other names or sizes"
    counts = {name: _per_article(index, categories, hidden=name == "hidden") for name in ("visible", "hidden")}
    own = pl.DataFrame({"title": articles["means"], **counts})
    if not own.equals(pl.read_parquet(directory / "truth-articles.parquet").sort("title")):
        yield "articles are in other numbers of categories"


def _per_article(index: WikiIndex, categories: pl.DataFrame, *, hidden: bool) -> pl.Series:
    counts = np.zeros(index.figures.articles, dtype=np.int64)
    for some in index.members(categories, hidden=hidden):
        counts += np.bincount(some.articles(), minlength=len(counts))
    return pl.Series(counts)


def _titles(wiki: Wiki) -> pl.DataFrame:
    articles = wiki.articles[1:]
    leads = np.flatnonzero(wiki.leads == Leads.ARTICLE)
    targets = wiki.articles.gather(wiki.means[leads])
    return pl.DataFrame(
        {"title": pl.concat([articles, wiki.redirects.gather(leads)]), "means": pl.concat([articles, targets])}
    ).cast(pl.Binary)


def _figures(wiki: Wiki, links: LinkTruth) -> Figures:
    leads = {kind: int(np.count_nonzero(wiki.leads == kind)) for kind in Leads}
    used = links.per_category > 0
    paged = np.zeros(len(used), dtype=np.bool_)
    paged[wiki.paged] = True
    return Figures(
        articles=len(wiki.articles) - 1,
        redirects=leads[Leads.ARTICLE],
        categories=int(np.count_nonzero(used & ~wiki.hidden)),
        hidden_categories=int(np.count_nonzero(used & wiki.hidden)),
        memberships=int(links.per_category[~wiki.hidden].sum()),
        hidden_memberships=int(links.per_category[wiki.hidden].sum()),
        redirects_to_redirects=leads[Leads.REDIRECT],
        redirects_to_themselves=leads[Leads.ITSELF],
        redirects_to_other_wikis=leads[Leads.OTHER_WIKI],
        redirects_to_other_namespaces=leads[Leads.OTHER_NAMESPACE],
        redirects_to_missing_pages=leads[Leads.MISSING],
        redirects_without_target=leads[Leads.NOWHERE],
        repeated_titles=0,
        categories_without_page=int(np.count_nonzero(used & ~paged)),
        links_of_missing_pages=links.gone,
        links_to_missing_targets=links.dangling,
    )
