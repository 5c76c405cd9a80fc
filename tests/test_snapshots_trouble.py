"""Choosing a dump run where the source, its runs or the disk are in trouble."""

from __future__ import annotations

import datetime as dt
import shutil
import threading
from dataclasses import replace

import pytest
import servers
from choosing_samples import (
    ARTICLES,
    NEAR_LATE,
    choose,
    folder,
    known,
    look,
    order,
    site_to_change,  # noqa: F401 fixtures
    unfinished,
    waits,
    wanted,
    wiki,
)
from counting_samples import PASSWORD
from dump_site_samples import EARLY, LATE, describe, write_run
from store_samples import DE, EN, contents

from cli.demosite.faults import Fault, NotFound, Refused, Unavailable
from models.answer import Period
from models.dump_run import DumpState, DumpTable
from worker.enqueue import missing_work, request, request_again
from worker.order import EVERYTHING
from worker.progress import progress_of
from worker.store import requests
from worker.store.database import reading


def test_a_wiki_without_dumps(context, site):
    """Days of a wiki that has none are ranked by titles, which the wiki's line tells; the other wiki is as ever."""
    assert choose(context, EARLY, project=DE) == ()
    found = wiki(context, DE)
    assert found.state is DumpState.NO_DUMPS
    assert "no dumps of dewiki" in found.reason
    assert waits(context) == {EARLY: None}
    assert progress_of(context).indexing is False
    with reading(context.engine) as session:
        assert requests.ranked_by_titles(session, DE, ARTICLES, None)
        assert not requests.ranked_by_titles(session, EN, ARTICLES, None)


def test_a_wiki_gets_dumps(context, site):
    """A wiki without dumps yesterday that has some today takes them when it is asked for again."""
    choose(context, EARLY, project=DE)
    write_run(site.root, EARLY, database="dewiki")
    assert choose(context, EARLY, project=DE) == (EARLY,)
    assert waits(context) == {EARLY: (DumpState.WAITING, None)}


@pytest.mark.parametrize("named", [None, EARLY])
def test_a_listing_that_is_away_for_a_while(context, site, named):
    """A wiki that had dumps before does not lose its days' snapshots to a 404, nor is a new day ranked by titles."""
    choose(context, EARLY, snapshot=named)
    site.misbehave(Fault("enwiki/", NotFound()))
    choose(context, NEAR_LATE)
    assert wanted(context) == {Period(EARLY): EARLY, Period(NEAR_LATE): None}
    assert waits(context)[NEAR_LATE][0] is DumpState.MISSING
    with reading(context.engine) as session:
        assert not requests.ranked_by_titles(session, EN, ARTICLES, EARLY)
    site.behave()
    request_again(context)
    look(context)
    assert wanted(context)[Period(NEAR_LATE)] == LATE


def test_no_run_is_finished(context, site):
    """Where no run is finished the days wait; the reason names the nearest, and what it lacks."""
    unfinished(site, EARLY, "linktargettable")
    unfinished(site, LATE)
    assert choose(context, EARLY) == ()
    state, reason = waits(context)[EARLY]
    assert state is DumpState.MISSING
    assert "20240101 of enwiki is not finished: it lacks linktarget" in reason
    assert progress_of(context).indexing is False


@pytest.mark.parametrize(("kind", "state"), [(Refused(), DumpState.REFUSED), (Unavailable(), DumpState.UNREACHABLE)])
@pytest.mark.parametrize("named", [None, LATE])
@pytest.mark.parametrize("pattern", ["enwiki/*", "enwiki/20*"])
def test_a_source_in_trouble(context, site, kind, state, named, pattern):
    """Where the source refuses or breaks down, every day waits for that, whoever named a run, and nobody for ever."""
    site.misbehave(Fault(pattern, kind))
    assert choose(context, EARLY, NEAR_LATE, snapshot=named) == ()
    assert [found[0] for found in waits(context).values()] == [state, state]
    standing = progress_of(context)
    assert {index.state for index in standing.indexes} == {state}
    assert not standing.indexing
    site.behave()
    request_again(context)
    assert progress_of(context).indexing
    assert missing_work(context).wikis
    look(context)
    assert set(wanted(context).values()) == ({LATE} if named else {EARLY, LATE})
    assert {found[0] for found in waits(context).values()} == {DumpState.WAITING}


