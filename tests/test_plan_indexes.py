"""Which indexes a plan tells of: those that the order, once given, has made."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from dump_site_samples import EARLY, LATE, change_status
from planning_samples import FOLDERS, NOW, asked, lacking_site, order, plan, whole_mirror
from store_samples import DE, EN

from cli.demosite.faults import Fault, NotFound, Refused
from models.dump_run import DumpState, DumpTable
from worker.enqueue import request
from worker.plan import bytes_left
from worker.snapshots import choose_snapshots
from worker.store import snapshots
from worker.store.database import reading, writing


@pytest.fixture
def site(tmp_path):
    with lacking_site(tmp_path / "site") as served:
        yield served


@pytest.fixture
def mirror(tmp_path):
    with whole_mirror(tmp_path / "mirror") as served:
        yield served


def chosen(context, project=EN):
    """What an order led to: for each run that is to be made, the dumps that lack, and their bytes."""
    choose_snapshots(context, project, context.settings.source)
    with reading(context.engine) as session:
        return {
            snapshot.run: {table.file.name: table.file.size for table in snapshot.tables}
            for snapshot in snapshots.all_snapshots(session, project)
            if snapshot.state is DumpState.WAITING and snapshot.tables
        }


def planned(found):
    return {index.run: {file.name: file.size for file in index.files} for index in found.indexes if index.files}


@pytest.mark.parametrize(
    "wanted",
    [
        order(EARLY),
        order(LATE),
        order(EARLY, LATE),
        order(*(LATE - dt.timedelta(days=n) for n in range(12, 5, -1)), week=True),
        order(EARLY, snapshot=LATE),
    ],
    ids=["early", "late", "both", "week", "named"],
)
def test_the_runs_are_those_that_an_order_leads_to(settings, open_hasty_context, site, wanted):
    """Runs, files and bytes are those that the order, once given, has; only small documents were fetched for it."""
    found = plan(settings, wanted)
    assert [path for path in asked(site) if path.endswith(".gz")] == []
    context = open_hasty_context(settings)
    request(context, wanted)
    assert planned(found) == chosen(context) != {}
    assert planned(plan(settings, wanted)) == planned(found)


def test_a_run_that_is_not_finished(settings, site):
    """The nearest run that is finished is planned with; one that is named and is not is told of."""
    change_status(site.root / "enwiki" / f"{LATE:%Y%m%d}", lambda jobs: jobs["pagetable"].update(status="waiting"))
    assert [index.run for index in plan(settings, order(LATE)).indexes] == [EARLY]
    [index] = plan(settings, order(LATE, snapshot=LATE)).indexes
    assert (index.run, index.state, index.files) == (LATE, DumpState.MISSING, ())
    assert "it lacks page" in index.reason


def test_an_earlier_order_waits(settings, context):
    """An index that an earlier order waits for would be made along with this one's, and is planned with it."""
    request(context, order(EARLY))
    expected = chosen(context)
    found = plan(settings, order(LATE))
    assert planned(found).items() > expected.items()
    request(context, order(LATE))
    assert planned(found) == chosen(context)


def test_a_table_that_is_read(settings, context):
    """A dump that was read is not fetched again for the index it belongs to."""
    request(context, order(EARLY))
    [run] = chosen(context)
    with writing(context.engine) as session:
        snapshots.record_table(session, EN, run, DumpTable.PAGE, "attempt", 1, now=NOW)
    [files] = planned(plan(settings, order(EARLY))).values()
    assert sorted(name.split("-")[2] for name in files) == sorted(
        f"{table}.sql.gz" for table in DumpTable if table is not DumpTable.PAGE
    )


def test_a_run_that_failed(settings, context, site):
    """For an order that is given again a run is chosen anew, if the one that was chosen could not be read."""
    late = site.root / "enwiki" / f"{LATE:%Y%m%d}"
    change_status(late, lambda jobs: jobs["pagetable"].update(status="waiting"))
    request(context, order(LATE))
    assert list(chosen(context)) == [EARLY]
    with writing(context.engine) as session:
        snapshots.note_snapshot_trouble(session, EN, EARLY, DumpState.FAILED, "why")
    change_status(late, lambda jobs: jobs["pagetable"].update(status="done"))
    found = planned(plan(settings, order(LATE)))
    request(context, order(LATE))
    assert found == chosen(context)
    assert list(found) == [LATE]


def test_a_wiki_without_dumps(settings):
    """It is told of as such; once it had some, it is a trouble."""
    [index] = plan(settings, order(projects=(DE,))).indexes
    assert (index.project, index.run, index.state) == (DE, None, DumpState.NO_DUMPS)


def test_dumps_that_went_away(settings, context, site):
    """A wiki that had dumps before, and an order for which none is chosen, is in trouble; so says the order."""
    request(context, order(EARLY))
    assert chosen(context)
    site.misbehave(Fault("enwiki/", NotFound()))
    found = plan(settings, order(LATE)).indexes
    assert {index.state for index in found} == {DumpState.WAITING, DumpState.MISSING}


def test_a_source_that_is_silent_is_asked_once(settings, site):
    """Where the hours' source does not answer, it is not asked for dumps as well."""
    site.misbehave(Fault("*", Refused()))
    found = plan(settings, order(projects=(EN, DE)))
    assert [index.state for index in found.indexes] == [DumpState.REFUSED] * 2
    assert asked(site) == FOLDERS[:1]


def test_dumps_from_elsewhere(settings, site, mirror):
    """With a source of their own the dumps have three more connections."""
    found = plan(replace(settings, sources=(mirror.url,), dumps_source=site.url))
    assert (found.connections, len(found.dumps), found.hours.missing) == (6, 5, ())


def test_half_loaded_dumps(settings):
    """What is here of a dump is not fetched again."""
    page = next(file for file in plan(settings).dumps if "-page." in file.name)
    settings.downloads_dir.mkdir(parents=True)
    (settings.downloads_dir / f"{page.name}.part").write_bytes(bytes(10))
    assert bytes_left(plan(settings).dumps) == sum(file.size for file in plan(settings).dumps) - 10
