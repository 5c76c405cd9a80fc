"""Wikis in the store: which runs they have, and which days wait for them."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from dump_site_samples import EARLY, LATE
from snapshot_samples import (
    DAY,
    TROUBLES,
    snapshot_database,  # noqa: F401 fixtures
)
from store_samples import DE, EN, HOURS, LOGGED, ask, fail

from models.answer import Period
from models.dump_run import DumpState
from models.hour import week_from
from models.tables import HourState
from worker.store import requests, snapshots, wikis

pytest_plugins = ["store_fixtures"]


class TestWikis:
    def test_a_wiki_is_looked_at_when_a_day_has_no_run(self, database):
        """Asking for a day has the wiki looked at; once its run is chosen, asking again does not."""
        database.ask()
        assert database.wiki.state is DumpState.WAITING
        assert database.look(wikis.undecided, EN) == (DAY,)
        database.chosen()
        database.ask()
        assert database.wiki.state is DumpState.DONE
        database.ask(Period(LATE))
        assert database.wiki.state is DumpState.WAITING

    @pytest.mark.parametrize("state", [*TROUBLES, DumpState.NO_DUMPS])
    def test_a_wiki_in_trouble_is_looked_at_again(self, database, state):
        """So it is when looking failed before, also if there is nothing to choose, and with the new source."""
        database.ask()
        database.chosen()
        database.looked(state)
        database.ask(source="http://127.0.0.1")
        assert (database.wiki.state, database.wiki.reason) == (DumpState.WAITING, None)
        assert database.wiki.source == "http://127.0.0.1"

    def test_logged_titles_want_no_wiki(self, database):
        """Asking for titles does not make a wiki known."""
        database.ask(universe=LOGGED)
        assert database.wiki is None
        assert database.look(wikis.undecided, EN) == ()

    def test_a_look_is_not_over_while_a_day_has_no_run(self, database):
        """A day that was asked for meanwhile keeps the look from being noted as done; trouble is noted."""
        database.ask()
        assert database.looked(DumpState.DONE, None) is False
        assert database.wiki.state is DumpState.WAITING
        assert database.looked(DumpState.UNREACHABLE) is True
        assert database.wiki.state is DumpState.UNREACHABLE

    def test_a_choice_is_not_overwritten(self, database):
        """Of two that choose at once the first decides."""
        database.ask()
        database.chosen(EARLY)
        database.chosen(LATE)
        assert database.found().wanted_snapshot == EARLY
        assert database.look(wikis.wanted_runs, EN) == {EARLY}

    def test_a_choice_is_the_wikis_own(self, database):
        """Neither another wiki's day nor the same day's titles are decided with it."""
        database.ask()
        database.ask(project=DE)
        database.ask(universe=LOGGED)
        database.chosen(EARLY)
        assert database.found(project=DE).wanted_snapshot is None
        assert database.found(universe=LOGGED).wanted_snapshot is None

    def test_choosing_anew(self, database):
        """All answers lose their runs, or take the pinned one, and so do those that are asked for later."""
        database.ask(DAY, Period(DAY.first, 7))
        database.chosen(EARLY, DAY, Period(DAY.first, 7))
        database.do(wikis.choose_anew, EN, LATE, None)
        database.ask(Period(EARLY))
        assert database.look(wikis.wanted_runs, EN) == {LATE}
        assert database.look(wikis.undecided, EN) == ()
        database.do(wikis.choose_anew, EN, None, None)
        assert database.look(wikis.wanted_runs, EN) == set()
        assert len(database.look(wikis.undecided, EN)) == 3

    def test_a_named_run_is_stronger_than_a_pinned_one(self, database):
        """An order that names a run gets that one."""
        database.do(wikis.choose_anew, EN, LATE, None)
        database.ask(snapshot=EARLY)
        assert database.found().wanted_snapshot == EARLY

    @pytest.mark.parametrize("state", TROUBLES)
    def test_a_run_in_trouble_is_let_go(self, database, state):
        """A day whose run could not be had has another one chosen when it is asked for again, unless it is pinned."""
        database.ask()
        database.chosen()
        database.trouble(state)
        database.ask()
        assert database.found().wanted_snapshot is None
        assert database.wiki.state is DumpState.WAITING

    def test_what_a_wiki_lacks(self, database):
        """A wiki lacks something while it waits to be looked at, or a wanted index does; not for its troubles."""

        def lacks():
            return database.look(wikis.lacks_index, database.wiki)

        database.ask()
        assert lacks()
        database.register()
        database.chosen()
        assert lacks()
        database.trouble(DumpState.FAILED)
        assert not lacks()
        database.do(snapshots.forget_snapshot_troubles)
        database.read()
        assert lacks()
        database.build()
        assert not lacks()

    def test_wanted_without_a_day(self, database):
        """Of a wiki of which no answer was asked for the newest run is wanted, not one that is not there."""
        database.do(wikis.choose_anew, EN, None, None)
        for run in (EARLY, LATE):
            database.register(run)
        database.trouble(DumpState.MISSING, LATE + dt.timedelta(days=1))
        assert database.look(wikis.wanted_runs, EN) == {LATE}
        assert database.look(wikis.runs_in_use, EN) == set()
        database.ask()
        assert database.look(wikis.wanted_runs, EN) == set()


class TestWaiting:
    def test_for_a_run_to_be_chosen(self, database):
        """A day without a run waits for the wiki, with its reason if that is in trouble."""
        database.ask()
        assert database.wait() == (DumpState.WAITING, None)
        database.looked(DumpState.MISSING)
        assert database.wait() == (DumpState.MISSING, "why")

    def test_for_an_index(self, database):
        """A day with a run waits for that run's index alone, whatever became of the wiki."""
        database.ask()
        database.chosen()
        database.looked(DumpState.REFUSED)
        assert database.wait() == (DumpState.WAITING, None)
        database.register()
        database.trouble(DumpState.FAILED)
        assert database.wait() == (DumpState.FAILED, "why")
        database.do(snapshots.forget_snapshot_troubles)
        database.build()
        assert database.wait() is None

    def test_for_nothing(self, database):
        """Titles wait for no index, nor do articles of a wiki without dumps, unless they have a run already."""
        database.ask(universe=LOGGED)
        assert database.wait(universe=LOGGED) is None
        database.ask()
        database.looked(DumpState.NO_DUMPS)
        assert database.wait() is None
        database.chosen()
        database.looked(DumpState.NO_DUMPS)
        assert database.wait() == (DumpState.WAITING, None)

    @pytest.mark.parametrize("state", TROUBLES)
    def test_what_will_be_ranked(self, database, state):
        """A day will be ranked by itself unless an hour waits or its index cannot be had."""

        def will():
            return database.look(requests.will_be_ranked, database.found())

        database.ask()
        assert will()
        ask(database.engine, HOURS[0])
        assert not will()
        fail(database.engine, HOURS[0], HourState.MISSING)
        database.looked(state)
        assert not will()
        database.chosen()
        assert will()
        database.trouble(state)
        assert not will()

    def test_what_can_be_ranked(self, database):
        """A day can be ranked now if no hour waits and its index is there."""

        def can():
            return database.look(requests.can_be_ranked, database.found())

        database.ask()
        ask(database.engine, HOURS[0])
        database.register()
        database.chosen()
        assert not can()
        database.build()
        assert not can()
        fail(database.engine, HOURS[0], HourState.MISSING)
        assert can()

    def test_a_week(self, database):
        """A week waits for its own index and for each of its days; a day in trouble is the week's trouble."""
        days = [Period(day) for day in week_from(DAY.first)]
        week = Period(DAY.first, 7)
        database.ask(*days, week)
        for run in (EARLY, LATE):
            database.register(run)
        database.chosen(EARLY, *days[:-1], week)
        database.chosen(LATE, days[-1])
        database.build(EARLY)
        found = database.found(week)
        assert database.look(requests.will_be_ranked, found)
        assert not database.look(requests.can_be_ranked, found)
        database.trouble(DumpState.MISSING, LATE)
        assert not database.look(requests.will_be_ranked, found)
        assert len(database.look(requests.days_within, found)) == 7

    def test_what_is_out_of_date(self, database):
        """An answer by articles is up to date as long as it was ranked by the run that is wanted."""
        database.ask()
        database.chosen()
        asked = database.found()
        hours = database.look(lambda session: requests.fingerprint(requests.counted_hours(session, EN, DAY)))
        ranked = replace(asked, fingerprint=hours, namespaces="2024-01-01", snapshot=EARLY)
        assert database.look(requests.out_of_date, [asked]) == (asked,)
        assert database.look(requests.out_of_date, [ranked]) == ()
        for change in ({"snapshot": None}, {"snapshot": LATE}, {"wanted_snapshot": LATE}, {"fingerprint": "other"}):
            other = replace(ranked, **change)
            assert database.look(requests.out_of_date, [other]) == (other,)
        let_go = replace(ranked, wanted_snapshot=None)
        assert database.look(requests.out_of_date, [let_go]) == (let_go,)
