"""The truth of a demo site: which title is requested how often, in which hour, under which domain code.

Everything follows from the first day and a seed, so the same arguments always give the same site, and a day's rows
do not depend on how many days follow it.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cli.demosite import titles
from cli.demosite.wikis import Demand, Wiki, demo_wikis, seeded
from models.hour import DAYS_IN_WEEK, Hour, days_between, hours_of
from models.project import Project

DEFAULT_SEED = 2015

_BURST_HOUR = 13
_BURST_VIEWS = 12_000
"""Extra views per access method in the burst's hour."""


class Row(NamedTuple):
    """One row of an hour file, unquoted. ``views`` is the number of page requests."""

    code: str
    title: bytes
    views: int


@dataclass(frozen=True, slots=True)
class DemoSite:
    """All that the demo site holds. The rows of an hour are sorted by code, then title bytes; each pair occurs once."""

    days: tuple[dt.date, ...]
    wikis: tuple[Wiki, ...]
    hours: Mapping[Hour, tuple[Row, ...]]

    @property
    def first_day(self) -> dt.date:
        return self.days[0]

    @property
    def burst_hour(self) -> Hour:
        return Hour(self.first_day, _BURST_HOUR)

    @property
    def run(self) -> dt.date:
        """The date of the newest finished dump run."""
        return self.first_day + dt.timedelta(days=3)

    @property
    def older_run(self) -> dt.date:
        """The date of a finished dump run in an older schema, when the wikis held somewhat less."""
        return self.first_day - dt.timedelta(days=28)

    @property
    def unfinished_run(self) -> dt.date:
        return self.first_day + dt.timedelta(days=19)


def demo_site(first_day: dt.date, days: int = DAYS_IN_WEEK, seed: int = DEFAULT_SEED) -> DemoSite:
    """Invent a site whose hours cover the given days.

    Raises:
        BadDate: fewer than one day was asked for.
    """
    wikis = demo_wikis(seed)
    period = days_between(first_day, first_day + dt.timedelta(days=days - 1))
    burst_hour = Hour(first_day, _BURST_HOUR)
    hours: dict[Hour, tuple[Row, ...]] = {}
    for day in period:
        streams = [_day(wiki, day, seed) for wiki in wikis]
        for hour, *counts in zip(hours_of(day), *streams, strict=True):
            if hour == burst_hour:
                counts.append(_burst(wikis[0].project))
            hours[hour] = _rows(counts)
    return DemoSite(period, wikis, hours)


def _day(wiki: Wiki, day: dt.date, seed: int) -> Iterator[Counter[tuple[str, bytes]]]:
    rng, other_rng = seeded(seed, f"{day} {wiki.project}"), seeded(seed, f"{day} {wiki.project} old links")
    today, followed = _of_the_day(wiki.articles + wiki.oddities, rng), _of_the_day(wiki.old_links, other_rng)
    for percent in wiki.rhythm:
        counts = _hour(wiki.project, today, percent / 100, rng)
        counts.update(_slips(wiki, percent / 100, rng))
        counts.update(_hour(wiki.project, followed, percent / 100, other_rng))
        yield counts


def _of_the_day(demands: Sequence[Demand], rng: random.Random) -> list[Demand]:
    return [Demand(demand.title, demand.views * rng.uniform(0.6, 1.6), demand.mobile) for demand in demands]


def _hour(project: Project, demands: Sequence[Demand], rhythm: float, rng: random.Random) -> Counter[tuple[str, bytes]]:
    counts: Counter[tuple[str, bytes]] = Counter()
    desktop, mobile = _codes(project)
    for demand in demands:
        expected = demand.views * rhythm
        for code, share in ((desktop, 1 - demand.mobile), (mobile, demand.mobile)):
            # Adding a number below 1 before cutting off makes a demand of 0.3 one view in three hours of ten.
            views = int(expected * share * (0.8 + 0.4 * rng.random()) + rng.random())
            if views:
                counts[code, demand.title] += views
    return counts


def _slips(wiki: Wiki, rhythm: float, rng: random.Random) -> Iterator[tuple[str, bytes]]:
    codes = _codes(wiki.project)
    for _ in range(int(wiki.passing * rhythm)):
        name = rng.choice(wiki.articles).title.decode()
        missing = rng.randrange(1, len(name))
        yield rng.choice(codes), (name[:missing] + name[missing + 1 :]).encode()


def _burst(project: Project) -> Counter[tuple[str, bytes]]:
    return Counter({(code, titles.BURST_TITLE.encode()): _BURST_VIEWS for code in _codes(project)})


def _codes(project: Project) -> tuple[str, str]:
    desktop = project.desktop_codes[0]
    return desktop, (*project.mobile_codes, desktop)[0]


def _rows(counts: Sequence[Counter[tuple[str, bytes]]]) -> tuple[Row, ...]:
    together: Counter[tuple[str, bytes]] = Counter()
    for part in counts:
        together.update(part)
    return tuple(Row(code, title, views) for (code, title), views in sorted(together.items()))
