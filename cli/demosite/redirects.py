"""The redirects of the demo's wikis: good ones, misspellings, and every kind that leads to no article."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from cli.demosite import titles
from cli.demosite.pages import ARTICLES, PROJECT, USER
from cli.demosite.quiet import QUIET_BUT_LINKED

_SPECIAL = -1


class Target(NamedTuple):
    """Where a redirect leads."""

    title: str
    namespace: int = ARTICLES
    interwiki: str | None = None
    fragment: str | None = None


class OldLink(NamedTuple):
    """How often readers follow a redirect, in views an hour, and where it leads; None: nobody has noted where."""

    views: float
    target: Target | None


OldLinks = Mapping[str, OldLink]

ENGLISH: OldLinks = {
    "Great_teapot_parade": OldLink(6.0, Target(titles.BURST_TITLE)),
    "Route_of_the_Great_Teapot_Parade": OldLink(2.0, Target(titles.BURST_TITLE, fragment="Route_(1823)")),
    "Signal_box_(unattended)": OldLink(3.0, Target(titles.AUTOMATED_TITLE, interwiki="", fragment="")),
    "Strange_Al's_Fictional": OldLink(5.0, Target('"Strange_Al"_Fictional')),
    "Caf\u00e9_imaginaire": OldLink(2.0, Target("Caf\u00e9_Imaginaire", interwiki="")),
    "銅ランタン": OldLink(1.0, Target("銅のランタン協会")),
    "Kettle_of_many_names": OldLink(1.5, Target(QUIET_BUT_LINKED)),
    # None of those that follow leads to an article.
    "Old_Great_Teapot_Parade": OldLink(4.0, Target("Great_teapot_parade")),
    "Kettle_that_pours_into_itself": OldLink(2.0, Target("Kettle_that_pours_into_itself")),
    "Help_(dictionary_entry)": OldLink(2.0, Target("Help!", interwiki="wikt")),
    "Dismantled_Pavilion": OldLink(2.0, Target("Pavilion_that_is_gone")),
    "Search_for_teapots": OldLink(2.0, Target("Search", namespace=_SPECIAL)),
    "Ingrid,_invented": OldLink(1.5, Target("Invented_Ingrid", namespace=USER)),
    "Mission_of_a_user": OldLink(1.0, Target("Mission:_Unlikely", namespace=USER)),
    "Main_page": OldLink(12.0, Target("Main_Page")),
    "Half_a_Redirect": OldLink(1.5, None),
    "-": OldLink(0.0, Target("-1_Teapot")),
}
GERMAN: OldLinks = {
    "Glaeserne_Bruecke": OldLink(3.0, Target("Gläserne_Brücke")),
    "Süsse_Strasse": OldLink(1.0, Target("Süße_Straße", interwiki="")),
    "Alte_glaeserne_Bruecke": OldLink(1.0, Target("Glaeserne_Bruecke")),
    "Teekanne_(Wörterbuch)": OldLink(0.8, Target("Stille_Wolke", interwiki="wikt")),
    "Hauptseite": OldLink(4.0, Target("Hauptseite", namespace=PROJECT)),
    "Abgerissene_Mühle": OldLink(0.8, Target("Mühle,_die_es_nicht_mehr_gibt")),
}
COMMONS: OldLinks = {"Main_page": OldLink(1.0, Target("Main_Page"))}
WIKTIONARY: OldLinks = {
    "flumpets": OldLink(1.5, Target("flumpet")),
    "FLUMPET": OldLink(0.8, Target("Flumpet", interwiki="")),
    "flumpetses": OldLink(0.8, Target("flumpets")),
    "Main_Page": OldLink(1.0, Target("Main_Page", namespace=PROJECT)),
}

ENGLISH_DETOURS = {"great__teapot_parade": 0.8, "_Main_page": 0.6, titles.ONLY_ELSEWHERE: 1.2}
"""What else readers ask for on the way: other spellings of redirects, and a name that only another namespace has."""


def misspellings(articles: Sequence[str], count: int, taken: Collection[str], rng: random.Random) -> dict[str, OldLink]:
    """Redirects for titles that lack a letter; readers go on making such slips, and every fourth is an old link too."""
    found: dict[str, OldLink] = {}
    for article in rng.sample(articles, len(articles)):
        missing = rng.randrange(1, len(article))
        slip = article[:missing] + article[missing + 1 :]
        if len(found) < count and slip not in taken:
            interwiki, fragment = rng.choice((None, "")), rng.choice((None, None, "History", 'The_"lost"_years'))
            views = rng.uniform(0.2, 3) if len(found) % 4 == 0 else 0.0
            found[slip] = OldLink(views, Target(article, ARTICLES, interwiki, fragment))
    return found
