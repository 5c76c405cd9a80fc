"""``wikiq enqueue`` with an origin and a mirror, as a user without a broker sets them up."""

from __future__ import annotations

import os
import time

import pytest
import servers
from cli_process import environment, left_behind, wikiq
from demo_truth import told, truth
from two_sites import counted_together

from cli.demosite.faults import Fault, NotFound, Slow, Unavailable
from models.hour import hours_of
from worker.budget import CONNECTIONS, files_at_once

pytest_plugins = ["mirror_fixtures"]


def several(tmp_path, *sources, **more):
    return environment(tmp_path, WIKIQ_SOURCES=" ".join(sources), **more)


def nobody():
    """An address at which nobody listens."""
    return f"http://127.0.0.1:{servers.free_port()}"


def assert_answer(surroundings, demo, universe="articles", missing=()):
    option = () if universe == "articles" else ("--log-titles",)
    found = wikiq(surroundings, "results", str(demo.first_day), "--format", "json", *option)
    assert found.code == (3 if missing else 0), found.stderr
    assert told(found.stdout) == truth(demo.first_day).day(demo.first_day, universe=universe, missing=missing)


def fetched(site):
    return [entry.path for entry in site.log if "/pageviews-" in entry.path and entry.method == "GET"]


def test_a_day_from_two_sources(tmp_path, site, mirror, demo):
    """Hour files come from both, each once, three at a time from each; dumps from the origin; the answer is right."""
    together = counted_together(site, mirror)
    for place in (site, mirror):
        place.misbehave(Fault("*-0?0000.gz", Slow(3_000)))
    surroundings = several(tmp_path, site.url, mirror.url)
    done = wikiq(surroundings, "enqueue", str(demo.first_day))
    assert (done.code, done.stdout) == (0, ""), done.stderr
    assert sorted(fetched(site) + fetched(mirror)) == sorted(hour.path for hour in hours_of(demo.first_day))
    assert max(site.most_at_once, mirror.most_at_once) == CONNECTIONS
    assert together.most_at_once == 2 * CONNECTIONS
    assert [entry.path for entry in mirror.log if "/pageviews-" not in entry.path] == []
    assert_answer(surroundings, demo)
    assert left_behind(tmp_path / "data") == []


def test_a_dead_mirror(tmp_path, site, demo):
    """A mirror that does not answer is told of, once, and left out: the origin gives every file, without long waits."""
    surroundings, began = several(tmp_path, site.url, nobody()), time.monotonic()
    done = wikiq(surroundings, "enqueue", str(demo.first_day), "--log-titles", "--quiet")
    assert (done.code, done.stdout) == (0, ""), done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.endswith("Connection refused. Going on with the other sources.\n")
    assert time.monotonic() - began < 60
    assert_answer(surroundings, demo, "logged titles")


def test_a_dead_origin(tmp_path, site, demo):
    """A mirror alone gives the answer, too; what it lacks beside the hour files comes from where that is said to be."""
    began = time.monotonic()
    surroundings = several(tmp_path, nobody(), site.url, WIKIQ_DUMPS_SOURCE=site.url)
    done = wikiq(surroundings, "enqueue", str(demo.first_day), "--log-titles", "--quiet")
    assert done.code == 0, done.stderr
    assert time.monotonic() - began < 60
    assert_answer(surroundings, demo, "logged titles")


def test_a_mirror_that_lags(tmp_path, site, mirror, demo):
    """Hours that a mirror has not got yet come from the origin; one that the origin has not is missing at both."""
    *_, late, latest = hours_of(demo.first_day)
    mirror.misbehave(*(Fault(hour.path, NotFound()) for hour in (late, latest)))
    site.misbehave(Fault(latest.path, NotFound()))
    surroundings = several(tmp_path, site.url, mirror.url)
    done = wikiq(surroundings, "enqueue", str(demo.first_day), "--log-titles")
    assert done.code == 3, done.stderr
    status = wikiq(surroundings, "status")
    assert f"23:00 missing: {site.url}/{latest.path} is not there (404)." in status.stdout
    assert mirror.url not in status.stdout
    assert_answer(surroundings, demo, "logged titles", missing=[latest])


def test_nobody_answers(tmp_path):
    """If no source answers the command ends before any work, with the origin's reason and exit code 4."""
    origin = nobody()
    done = wikiq(several(tmp_path, origin, nobody()), "enqueue", "2024-01-03", "--quiet", "--log-titles")
    assert (done.code, done.stdout) == (4, "")
    assert done.stderr.count("\n") == 1
    assert origin in done.stderr


def test_one_source_may_be_named(tmp_path, site, demo):
    """Who names a source for an order gets that one alone, whatever the environment says."""
    surroundings = several(tmp_path, nobody(), nobody())
    done = wikiq(surroundings, "enqueue", str(demo.first_day), "--log-titles", "--source", site.url)
    assert done.code == 0, done.stderr
    assert len(fetched(site)) == 24


def test_both_variables(tmp_path):
    """One source and several at the same time are a mistake of use, and both variables are named."""
    done = wikiq(several(tmp_path, nobody(), WIKIQ_SOURCE=nobody()), "enqueue", "2024-01-03")
    assert (done.code, done.stdout) == (2, "")
    assert "unset WIKIQ_SOURCE to" in done.stderr
    assert "WIKIQ_SOURCES" in done.stderr


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_a_contact_for_each_of_wikimedias_hosts(tmp_path, site, order):
    """One of Wikimedia's hosts among several sources is enough to ask for a contact, before anything is noted."""
    surroundings = several(tmp_path, *(site.url, "https://dumps.wikimedia.org")[order])
    del surroundings["WIKIQ_CONTACT"]
    done = wikiq(surroundings, "enqueue", "2024-01-03")
    assert (done.code, done.stderr.count("\n")) == (4, 1)
    assert "WIKIQ_CONTACT" in done.stderr
    assert site.log == ()
    assert not list((tmp_path / "data").glob("*.sqlite"))


def test_a_mirror_that_breaks_down_in_the_middle(tmp_path, site, mirror, demo):
    """A mirror that answers beforehand and then no more is told of in a few lines; every hour is counted."""
    mirror.misbehave(Fault("*", Unavailable(), method="GET"))
    site.misbehave(Fault("*/pageviews-*.gz", Slow(20_000)))
    surroundings = several(tmp_path, site.url, mirror.url)
    done = wikiq(surroundings, "enqueue", str(demo.first_day), "--log-titles", "--quiet")
    assert (done.code, done.stdout) == (0, ""), done.stderr
    # Before it is known, each thread that is not on the other source's connections may ask it, and once again.
    asking = files_at_once(2 * CONNECTIONS, os.cpu_count() or 1) - CONNECTIONS
    assert 1 <= len(done.stderr.splitlines()) <= asking
    assert all("Other sources are asked meanwhile." in line for line in done.stderr.splitlines())
    assert len(fetched(mirror)) <= 2 * asking
    assert_answer(surroundings, demo, "logged titles")
