"""What an order would fetch and take, from values alone."""

from __future__ import annotations

import datetime as dt
import math
import os
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import LAW

from models.dump_run import DumpState
from models.hour import Hour, hours_of, week_from
from models.project import parse_project
from worker.embedded import concurrency
from worker.hour_listing import ListedFile
from worker.needs import (
    Density,
    Need,
    Pace,
    counting_seconds,
    download_bytes,
    floor_seconds,
    index_bytes,
    short_of,
    tallies,
)
from worker.plan import TYPICAL_HOUR_BYTES, Look, Plan, PlannedFile, PlannedIndex, SourceLook, bytes_left, plan_hours
from worker.settings import read_settings

EN = parse_project("en.wikipedia")
DAYS = (dt.date(2023, 12, 31), dt.date(2024, 1, 1))
HOURS = tuple(hour for day in DAYS for hour in hours_of(day))
LATER = dt.datetime(2024, 2, 1, tzinfo=dt.UTC)
MB = 10**6
WEEK_BYTES = 168 * TYPICAL_HOUR_BYTES

some_hours = st.sets(st.sampled_from(HOURS))
listings = st.dictionaries(st.sampled_from(HOURS), st.builds(ListedFile, st.integers(0, 2**40), exact=st.booleans()))
moments = st.datetimes(dt.datetime(2023, 12, 30), dt.datetime(2024, 1, 3), timezones=st.just(dt.UTC))  # noqa: DTZ001 it takes naive bounds
sizes = st.integers(0, 10**13)
keys = st.sets(st.sampled_from("abcdef"), min_size=1)


def plan(hours=None, indexes=(), sources=("a",), dump_source="a", **more):
    looks = tuple(SourceLook(f"https://{key}.example", key, Look.ANSWERED) for key in sources)
    none = plan_hours((), (), {}, {}, LATER)
    defaults = {"projects": (EN,), "days": DAYS, "cores": 2, "pace": Pace()}
    return Plan(hours=hours or none, indexes=indexes, sources=looks, dump_source=dump_source, **(defaults | more))


class TestHours:
    @LAW
    @given(some_hours, st.none() | listings, moments)
    def test_each_hour_is_told_once(self, lacking, listed, now):
        """Counted, to fetch, missing and not over are together what is wanted, each hour in one of them."""
        found = plan_hours(HOURS, lacking, listed, {}, now)
        assert sorted([*found.counted, *found.to_fetch, *found.missing, *found.not_over]) == list(HOURS)
        assert found.wanted == len(HOURS)
        assert set(found.counted) == set(HOURS) - lacking
        assert all(hour.end > now for hour in found.not_over)
        assert all(hour.end <= now and (listed is None or hour in listed) for hour in found.to_fetch)
        assert all(listed is not None and hour not in listed for hour in found.missing)

    @LAW
    @given(some_hours, listings)
    def test_bytes_are_the_listings(self, lacking, listed):
        """What is to be fetched has the listing's sizes, and their certainty; how many are listed counts all wanted."""
        found = plan_hours(HOURS, lacking, listed, {}, LATER)
        assert bytes_left(found.to_fetch.values()) == sum(listed[hour].size for hour in lacking & listed.keys())
        assert all(file.exact == listed[hour].exact for hour, file in found.to_fetch.items())
        assert found.listed == len(listed)

    def test_an_hour_ends_before_it_is_had(self):
        """An hour that ends at this very moment is over; the next one is not."""
        found = plan_hours(HOURS, HOURS, None, {}, HOURS[7].end)
        assert (tuple(found.to_fetch), found.not_over) == (HOURS[:8], HOURS[8:])

    def test_unknown_sizes(self):
        """A file without a size gets the mean of the others, or without any the usual one; it is not exact."""
        sizes = dict(zip(HOURS, (10, 20, None), strict=False))
        listed = {hour: ListedFile(size, exact=size is not None) for hour, size in sizes.items()}
        found = plan_hours(HOURS, HOURS, listed, {}, LATER)
        assert found.to_fetch[HOURS[2]] == PlannedFile(HOURS[2].file_name, 15, exact=False)
        unlisted = plan_hours(HOURS, HOURS[:3], None, {}, LATER)
        assert {(file.size, file.exact) for file in unlisted.to_fetch.values()} == {(TYPICAL_HOUR_BYTES, False)}
        assert (unlisted.listed, unlisted.missing) == (None, ())

    def test_what_is_here_already(self):
        """A half-loaded file is fetched from where it ends; more than all of it is not here."""
        listed = {hour: ListedFile(100, exact=True) for hour in HOURS}
        found = plan_hours(HOURS, HOURS[:3], listed, {HOURS[0]: 40, HOURS[1]: 300}, LATER)
        assert [file.left for file in found.to_fetch.values()] == [60, 0, 100]


