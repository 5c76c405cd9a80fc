"""The demo's wikis: what each says about itself, what it holds, and what its readers ask for on an average hour."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from cli.demosite import categories, quiet, redirects, siteinfo, titles
from cli.demosite.categories import CategoryNames
from cli.demosite.invention import Plan, earlier, invent, main_page_of
from cli.demosite.pages import Content
from cli.demosite.redirects import OldLinks, misspellings
from cli.demosite.siteinfo import SiteInfo
from models.project import DEFAULT_PROJECT, Project, parse_project

# Percent of an average hour, for the UTC hours 0 to 23. Numbers, not a sine: libm's last bits differ by machine.
# fmt: off - six hours to a line
_WORLDWIDE = (
    104,
    101,
    97,
    91,
    82,
    74,
    67,
    62,
    62,
    68,
    76,
    85,
    93,
    101,
    109,
    117,
    123,
    129,
    134,
    137,
    136,
    129,
    119,
    104,
)
_EUROPEAN = (
    42,
    29,
    21,
    16,
    17,
    29,
    54,
    82,
    101,
    111,
    115,
    117,
    119,
    121,
    123,
    126,
    132,
    143,
    156,
    167,
    165,
    137,
    104,
    73,
)
# fmt: on


@dataclass(frozen=True, slots=True)
class Demand:
    """How often a title is asked for: views in an average hour, and the share of them that is mobile (0 to 1)."""

    title: bytes
    views: float
    mobile: float


@dataclass(frozen=True, slots=True)
class Wiki:
    """One wiki of the demo: what it says about itself and what its readers ask for.

    ``passing`` is the number of mistyped titles an hour, each asked for once. ``old_links`` are redirects that readers
    follow, what else they ask for on the way, and articles that hardly any of them finds. ``content`` is what the wiki
    holds on the date of the site's run, ``older_content`` on that of the older run; both are None where only the
    namespaces are dumped.
    """

    project: Project
    siteinfo: SiteInfo
    articles: tuple[Demand, ...]
    oddities: tuple[Demand, ...]
    rhythm: tuple[int, ...]
    passing: int
    old_links: tuple[Demand, ...] = ()
    content: Content | None = None
    older_content: Content | None = None


@dataclass(frozen=True, slots=True)
class _Furniture:
    """What a wiki has beside what its readers ask for."""

    quiet: tuple[str, ...]
    rare: tuple[str, ...]
    old_links: OldLinks
    categories: CategoryNames
    misspellings: int
    detours: Mapping[str, float] = field(default_factory=dict)


_RARE = 0.03

_FURNITURE = {
    "en.wikipedia": _Furniture(
        quiet.ENGLISH, quiet.RARE_ENGLISH, redirects.ENGLISH, categories.ENGLISH, 64, redirects.ENGLISH_DETOURS
    ),
    "de.wikipedia": _Furniture(quiet.GERMAN, quiet.RARE_GERMAN, redirects.GERMAN, categories.GERMAN, 16),
    "commons.wikimedia": _Furniture(quiet.COMMONS, quiet.RARE_COMMONS, redirects.COMMONS, categories.COMMONS, 5),
    "en.wiktionary": _Furniture(
        quiet.WIKTIONARY, quiet.RARE_WIKTIONARY, redirects.WIKTIONARY, categories.WIKTIONARY, 10
    ),
}


def demo_wikis(seed: int) -> tuple[Wiki, ...]:
    """Five wikis, the English Wikipedia first. The seed decides which articles are popular."""
    rng = seeded(seed, "wikis")
    special = (Demand(titles.BURST_TITLE.encode(), 40, 0.5), Demand(titles.AUTOMATED_TITLE.encode(), 120, 0.01))
    english = _demands(titles.english_articles(rng), 1600, rng) + special
    german = _demands(titles.german_articles(rng), 240, rng)
    commons = _demands(titles.commons_pages(rng), 60, rng)
    wiktionary = _demands(titles.wiktionary_entries(rng), 70, rng)
    functions = _demands(titles.wikifunctions_objects(rng), 9, rng)
    wikis = (
        _wiki(DEFAULT_PROJECT, siteinfo.ENGLISH_WIKIPEDIA, english, titles.ENGLISH_ODDITIES, passing=70),
        _wiki("de.wikipedia", siteinfo.GERMAN_WIKIPEDIA, german, titles.GERMAN_ODDITIES, passing=12),
        _wiki("commons.wikimedia", siteinfo.COMMONS, commons, titles.COMMONS_ODDITIES, passing=4),
        _wiki("en.wiktionary", siteinfo.ENGLISH_WIKTIONARY, wiktionary, titles.WIKTIONARY_ODDITIES, passing=6),
        _wiki("www.wikifunctions", siteinfo.WIKIFUNCTIONS, functions, titles.WIKIFUNCTIONS_ODDITIES, passing=0),
    )
    return tuple(_furnished(wiki, seed) for wiki in wikis)


def _wiki(
    name: str, info: SiteInfo, articles: tuple[Demand, ...], oddities: Mapping[bytes, float], *, passing: int
) -> Wiki:
    odd = tuple(Demand(title, views, 0.5) for title, views in oddities.items())
    rhythm = _EUROPEAN if info.language == "de" else _WORLDWIDE
    return Wiki(parse_project(name), info, articles, odd, rhythm, passing)


def _furnished(wiki: Wiki, seed: int) -> Wiki:
    """The wiki with its pages, unless none are dumped, and with the readers who follow old links."""
    furniture = _FURNITURE.get(wiki.project.name)
    if furniture is None:
        return wiki
    rng = seeded(seed, f"pages of {wiki.project}")
    requested = [demand.title for demand in wiki.articles + wiki.oddities] + [name.encode() for name in furniture.rare]
    names = [demand.title.decode() for demand in wiki.articles if b":" not in demand.title]
    slips = misspellings(names, furniture.misspellings, {*names, *furniture.old_links}, rng)
    plan = Plan(wiki.siteinfo, requested, furniture.quiet, {**furniture.old_links, **slips}, furniture.categories)
    content = invent(plan, rng)
    followed = {title: link.views for title, link in plan.old_links.items()}
    followed |= dict.fromkeys(furniture.rare, _RARE) | dict(furniture.detours)
    return replace(
        wiki,
        old_links=tuple(Demand(title.encode(), views, 0.5) for title, views in followed.items() if views),
        content=content,
        older_content=earlier(content, main_page_of(wiki.siteinfo)[1], rng),
    )


def _demands(names: Sequence[str], top: float, rng: random.Random) -> tuple[Demand, ...]:
    steps = [1 + rank / 2 for rank in range(len(names))]
    return tuple(
        Demand(name.encode(), top / (step * math.sqrt(step)), rng.uniform(0.35, 0.65))
        for name, step in zip(names, steps, strict=True)
    )


def seeded(seed: int, purpose: str) -> random.Random:
    """A stream of random numbers for one purpose, untouched by how much another one draws."""
    return random.Random(f"{seed} {purpose}")  # noqa: S311 - wanted repeatable, not secret
