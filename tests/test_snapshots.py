"""Which dump run is chosen for which day."""

from __future__ import annotations

import datetime as dt
import threading

from choosing_samples import (
    NEAR_EARLY,
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
from dump_site_samples import EARLY, LATE, change_status, write_run
from store_samples import EN, LOGGED

from cli.demosite.faults import Fault, Stall
from models.answer import Period
from models.dump_run import DumpState, DumpTable
from models.hour import week_from
from worker.enqueue import missing_work, refresh_wikis, request, request_again
from worker.order import WikiOrder
from worker.progress import progress_of, standings


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
