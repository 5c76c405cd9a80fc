"""An invented wiki as large as a part of English Wikipedia: its pages, redirects and categories, as columns.

The numbers of ``FULL`` are English Wikipedia's in 2026, rounded
(https://en.wikipedia.org/wiki/Special:Statistics, and the sizes of its dumps).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt
import polars as pl

from bench.titles import Lexicon, category_titles, chance, lexicon, titles, variants

MAIN_PAGE = "Main_Page"
PAGES_AT_A_TIME = 100_000
OTHER_NAMESPACES = (1, 2, 3, 4, 5, 6, 10, 11, 15, 118, 828)
OTHER_SHARES = (0.36, 0.08, 0.33, 0.03, 0.01, 0.03, 0.03, 0.02, 0.09, 0.01, 0.01)


class Kind(IntEnum):
    """What a page is; one that is ``GONE`` is in no table but ``categorylinks``."""

    ARTICLE = 0
    REDIRECT = 1
    CATEGORY = 2
    TALK = 3
    FILE = 4
    OTHER = 5
    GONE = 6


class Leads(IntEnum):
    """Where a redirect leads."""

    ARTICLE = 0
    OTHER_NAMESPACE = 1
    MISSING = 2
    REDIRECT = 3
    ITSELF = 4
    OTHER_WIKI = 5
    NOWHERE = 6


LEADS_SHARES = (0.976, 0.008, 0.008, 0.004, 0.001, 0.002, 0.001)


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many of each there are; ``targets`` and ``links`` are the rows of linktarget and categorylinks."""

    pages: int = 62_000_000
    articles: int = 7_000_000
    redirects: int = 11_000_000
    categories: int = 2_500_000
    targets: int = 60_000_000
    links: int = 208_000_000
    requested_titles: int = 6_000_000

    def scaled(self, scale: float) -> Sizes:
        return Sizes(*(max(60, round(number * scale)) for number in (getattr(self, name) for name in self.__slots__)))


FULL = Sizes()


@dataclass(frozen=True, slots=True)
class Wiki:
    """``ids``, ``kinds``, ``numbers`` and ``namespaces`` have a row per page, in the order of the ids.

    A page's number is its place among those of its kind. ``articles`` and ``redirects`` are titles by number; ``leads``
    is said of each redirect, and ``means`` is the number of the article, or redirect, that it leads to. ``categories``
    are names in the order of their link targets: ``paged`` are those with a page, by the page's number, ``hidden``
    those whose page hides them, ``targeted`` those that linktarget has. ``target_ids`` are all ids of linktarget, and
    ``target_rows`` those rows that are categories.
    """

    sizes: Sizes
    words: Lexicon
    ids: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.uint8]
    numbers: npt.NDArray[np.int64]
    namespaces: npt.NDArray[np.int64]
    articles: pl.Series
    redirects: pl.Series
    leads: npt.NDArray[np.int64]
    means: npt.NDArray[np.int64]
    categories: pl.Series
    paged: npt.NDArray[np.int64]
    hidden: npt.NDArray[np.bool_]
    targeted: npt.NDArray[np.bool_]
    target_ids: npt.NDArray[np.int64]
    target_rows: npt.NDArray[np.int64]

    def titles(self, begin: int, end: int) -> pl.Series:
        """The titles of some pages; those of talk pages, files and others are made of articles'."""
        kinds, numbers = self.kinds[begin:end], self.numbers[begin:end]
        known = {Kind.ARTICLE: self.articles, Kind.REDIRECT: self.redirects, Kind.CATEGORY: self._paged_names}
        parts = [_by_number(known.get(kind, self.articles), numbers[kinds == kind]) for kind in Kind]
        endings = {Kind.FILE: ".jpg", Kind.OTHER: "/Archive"}
        named = [part + endings.get(kind, "") for kind, part in zip(Kind, parts, strict=True)]
        order = np.argsort(kinds, kind="stable")
        return pl.concat(named).gather(np.argsort(order))

    def redirect_targets(self, begin: int, end: int) -> pl.Series:
        """The titles that some redirects lead to; that of one that leads nowhere, which has no row, means nothing."""
        leads, means = self.leads[begin:end], self.means[begin:end]
        to_redirect = np.isin(leads, (Leads.REDIRECT, Leads.ITSELF))
        own = np.where(leads == Leads.ITSELF, np.arange(begin, end), means)[to_redirect]
        named = self.articles.gather(np.where(to_redirect, 1, means))
        named = named.scatter(np.flatnonzero(to_redirect), self.redirects.gather(own))
        return ("Never_written:_" + named).zip_with(pl.Series(leads == Leads.MISSING), named)

    @property
    def _paged_names(self) -> pl.Series:
        return self.categories.gather(self.paged)


