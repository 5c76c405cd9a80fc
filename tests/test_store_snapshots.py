"""Snapshots in the store: registered, in trouble, no longer used."""

from __future__ import annotations

import pytest
from dump_site_samples import EARLY, FIGURES, LATE
from snapshot_samples import (
    PAGE,
    TROUBLES,
    files,
    snapshot_database,  # noqa: F401 fixtures
)
from store_samples import DE, EN

from models.dump_run import DumpState, DumpTable
from worker.store import snapshots, wikis

pytest_plugins = ["store_fixtures"]


class TestRegister:
    def test_at_first(self, database):
        """Everything waits, with the files as they were announced."""
        database.register()
        found = database.snapshot()
        assert (found.state, found.siteinfo, found.is_read) == (DumpState.WAITING, "{}", False)
        assert {table.table: table.file for table in found.tables} == files().tables
        assert {table.state for table in found.tables} == {DumpState.WAITING}

    def test_what_is_read_stays(self, database):
        """A table that is read stays so, unless another file is announced for it; the others are as announced."""
        database.register()
        database.read(PAGE, DumpTable.REDIRECT)
        database.register()
        assert (database.table().state, database.table().attempt) == (DumpState.DONE, "attempt at page")
        for change in ({"size": 1}, {"sha1": "c" * 40}, {"md5": None}):
            database.register(**change)
            assert (database.table().state, database.table().attempt) == (DumpState.WAITING, None)
            assert database.table(DumpTable.REDIRECT).state is DumpState.DONE
            database.read(PAGE)

    def test_what_is_built_stays(self, database):
        """An index that is built stays built."""
        database.register()
        database.read()
        database.build()
        database.register()
        assert (database.snapshot().state, database.snapshot().figures) == (DumpState.DONE, FIGURES)

    @pytest.mark.parametrize("state", TROUBLES)
    def test_troubles_are_over(self, database, state):
        """What was in trouble waits again."""
        database.register()
        database.do(snapshots.note_table_trouble, EN, EARLY, PAGE, state, "why")
        database.register()
        assert (database.snapshot().state, database.snapshot().reason) == (DumpState.WAITING, None)
        assert (database.table().state, database.table().reason) == (DumpState.WAITING, None)


class TestTroubles:
    @pytest.mark.parametrize("state", TROUBLES)
    def test_of_a_table(self, database, state):
        """It is the snapshot's as well, which names the table; forgotten, both wait."""
        database.register()
        database.do(snapshots.note_table_trouble, EN, EARLY, PAGE, state, "why")
        assert (database.table().state, database.table().reason) == (state, "why")
        assert (database.snapshot().state, database.snapshot().reason) == (state, "page: why")
        database.do(snapshots.forget_snapshot_troubles)
        assert (database.table().state, database.table().reason) == (DumpState.WAITING, None)
        assert (database.snapshot().state, database.snapshot().reason) == (DumpState.WAITING, None)

    def test_of_a_run_that_was_never_registered(self, database):
        """A named run that cannot be had is known with its reason, and without tables."""
        database.trouble(DumpState.MISSING)
        found = database.snapshot()
        assert (found.state, found.reason, found.tables, found.siteinfo) == (DumpState.MISSING, "why", (), None)

    def test_are_forgotten_for_one_run(self, database):
        """Of one run alone, of one wiki alone, or of all."""
        for run in (EARLY, LATE):
            database.trouble(DumpState.FAILED, run)
        database.do(snapshots.forget_snapshot_troubles, DE)
        assert database.snapshot().state is DumpState.FAILED
        database.do(snapshots.forget_snapshot_troubles, EN, LATE)
        states = [database.snapshot(run).state for run in (EARLY, LATE)]
        assert states == [DumpState.FAILED, DumpState.WAITING]

    def test_do_not_undo_what_is_done(self, database):
        """What is read or built cannot fail any more."""
        database.register()
        database.read()
        database.do(snapshots.note_table_trouble, EN, EARLY, PAGE, DumpState.FAILED, "late")
        assert (database.table().state, database.snapshot().state) == (DumpState.DONE, DumpState.WAITING)
        database.build()
        database.trouble(DumpState.FAILED)
        assert (database.snapshot().state, database.snapshot().reason) == (DumpState.DONE, None)

    def test_reasons_of_any_kind(self, database):
        """A reason may be of any length and hold NUL; PostgreSQL would refuse it."""
        database.register()
        database.do(snapshots.note_table_trouble, EN, EARLY, PAGE, DumpState.FAILED, "a\0b" * 10_000)
        assert database.table().reason.startswith("a\N{REPLACEMENT CHARACTER}b")
        assert len(database.snapshot().reason) < 2000
        database.ask()
        database.looked(DumpState.FAILED, "\0")
        assert database.wiki.reason == "\N{REPLACEMENT CHARACTER}"


class TestUnused:
    def test_what_no_answer_is_ranked_by_goes(self, database):
        """A built index and a failed one that nobody wants are removed, with their tables; wanted ones stay."""
        database.ask()
        database.chosen(EARLY)
        database.register(EARLY)
        database.read()
        database.build()
        database.register(LATE)
        database.trouble(DumpState.FAILED, LATE)
        database.register(LATE, DE)
        assert database.look(wikis.runs_to_keep, EN) == {EARLY}
        database.do(snapshots.drop_unused, EN, {EARLY})
        assert [found.run for found in database.look(snapshots.all_snapshots, EN)] == [EARLY]
        assert [found.run for found in database.look(snapshots.all_snapshots, DE)] == [LATE]
        assert len(database.snapshot().tables) == len(DumpTable)

    def test_what_waits_stays(self, database):
        """A run that was just taken down is not removed before an answer can want it."""
        database.register(LATE)
        database.do(snapshots.drop_unused, EN, ())
        assert database.snapshot(LATE) is not None
