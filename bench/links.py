"""Category links of an invented wiki, some pages at a time, and what an index must make of them.

A visible category's size follows Zipf's law, as real ones do: the largest hold two or three links in a hundred, nine
in ten have fewer than ten members. Hidden ones are few and huge. Members are drawn at random; in real wikis they lie
closer together, which only helps a stored index.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bench.titles import drawn, zipf_shares
from bench.wiki import PAGES_AT_A_TIME, Kind, Wiki

Numbers = npt.NDArray[np.int64]
# What is known of the real table: 208 million rows, 15 in a hundred of files and subcategories, an article has five or
# six visible categories and about twice as many hidden ones.
_VISIBLE = {
    Kind.ARTICLE: 5.75,
    Kind.REDIRECT: 0.4,
    Kind.CATEGORY: 4.0,
    Kind.TALK: 1.5,
    Kind.FILE: 7.0,
    Kind.OTHER: 0.3,
    Kind.GONE: 5.0,
}
_HIDDEN = {
    Kind.ARTICLE: 12.2,
    Kind.REDIRECT: 0.6,
    Kind.CATEGORY: 1.0,
    Kind.TALK: 0.9,
    Kind.FILE: 8.0,
    Kind.OTHER: 0.1,
    Kind.GONE: 5.0,
}


@dataclass(frozen=True, slots=True)
class Links:
    """Some links in the table's order: the place of each one's page among all, and the number of its category."""

    places: Numbers
    categories: Numbers


@dataclass(slots=True)
class LinkTruth:
    """What the links written so far add up to: articles per category, visible and hidden categories per article."""

    per_category: Numbers
    visible: Numbers
    hidden: Numbers
    rows: int = 0
    gone: int = 0
    dangling: int = 0

    def add(self, wiki: Wiki, links: Links) -> None:
        kinds = wiki.kinds[links.places]
        numbers = wiki.numbers[links.places]
        member = (kinds == Kind.ARTICLE) & (numbers > 0)  # number 0 is the main page
        known, hidden = wiki.targeted[links.categories], wiki.hidden[links.categories]
        self.rows += len(kinds)
        self.gone += int(np.count_nonzero(kinds == Kind.GONE))
        self.dangling += int(np.count_nonzero(member & ~known))
        counted = member & known
        # Few are added to many, so not by going through all of them each time, as bincount would.
        np.add.at(self.per_category, links.categories[counted], 1)
        np.add.at(self.visible, numbers[counted & ~hidden], 1)
        np.add.at(self.hidden, numbers[counted & hidden], 1)


def no_links(wiki: Wiki) -> LinkTruth:
    articles = len(wiki.articles)
    zeros = np.zeros(len(wiki.categories), dtype=np.int64)
    return LinkTruth(zeros, np.zeros(articles, dtype=np.int64), np.zeros(articles, dtype=np.int64))


def draw_links(rng: np.random.Generator, wiki: Wiki) -> Iterator[Links]:
    """All links, by page id and then by target, as the table's key orders them."""
    visible, hidden = rng.permutation(np.flatnonzero(~wiki.hidden)), rng.permutation(np.flatnonzero(wiki.hidden))
    pools = [
        (visible, zipf_shares(len(visible), 2), _means(_VISIBLE)),
        (hidden, zipf_shares(len(hidden), 2), _means(_HIDDEN)),
    ]
    for begin in range(0, len(wiki.kinds), PAGES_AT_A_TIME):
        kinds = wiki.kinds[begin : begin + PAGES_AT_A_TIME]
        keys = []
        for categories, shares, means in pools:
            places = begin + np.repeat(np.arange(len(kinds)), rng.poisson(means[kinds]))
            keys.append(places << 32 | categories[drawn(rng, shares, len(places))])
        links = np.unique(np.concatenate(keys))
        yield Links(links >> 32, links & 0xFFFFFFFF)


def _means(per_page: Mapping[Kind, float]) -> npt.NDArray[np.float64]:
    return np.array([per_page[kind] for kind in Kind])
