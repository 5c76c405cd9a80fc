"""Choosing dump runs, step by step, and what the database then says."""

from __future__ import annotations

import datetime as dt

import pytest
from dump_site_samples import EARLY, LATE, change_status, small_site
from store_samples import EN

from models.answer import Universe
from worker.enqueue import request
from worker.order import Order
from worker.progress import standings
from worker.snapshots import choose_snapshots
from worker.store import requests, snapshots, wikis
from worker.store.database import reading

ARTICLES = Universe.ARTICLES
NEAR_EARLY, NEAR_LATE = EARLY + dt.timedelta(days=2), LATE - dt.timedelta(days=2)


@pytest.fixture(name="site")
def site_to_change(tmp_path):
    """A served site with two finished runs of one small wiki."""
    with small_site(tmp_path / "small", EARLY, LATE) as served:
        yield served


def order(*days, projects=(EN,), **more):
    return Order(projects, days, more.pop("universe", ARTICLES), **more)


def choose(context, *days, project=EN, source=None, **more):
    """Ask for days and have their runs chosen; gives the runs to work on."""
    request(context, order(*days, projects=(project,), **more))
    return look(context, project, source)


def look(context, project=EN, source=None):
    return choose_snapshots(context, project, source or context.settings.source)


def wanted(context, project=EN):
    """The run of each answer."""
    with reading(context.engine) as session:
        return {found.period: found.wanted_snapshot for found in requests.all_requests(session)
                if found.project == project}  # fmt: skip


def wiki(context, project=EN):
    with reading(context.engine) as session:
        return wikis.load_wiki(session, project)


def known(context, run, project=EN):
    with reading(context.engine) as session:
        return snapshots.load_snapshot(session, project, run)


def waits(context):
    """What each day waits for."""
    return {standing.day: standing.waits_for for standing in standings(context)}


def folder(site, run):
    return site.root / "enwiki" / f"{run:%Y%m%d}"


def unfinished(site, run, job="pagetable"):
    change_status(folder(site, run), lambda jobs: jobs[job].update(status="in-progress"))