def invent(rng: np.random.Generator, scale: float) -> Wiki:
    sizes, words = FULL.scaled(scale), lexicon(rng)
    kinds = _kinds(rng, sizes)
    articles = _unique(rng, words, sizes.articles, pl.Series("title", [MAIN_PAGE]))
    redirects, means = _redirects(rng, words, articles, sizes.redirects)
    leads = rng.choice(len(Leads), sizes.redirects, p=LEADS_SHARES)
    means[(leads == Leads.ARTICLE) & (means == 0)] = 1  # none leads to the main page
    elsewhere = leads == Leads.REDIRECT
    means[elsewhere] = np.arange(sizes.redirects)[elsewhere] - 1  # the one before; the first leads to the last
    categories = _category_names(rng, words, round(sizes.categories * 1.04))
    paged = rng.permutation(len(categories))[: sizes.categories]
    hidden = np.zeros(len(categories), dtype=np.bool_)
    hidden[paged[: min(len(paged) // 4, max(1_500, sizes.categories // 100))]] = True
    return Wiki(
        sizes=sizes,
        words=words,
        ids=np.cumsum(rng.geometric(62 / 80, len(kinds))),  # ids reach 80 million: some pages were deleted
        kinds=kinds,
        numbers=_numbers(kinds),
        namespaces=_namespaces(rng, kinds),
        articles=articles,
        redirects=redirects,
        leads=leads,
        means=means,
        categories=categories,
        paged=paged,
        hidden=hidden,
        targeted=chance(rng, 0.999, len(categories)),
        target_ids=np.cumsum(rng.geometric(0.5, sizes.targets)),
        target_rows=np.sort(rng.permutation(sizes.targets)[: len(categories)]),
    )


def _kinds(rng: np.random.Generator, sizes: Sizes) -> npt.NDArray[np.uint8]:
    others = sizes.pages - sizes.articles - sizes.redirects - sizes.categories
    talk, files = round(others * OTHER_SHARES[0]), round(others * OTHER_SHARES[5])
    counts = {
        Kind.ARTICLE: sizes.articles,
        Kind.REDIRECT: sizes.redirects,
        Kind.CATEGORY: sizes.categories,
        Kind.TALK: talk,
        Kind.FILE: files,
        Kind.OTHER: others - talk - files,
        Kind.GONE: sizes.pages // 2_000 + 1,
    }
    return rng.permutation(np.repeat(np.array(list(counts), dtype=np.uint8), list(counts.values())))


def _numbers(kinds: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    numbers = np.empty(len(kinds), dtype=np.int64)
    for kind in Kind:
        places = np.flatnonzero(kinds == kind)
        numbers[places] = np.arange(len(places))
    return numbers


def _by_number(titles: pl.Series, numbers: npt.NDArray[np.int64]) -> pl.Series:
    return titles.gather(numbers % len(titles))


def _namespaces(rng: np.random.Generator, kinds: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    of_kind = np.array([0, 0, 14, 1, 6, -1, 0])[kinds]
    others = [namespace for namespace in OTHER_NAMESPACES if namespace not in (1, 6)]
    of_kind[of_kind < 0] = rng.choice(others, int(np.count_nonzero(of_kind < 0)))
    return of_kind


def _unique(rng: np.random.Generator, words: Lexicon, number: int, first: pl.Series) -> pl.Series:
    found = first
    while len(found) < number:
        found = pl.concat([found, titles(rng, words, number - len(found) + 10)]).unique(maintain_order=True)
    return found.head(number)


def _redirects(
    rng: np.random.Generator, words: Lexicon, articles: pl.Series, number: int
) -> tuple[pl.Series, npt.NDArray[np.int64]]:
    """Titles that no article has, and the article each leads to: six in ten are other spellings of its title."""
    found = pl.DataFrame(schema={"title": pl.String, "means": pl.Int64})
    while len(found) < number:
        lacking = number - len(found)
        means = pl.Series("means", rng.integers(0, len(articles), lacking + lacking // 5 + 50))
        spelt = variants(rng, words, articles.gather(means))
        fresh = titles(rng, words, len(means))
        title = spelt.zip_with(pl.Series(chance(rng, 0.6, len(means))), fresh)
        more = pl.DataFrame([title.alias("title"), means]).join(articles.to_frame("title"), on="title", how="anti")
        # Sorted first, because a join gives rows in any order and the same seed is to give the same wiki.
        found = pl.concat([found, more.sort("means", "title").sample(fraction=1, shuffle=True, seed=7)])
        found = found.unique("title", keep="first", maintain_order=True).head(number)
    return found["title"], found["means"].to_numpy().copy()


def _category_names(rng: np.random.Generator, words: Lexicon, number: int) -> pl.Series:
    found = category_titles(rng, words, number).unique(maintain_order=True)
    while len(found) < number:
        found = pl.concat([found, category_titles(rng, words, number)]).unique(maintain_order=True)
    return found.head(number)
