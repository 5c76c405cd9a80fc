"""Choosing which dump run each answer is ranked by, on a served site that may not have it."""

from __future__ import annotations

import datetime as dt
import shutil
import threading
from dataclasses import replace

import pytest
import servers
from counting_samples import PASSWORD
from dump_site_samples import EARLY, LATE, change_status, describe, small_site, write_run
from store_samples import DE, EN, LOGGED, contents

from cli.demosite.faults import Fault, NotFound, Refused, Stall, Unavailable
from models.answer import Period, Universe
from models.dump_run import DumpState, DumpTable
from models.hour import week_from
from worker.enqueue import missing_work, refresh_wikis, request, request_again
from worker.order import EVERYTHING, Order, WikiOrder
from worker.progress import progress_of, standings
from worker.snapshots import choose_snapshots
from worker.store import requests, snapshots, wikis
from worker.store.database import reading

ARTICLES = Universe.ARTICLES
NEAR_EARLY, NEAR_LATE = EARLY + dt.timedelta(days=2), LATE - dt.timedelta(days=2)


@pytest.fixture
def site(tmp_path):
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


def test_each_day_has_its_nearest(context, site):
    """Days of one order take different runs, if those are nearest to them; both runs are to be worked on."""
    assert choose(context, NEAR_EARLY, NEAR_LATE) == (EARLY, LATE)
    assert wanted(context) == {Period(NEAR_EARLY): EARLY, Period(NEAR_LATE): LATE}
    assert wiki(context).state is DumpState.DONE
    tables = known(context, EARLY).tables
    assert {table.table for table in tables} == set(DumpTable)
    assert all(f"-{EARLY:%Y%m%d}-" in table.file.name for table in tables)


def test_a_week_has_the_nearest_to_its_middle(context, site):
    """The week as a whole takes one run, its days may take two."""
    days = week_from(EARLY + dt.timedelta(days=7))  # 8 to 14 January; 20 days lie between the runs
    choose(context, *days, week=True)
    found = wanted(context)
    assert [found[Period(day)] for day in days] == [EARLY] * 3 + [LATE] * 4
    assert found[Period(days[0], 7)] == LATE  # 11 January is 10 days after the one and 9 before the other


def test_what_was_chosen_stays(context, site):
    """A nearer run that appears later changes nothing for a day that has its run, and is taken by new days."""
    choose(context, NEAR_EARLY)
    write_run(site.root, NEAR_EARLY)
    site.forget()
    choose(context, NEAR_EARLY)
    assert site.requests["enwiki/"] == 0  # nothing is to be chosen
    choose(context, NEAR_EARLY + dt.timedelta(days=1))
    assert [*wanted(context).values()] == [EARLY, NEAR_EARLY]


def test_a_named_run(context, site):
    """A run that is named is taken however far it lies; days that do not name one are not touched by it."""
    assert choose(context, NEAR_EARLY, snapshot=LATE) == (LATE,)
    choose(context, EARLY)
    assert wanted(context) == {Period(NEAR_EARLY): LATE, Period(EARLY): EARLY}


def test_a_named_run_that_is_not_finished(context, site):
    """Days with it wait and say why; others do not, and once the run is finished it is taken."""
    unfinished(site, LATE, "redirecttable")
    assert choose(context, NEAR_LATE, snapshot=LATE) == ()
    choose(context, EARLY)
    state, reason = waits(context)[NEAR_LATE]
    assert state is DumpState.MISSING
    assert "not finished: it lacks redirect" in reason
    assert waits(context)[EARLY] == (DumpState.WAITING, None)
    assert progress_of(context, order(NEAR_LATE)).indexing is False
    change_status(folder(site, LATE), lambda jobs: jobs["redirecttable"].update(status="done"))
    request_again(context)
    assert look(context) == (EARLY, LATE)
    assert waits(context)[NEAR_LATE] == (DumpState.WAITING, None)


def test_a_day_without_a_name_is_not_held_by_a_run_in_trouble(context, site):
    """A day whose run could not be had takes another one when it is asked for again without naming it."""
    unfinished(site, LATE)
    choose(context, NEAR_LATE, snapshot=LATE)
    assert choose(context, NEAR_LATE) == (EARLY,)
    assert wanted(context) == {Period(NEAR_LATE): EARLY}


def test_a_named_run_that_is_not_there(context, site):
    """So it is with a run that the source never had."""
    never = dt.date(2020, 2, 20)
    assert choose(context, EARLY, snapshot=never) == ()
    state, reason = waits(context)[EARLY]
    assert (state, "no run 20200220 of enwiki" in reason) == (DumpState.MISSING, True)
    assert progress_of(context).done is False  # hours wait
    assert progress_of(context).indexing is False


def test_a_pinned_run(context, site):
    """A run that is pinned is that of all days, of earlier and later orders, until it is let go."""
    choose(context, EARLY)
    refresh_wikis(context, WikiOrder((EN,), LATE))
    assert look(context) == (LATE,)
    choose(context, NEAR_EARLY)
    assert set(wanted(context).values()) == {LATE}
    refresh_wikis(context, WikiOrder((EN,)))
    look(context)
    assert set(wanted(context).values()) == {EARLY}


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


def test_both_universes_of_a_day(context, site):
    """A day may be asked for by articles and by titles; only the one waits for the index."""
    choose(context, EARLY)
    choose(context, EARLY, universe=LOGGED)
    assert [standing.waits_for for standing in standings(context)] == [(DumpState.WAITING, None), None]


def test_logged_titles_need_no_run(context, site):
    """Who asks for titles alone has no wiki looked at."""
    request(context, order(EARLY, universe=LOGGED))
    assert missing_work(context).wikis == ()
    assert wiki(context) is None
    assert progress_of(context).indexes == ()


def test_a_wiki_of_which_no_day_was_asked_for(context, site):
    """Refreshing it takes the newest run, and is not done before that index is there."""
    wanted_wiki = WikiOrder((EN,))
    refresh_wikis(context, wanted_wiki)
    assert look(context) == (LATE,)
    assert progress_of(context, wanted_wiki).indexing
    assert [work.project for work in missing_work(context).wikis] == [EN]
    newer = LATE + dt.timedelta(days=31)
    write_run(site.root, newer)
    refresh_wikis(context, wanted_wiki)
    assert look(context) == (newer,)


def test_an_order_while_runs_are_chosen(context, site):
    """A day that is asked for while a worker looks at the runs gets one, too: nobody is told that all is done."""
    request(context, order(EARLY))
    site.misbehave(Fault("enwiki/", Stall(0.5)))
    looking = threading.Thread(target=look, args=(context,))
    looking.start()
    while not site.log:
        pass
    request(context, order(NEAR_LATE))
    looking.join()
    assert wanted(context) == {Period(EARLY): EARLY, Period(NEAR_LATE): LATE}
    assert missing_work(context).wikis  # two indexes


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