def test_nobody_listens(context, site):
    """The same holds where nobody listens at all."""
    choose(context, EARLY, snapshot=EARLY, source=f"http://127.0.0.1:{servers.free_port()}")
    assert waits(context)[EARLY][0] is DumpState.UNREACHABLE
    assert not progress_of(context).indexing


def test_a_data_directory_that_cannot_be_written(context, site, tmp_path):
    """Where not even a lock can be made, the days say so."""
    (tmp_path / "file").write_text("")
    blocked = replace(context, settings=replace(context.settings, data_dir=tmp_path / "file" / "below"))
    choose(blocked, EARLY)
    state, reason = waits(context)[EARLY]
    assert state is DumpState.FAILED
    assert "cannot be written" in reason


@pytest.mark.parametrize(
    ("damage", "state"),
    [
        (lambda path: path.unlink(), DumpState.MISSING),
        (lambda path: path.write_bytes(path.read_bytes()[:-3]), DumpState.FAILED),
        (lambda path: path.write_bytes(b"<html>"), DumpState.FAILED),
    ],
)
def test_siteinfo_that_cannot_be_had(context, site, damage, state):
    """A run whose namespaces are not what was announced keeps its own days waiting, not those of another run."""
    [path] = folder(site, LATE).glob("*namespaces*")
    damage(path)
    assert choose(context, EARLY, NEAR_LATE) == (EARLY,)
    assert wanted(context) == {Period(EARLY): EARLY, Period(NEAR_LATE): None}
    assert waits(context)[NEAR_LATE][0] is state
    assert not [index for index in progress_of(context, order(NEAR_LATE)).indexes if index.run is not None]


def test_a_status_that_changed(context, site):
    """The announced checksums are taken down anew as long as a table is not read."""
    choose(context, EARLY)
    describe(folder(site, EARLY), DumpTable.PAGE, sha1="a" * 40)
    request_again(context)
    choose(context, EARLY)
    assert known(context, EARLY).tables[0].file.sha1 == "a" * 40


def test_a_run_that_is_gone(context, site):
    """A chosen run that the source has removed is missing; asked for again, the day takes what there is."""
    choose(context, EARLY)
    with_tables = known(context, EARLY)
    shutil.rmtree(folder(site, EARLY))
    request_again(context)
    look(context)
    assert (with_tables.state, known(context, EARLY).state) == (DumpState.WAITING, DumpState.MISSING)
    assert waits(context)[EARLY][0] is DumpState.MISSING
    choose(context, EARLY)
    assert wanted(context) == {Period(EARLY): LATE}


def test_two_choose_at_once(context, site):
    """Two workers that are asked at the same time choose once: the second finds it done."""
    request(context, order(EARLY, NEAR_LATE))
    found = []
    threads = [threading.Thread(target=lambda: found.append(look(context))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [(EARLY, LATE)] * 2
    assert site.requests["enwiki/"] == 1


def test_another_days_trouble_is_not_an_orders(context, site):
    """An order's standing does not tell of a run that only other days are to be ranked by."""
    choose(context, EARLY, snapshot=dt.date(2020, 2, 20))
    choose(context, NEAR_LATE)
    states = {index.run: index.state for index in progress_of(context, order(NEAR_LATE)).indexes}
    assert states == {LATE: DumpState.WAITING}
    assert len(progress_of(context, EVERYTHING).indexes) == 2


def test_no_password_is_kept(context, site, caplog):
    """The password of a source's URL reaches neither the database nor the log, be the source well or in trouble."""
    source = site.url.replace("://", f"://me:{PASSWORD}@")
    choose(context, EARLY, source=source)
    site.misbehave(Fault("*", Refused()))
    choose(context, EARLY, NEAR_LATE, source=source)
    assert known(context, EARLY).source == site.url
    assert caplog.records
    assert PASSWORD not in repr(contents(context.engine)) + caplog.text
