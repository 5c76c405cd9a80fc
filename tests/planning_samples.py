"""Small sites with the last day of a year, and plans of it, for the tests of what a plan is made of."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager

from conftest import HASTY
from dump_site_samples import EARLY, LATE, small_site
from store_samples import EN, LOGGED

from cli.demosite.server import serve
from models.answer import Universe
from models.hour import hours_of
from worker.order import Order
from worker.partial_file import PartialFile, Version
from worker.planning import make_plan

DAY = dt.date(2023, 12, 31)
HOURS = hours_of(DAY)
NOW = dt.datetime(2024, 1, 25, tzinfo=dt.UTC)
ABSENT = HOURS[5]
FOLDERS = ["other/pageviews/2023/2023-12/", "other/pageviews/2024/2024-01/"]


def size_of(hour):
    return 1000 + hour.hour


def write_hours(directory, hours):
    for hour in hours:
        path = directory / hour.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(size_of(hour)))


@contextmanager
def lacking_site(directory):
    """Two dump runs of one small wiki, and the day without one of its hours."""
    write_hours(directory, [hour for hour in HOURS if hour != ABSENT])
    with small_site(directory, EARLY, LATE) as served:
        yield served


@contextmanager
def whole_mirror(directory):
    """All hours of the day, and no dumps."""
    write_hours(directory, HOURS)
    with serve(directory) as served:
        yield served


def order(*days, **more):
    return Order(more.pop("projects", (EN,)), days or (DAY,), more.pop("universe", Universe.ARTICLES), **more)


def plan(settings, wanted=None):
    return make_plan(settings, wanted or order(), retries=HASTY, now=NOW)


def titles(settings, **more):
    """A plan without dumps."""
    return plan(settings, order(universe=LOGGED, **more))


def asked(*sites):
    return [entry.path for site in sites for entry in site.log]


def half_load(settings, hour, url):
    part = PartialFile(settings.downloads_dir / hour.file_name)
    part.path.parent.mkdir(parents=True, exist_ok=True)
    part.begin(Version(url, '"e"', None, size_of(hour)))
    part.path.write_bytes(bytes(400))
