"""The benchmark of memory: that it counts several days in one process, and finds views that are lost."""

from __future__ import annotations

import gzip
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT))  # the benchmark is no part of the installed application

from bench import memory  # noqa: E402 found only now
from bench.commands import memory as command  # noqa: E402
from bench.english_views import english_views  # noqa: E402

HOURS = 2


def test_views_of_english_are_counted_by_their_codes(tmp_path):
    """Only lines of ``en`` and ``en.m`` count, whatever is in their titles."""
    lines = [
        "de en 5 0",
        "en A 1 0",
        'en "a\\"" 20 0',
        "en.b A 300 0",
        "en.m en.m 4000 0",
        "en.m.d A 50000 0",
        "enm A 9 0",
    ]
    file = tmp_path / "hour.gz"
    file.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode()))
    assert english_views(file) == 4021


@pytest.fixture(scope="module")
def hours(tmp_path_factory):
    """What is measured of some small hours, the directory of their files, and that of the databases."""
    generated, scratch = tmp_path_factory.mktemp("generated"), tmp_path_factory.mktemp("scratch")
    found = memory.measure_hours(generated, scratch, 2_000, HOURS, 7)
    return found, generated / "day-2000-7", scratch


def test_three_days_are_counted_by_one_process(hours):
    """Of each of three days all hours are counted, and each has the views of the first day's files."""
    found, files, _ = hours
    assert [len(peaks) for peaks in found["peaks_mb"]] == [HOURS] * memory.COUNTED_DAYS
    flat = [peak for peaks in found["peaks_mb"] for peak in peaks]
    assert flat == sorted(flat)
    assert found["states"] == ["counted"] * HOURS * memory.COUNTED_DAYS
    first = sorted(files.glob("*.gz"))[:HOURS]
    lines = [line.split(b" ") for file in first for line in gzip.decompress(file.read_bytes()).splitlines()]
    views = sum(int(number) for code, _, number, _ in lines if code in (b"en", b"en.m"))
    assert found["views"] == {"written": views, "counted": [views] * memory.COUNTED_DAYS, "ranked": views}
    assert found["holds"] is True


def test_the_size_is_that_of_a_single_day(hours):
    """What is ranked and whose size is told is a database in which the first day alone is counted."""
    found, _, scratch = hours
    for name, days in (("first-day", 1), ("days", memory.COUNTED_DAYS)):
        with closing(sqlite3.connect(scratch / name / "wikiq.sqlite")) as database:
            query = "SELECT day FROM hour WHERE state = 'counted' GROUP BY day HAVING count(*) = ?"
            assert len(database.execute(query, (HOURS,)).fetchall()) == days
    assert 0 < found["after"]["file"] == (scratch / "first-day" / "wikiq.sqlite").stat().st_size
    assert found["before"]["file"] > 0


@pytest.mark.parametrize(
    ("states", "found", "right"),
    [
        (["counted", "counted"], [5, 5, 5], True),
        (["counted", "counted"], [5, 4, 5], False),
        (["counted", "counted"], [5, 5, 4], False),
        (["counted", "failed"], [5, 5, 5], False),
    ],
)
def test_a_view_that_is_lost_is_found(states, found, right):
    """No hour may fail, and neither a day nor its ranking may have other views than the files."""
    assert memory.all_counted(states, 5, found) is right


@pytest.mark.parametrize(
    ("of_days", "of_weeks", "right"),
    [
        ([1, 10], {1: 1, 2: 11}, True),
        ([1, 10, 100], {3: 111}, True),
        ([1, 11], {1: 1, 2: 12}, False),
        ([1, 10], {1: 1, 2: 10}, False),
        ([1, 10], {1: 2, 2: 11}, False),
    ],
)
def test_days_and_weeks_have_the_views_that_were_drawn(of_days, of_weeks, right):
    """A day and a week that agree with each other are wrong if they have other views than were drawn."""
    assert memory.as_drawn([1, 10, 100], of_days, of_weeks) is right


def test_a_world_that_tells_no_views_is_refused():
    """One that was kept before it told them is not taken for one without views."""
    assert memory.views_drawn({"article_views": [3, 4]}) == [3, 4]
    with pytest.raises(SystemExit, match="remove it"):
        memory.views_drawn({"articles": 1})


@pytest.mark.parametrize(
    ("peaks", "reached"), [([[90.0, 100.0], [101.0], [110.0]], True), ([[90.0, 100.0], [101.0], [110.1]], False)]
)
def test_counting_is_flat(peaks, reached):
    """Further days may take a tenth more than the first one's end, not than its first hour's."""
    sizes = {"before": {"file": 1}, "after": {"file": 1}}
    rows = command.rows({"hours": {"peaks_mb": peaks, **sizes}})
    [flat] = [row for row in rows if "after 1, 2, 3 days" in row.measured]
    assert flat.reached is reached
    assert rows[0].result == "110 MB"


@pytest.mark.parametrize(("peaks", "reached"), [((100.0, 110.0, 90.0), True), ((100.0, 111.0, 100.0), False)])
def test_a_week_is_flat_at_its_largest(peaks, reached):
    """Whichever number of days took the most memory is held against one day, not the last of them."""
    week = {"day_peaks_mb": [1.0], "week_peaks_mb": dict(zip("137", peaks, strict=True))}
    [*_, flat] = command.rows({"week": week})
    assert flat.measured == "the same with 1, 3, 7 days counted"
    assert flat.reached is reached
