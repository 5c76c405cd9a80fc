"""A plan made of a real database and served sites: it says what an order then leads to, and changes nothing."""

from __future__ import annotations

import shutil
from dataclasses import replace
from functools import partial

import pytest
import servers
from conftest import HASTY
from planning_samples import (
    ABSENT,
    FOLDERS,
    HOURS,
    NOW,
    asked,
    half_load,
    lacking_site,
    order,
    plan,
    size_of,
    titles,
    whole_mirror,
)
from store_samples import DE, EN, LOGGED, contents, count, facts
from strategies import frame

from cli.demosite.faults import Fault, HtmlPage, Refused, Unavailable
from worker import plan_look, planning
from worker.fetch import fetch_small
from worker.needs import Pace
from worker.phases import Phases
from worker.plan import Look
from worker.planning import make_plan
from worker.store import tallies
from worker.store.database import writing


@pytest.fixture
def site(tmp_path):
    with lacking_site(tmp_path / "site") as served:
        yield served


@pytest.fixture
def mirror(tmp_path):
    with whole_mirror(tmp_path / "mirror") as served:
        yield served


class TestHours:
    def test_before_anything(self, settings, site):
        """All hours are lacking; only listings are asked for, of both folders of a year's last day; nothing is made."""
        found = titles(settings)
        assert (found.hours.counted, found.hours.missing, found.hours.listed) == ((), (ABSENT,), 23)
        assert {hour: file.left for hour, file in found.hours.to_fetch.items()} == {
            hour: size_of(hour) for hour in HOURS if hour != ABSENT
        }
        assert (found.exact, found.indexes) == (True, ())
        assert asked(site) == FOLDERS
        assert [path.name for path in settings.data_dir.iterdir()] == ["connections"]

    def test_what_is_counted_is_not_fetched(self, settings, context):
        """Hours in the ledger are counted already, unless for another project, or with force."""
        for hour in HOURS[:3]:
            count(context.engine, hour, {b"A": (1, 1)})
        before = contents(context.engine)
        assert titles(settings).hours.counted == HOURS[:3]
        both = titles(settings, projects=(EN, DE))
        assert both.hours.counted == ()
        lacking = [sum(map(size_of, hours)) - size_of(ABSENT) for hours in (HOURS[3:], HOURS)]
        assert [found.now for found in both.tallies] == pytest.approx([n * 15_500 / 1e6 * 12.8 for n in lacking], abs=1)
        assert titles(settings, force=True).hours.counted == ()
        assert contents(context.engine) == before

    def test_nothing_is_asked_where_nothing_lacks(self, settings, context, site):
        """Where all is counted, or lies in the future, no source is asked."""
        for hour in HOURS:
            count(context.engine, hour, {b"A": (1, 1)})
        found = titles(settings)
        assert ([source.look for source in found.sources], found.silent, found.files) == ([Look.NOT_ASKED], (), ())
        future = make_plan(settings, order(NOW.date(), universe=LOGGED), retries=HASTY, now=NOW)
        assert len(future.hours.not_over) == 24
        assert asked(site) == []

    def test_a_mirror_fills_in(self, settings, site, mirror):
        """What one of two sources has can be had; both are asked, and both count."""
        found = titles(replace(settings, sources=(site.url, mirror.url)))
        assert (found.hours.missing, found.hours.listed, found.connections) == ((), 24, 6)
        assert asked(site) == asked(mirror) == FOLDERS

    @pytest.mark.parametrize(
        ("fault", "look"),
        [(Refused(), Look.REFUSED), (Unavailable(), Look.UNREACHABLE), (HtmlPage(), Look.FAILED)],
    )
    def test_a_source_in_trouble(self, settings, site, mirror, fault, look):
        """It is told of with the reason; the plan goes on with the other source, or as if all were there."""
        site.misbehave(Fault("other/*", fault))
        both = titles(replace(settings, sources=(site.url, mirror.url)))
        assert [source.look for source in both.sources] == [look, Look.ANSWERED]
        assert (len(both.hours.to_fetch), both.connections, both.exact, both.silent) == (24, 3, True, ())
        alone = titles(settings)
        [source] = alone.silent
        assert FOLDERS[0] in source.reason
        assert (len(alone.hours.to_fetch), alone.hours.listed, alone.exact) == (24, None, False)

    def test_a_folder_that_is_not_there_yet(self, settings, site):
        """Its hours are missing, the others are not."""
        shutil.rmtree(site.root / FOLDERS[1])
        assert titles(settings).hours.missing == (ABSENT, HOURS[23])

    def test_a_file_in_the_wrong_folder(self, settings, site):
        """Only where an hour's file is looked for is it there."""
        (site.root / FOLDERS[1] / ABSENT.file_name).touch()
        assert titles(settings).hours.missing == (ABSENT,)

    def test_no_contact(self, settings):
        """Wikimedia is not asked by nobody: the plan says so, and goes on without."""
        found = titles(replace(settings, sources=("https://dumps.wikimedia.org",), contact=None))
        assert found.sources[0].look is Look.REFUSED
        assert "WIKIQ_CONTACT" in found.sources[0].reason

    def test_a_password_is_not_told(self, settings, site):
        """The source's credentials are in no part of the plan."""
        found = plan(replace(settings, sources=(site.url.replace("://", "://me:geheim@"),)))
        assert len(found.hours.to_fetch) == 23
        assert "geheim" not in repr(found)

    def test_half_loaded_files(self, settings, site):
        """What is here of a file is not fetched again, if it is of this source's file."""
        half_load(settings, HOURS[0], f"{site.url}/{HOURS[0].path}")
        half_load(settings, HOURS[1], "https://other.example/x.gz")
        found = titles(settings).hours.to_fetch
        assert (found[HOURS[0]].left, found[HOURS[1]].left) == (size_of(HOURS[0]) - 400, size_of(HOURS[1]))

    def test_a_data_directory_that_cannot_be(self, settings, tmp_path, site):
        """Where the locks on connections cannot lie, the source is not asked, and the plan says why."""
        (tmp_path / "file").touch()
        found = titles(replace(settings, data_dir=tmp_path / "file" / "data"))
        assert [source.look for source in found.silent] == [Look.FAILED]
        assert "data directory cannot be written" in found.silent[0].reason
        assert asked(site) == []