class TestSeconds:
    def test_a_week_from_the_origin(self):
        """A week takes eleven minutes at least from one source, as the README says, and half of that from two."""
        one, two = (
            floor_seconds(WEEK_BYTES, 0, TYPICAL_HOUR_BYTES, hour_sources=sources, dump_sources="a")
            for sources in ("a", "ab")
        )
        assert one == pytest.approx(10 * 60 + 15, abs=1)
        assert two == pytest.approx(one / 2)

    @LAW
    @given(sizes, sizes, keys, keys)
    def test_no_source_gives_more_than_its_connections(self, hours, dumps, hour_sources, dump_sources):
        """The bytes can be dealt out to the sources so that each has time for its share, and not in less time."""
        seconds = floor_seconds(hours, dumps, 0, hour_sources=hour_sources, dump_sources=dump_sources)
        each = seconds * 3 * 5 * 2**20
        only_hours, only_dumps = hour_sources - dump_sources, dump_sources - hour_sources
        both = hour_sources & dump_sources
        # What does not fit into the sources of one kind alone has to fit into those of both.
        spill = max(hours - each * len(only_hours), 0) + max(dumps - each * len(only_dumps), 0)
        assert spill <= each * len(both) * (1 + 1e-9) + 1e-3
        tight = (hours, hour_sources), (dumps, dump_sources), (hours + dumps, hour_sources | dump_sources)
        assert any(math.isclose(size, each * len(where), abs_tol=1e-3) for size, where in tight)

    def test_dumps_come_from_their_source(self):
        """However many mirrors there are, the dumps take the time of their own source's connections."""
        floors = [
            floor_seconds(0, 7 * 10**9, 0, hour_sources=sources, dump_sources="a") for sources in ("a", "ab", "bcdef")
        ]
        assert floors == [pytest.approx(7 * 10**9 / (15 * 2**20))] * 3

    def test_one_file_comes_through_one_connection(self):
        """A single large file takes three times what three of its thirds would."""
        size = 300 * MB
        floor = floor_seconds(0, size, size, hour_sources="a", dump_sources="a")
        assert floor == pytest.approx(3 * floor_seconds(0, size, size // 3, hour_sources="a", dump_sources="a"))

    @LAW
    @given(sizes, sizes, st.floats(0, 10), st.integers(1, 64))
    def test_cores_share_the_counting(self, hours, dumps, pace, cores):
        """So many cores take that part of what one core takes; nothing takes no time."""
        alone = counting_seconds(hours, dumps, Pace(pace), 1)
        assert counting_seconds(hours, dumps, Pace(pace), cores) == pytest.approx(alone / cores)
        assert counting_seconds(0, 0, Pace(pace), cores) == 0

    def test_the_narrower_limit_is_expected(self):
        """On a slow machine counting takes longer than fetching; elsewhere, or on a fast one, the sources decide."""
        hours = plan_hours(HOURS, HOURS, None, {}, LATER)
        slow, fast = (plan(hours, pace=Pace(seconds_per_mb)) for seconds_per_mb in (1, 0.01))
        elsewhere = plan(hours, cores=None)
        assert slow.seconds == slow.counting == 48 * TYPICAL_HOUR_BYTES / MB / 2
        assert fast.seconds == elsewhere.seconds == slow.floor > fast.counting
        assert elsewhere.counting is None

    def test_only_sources_that_answered_are_counted_on(self):
        """A mirror that is silent gives nothing; if all are, they are taken to come back."""
        hours = plan_hours(HOURS, HOURS, None, {}, LATER)
        both = plan(hours, sources="ab")
        silent = SourceLook("https://b.example", "b", Look.UNREACHABLE, "why")
        one = replace(both, sources=(both.sources[0], silent))
        none = replace(both, sources=(replace(silent, key="a"), silent))
        assert [found.connections for found in (both, one, none)] == [6, 3, 6]
        assert one.floor == pytest.approx(2 * both.floor) == pytest.approx(2 * none.floor)
        assert [len(found.silent) for found in (both, one, none)] == [0, 0, 2]

    def test_no_connection_for_nothing(self):
        """Where nothing is to be fetched, nothing is asked for and it takes no time."""
        found = plan()
        assert (found.connections, found.seconds, found.downloads, found.database) == (0, 0, 0, 0)


class TestSpace:
    @LAW
    @given(st.lists(sizes), st.integers(0, 20))
    def test_downloads(self, files, at_once):
        """No choice of so many files is larger than what is reckoned with, and one of them is as large."""
        found = download_bytes(files, at_once)
        chosen = files[:at_once]
        assert found >= sum(chosen)
        assert found == sum(sorted(files)[len(files) - min(at_once, len(files)) :])

    def test_as_many_files_as_there_are_threads(self):
        """A run without a broker has one file on the disk for each of its threads, at most."""
        settings = read_settings({"WIKIQ_SOURCE": "https://a.example", "WIKIQ_DATA_DIR": "/nowhere"})
        cores = os.cpu_count() or 1
        hours = plan_hours(HOURS, HOURS, {hour: ListedFile(100, exact=True) for hour in HOURS}, {}, LATER)
        assert plan(hours, cores=cores).downloads == concurrency(settings) * 100

    def test_a_day_of_english_wikipedia(self):
        """24 files of 67 MB leave the 320 MB that were measured; a wiki with a tenth of the titles a tenth of it."""
        found = tallies(EN, [67 * MB] * 24, Density())
        assert found.now == found.day == pytest.approx(320 * MB, rel=0.01)
        small = tallies(EN, [67 * MB] * 24, Density(Density().titles_per_mb / 10, counted=True))
        assert small.now == pytest.approx(found.now / 10, rel=1e-6)
        assert (found.counted, small.counted) == (False, True)

    def test_a_part_of_a_day(self):
        """Half a day's files need half of what is told for a whole day; none need nothing."""
        found = tallies(EN, [10 * MB] * 12, Density())
        assert found.day == pytest.approx(2 * found.now, abs=2)
        assert tallies(EN, [], Density()) == replace(found, now=0, then=0, day=0, complete_day=0)

    def test_the_database_holds_all_of_it_at_first(self):
        """Until days are complete and indexes built, hours and the dumps' columns are there together."""
        files = tuple(PlannedFile(name, 10 * MB) for name in "abcde")
        index = PlannedIndex(EN, dt.date(2024, 1, 1), DumpState.WAITING, files)
        found = plan(indexes=(index, index), tallies=(tallies(EN, [10 * MB], Density()),))
        assert found.database == found.tallies[0].now + 2 * index_bytes(50 * MB)[0]
        assert len(found.files) == len(found.dumps) == 10

    @pytest.mark.parametrize(
        ("needs", "short"),
        [
            ([], 0),
            ([Need("a", "/a", 10, 10, 1)], 0),
            ([Need("a", "/a", 11, 10, 1)], 1),
            ([Need("a", "/a", 6, 10, 1), Need("b", "/b", 6, 10, 1)], 2),
            ([Need("a", "/a", 6, 10, 1), Need("b", "/b", 6, 10, 2)], 0),
            ([Need("a", "/a", 11, None, None), Need("b", "/b", 6, 10, 2)], 0),
            ([Need("a", "/a", 1, 0, 1), Need("b", "/b", 6, 10, 2)], 1),
        ],
    )
    def test_room(self, needs, short):
        """Needs on one disk are added up; what is free on a disk that nobody knows is not too little."""
        assert sum(map(len, short_of(needs))) == short


def test_a_week_has_its_hours():
    """The hours of a week are wanted once each, over the turn of the year too."""
    wanted = [hour for day in week_from(DAYS[0]) for hour in hours_of(day)]
    found = plan_hours(wanted, wanted, None, {}, LATER)
    assert found.wanted == len(found.to_fetch) == 168
    assert Hour(dt.date(2024, 1, 6), 23) in found.to_fetch