class TestNeeds:
    def test_a_disk_is_looked_at(self, settings):
        """Downloads and a SQLite file are needs of the disk on which they will lie, though nothing is there yet."""
        downloads, database = plan(settings).needs
        assert (downloads.place, database.place) == (
            str(settings.downloads_dir),
            str(settings.data_dir / "wikiq.sqlite"),
        )
        assert downloads.disk == database.disk == settings.data_dir.parent.stat().st_dev
        usage = shutil.disk_usage(settings.data_dir.parent)
        assert 0 < downloads.free <= usage.total

    def test_a_broker_that_is_away(self, settings, site, mirror, monkeypatch):
        """Is waited for once, for seconds, however much there is to ask; the plan tells of it for all that it asks."""
        monkeypatch.setattr(planning, "AWAY_SECONDS", 0.5)
        waits = []
        monkeypatch.setattr(
            plan_look, "fetch_small", lambda *given, **more: waits.append(given) or fetch_small(*given, **more)
        )
        away = f"redis://127.0.0.1:{servers.free_port()}/0"
        found = plan(replace(settings, broker_url=away, sources=(site.url, mirror.url)), order(projects=(EN, DE)))
        assert len(waits) == 1
        assert [source.look for source in found.sources] == [Look.FAILED, Look.FAILED]
        assert len(found.indexes) == 2
        for told in (*found.sources, *found.indexes):
            assert "broker does not answer" in told.reason
        assert asked(site, mirror) == []

    def test_a_fleet(self, settings, redis_url, postgresql):
        """With a broker others count, on disks that are not known here; connections are leased in Redis."""
        half_load(settings, HOURS[0], f"{settings.source}/{HOURS[0].path}")
        (settings.downloads_dir / "enwiki-20240101-page.sql.gz.part").write_bytes(bytes(10))
        with servers.fresh_database(postgresql, "wikiq_plan") as url:
            shared = replace(settings, broker_url=redis_url, database_url=url.replace("://", "+psycopg://"))
            found = plan(shared)
        assert (found.counting, found.cores, found.seconds) == (None, None, found.floor)
        assert [(need.free, need.disk) for need in found.needs] == [(None, None)] * 2
        assert len(found.hours.to_fetch) == 23
        assert sum(file.here for file in found.files) == 0
        assert [path.name for path in settings.data_dir.iterdir()] == ["downloads"]

    def test_what_the_ledger_teaches(self, settings, context):
        """From a hundred megabytes on, the ledger's own figures are used: seconds per MB, titles per MB."""
        for hour in HOURS[:2]:
            count(context.engine, hour, {b"A": (1, 1), b"B": (1, 1)}, size=50_000_000)
        found = titles(settings)
        assert (found.pace.files, found.tallies[0].counted) == (0, True)  # no times were noted
        assert found.tallies[0].now < 1
        timed = partial(tallies.record_counted, now=NOW, version="test", phases=lambda: Phases(9.0, 9.0, 2.0, 1.0))
        with writing(context.engine) as session:
            for hour in HOURS[:2]:
                timed(session, EN, hour, facts(size=50_000_000), tallies.pack(frame({b"A": (1, 1)})))
        assert titles(settings).pace == Pace(6 / 100, 2)
        other = titles(settings, projects=(DE,))
        assert not other.tallies[0].counted


def test_the_settings_are_those_of_an_order(settings, site, mirror):
    """A source that the order names is asked alone, as it would be."""
    found = titles(replace(settings, sources=(mirror.url,)), source=site.url)
    assert [source.source for source in found.sources] == [site.url]
    assert asked(mirror) == []
