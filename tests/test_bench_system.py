"""What the benchmarks of the running system measure against: the server's limits, and the files that it serves."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from models.hour import hours_of, parse_day

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # the benchmark is no part of the installed application
DAY = 24


def test_the_limits_are_the_servers(tmp_path):
    """The server sends no file faster than it is told to, refuses a further connection, and tells of both."""
    import concurrent.futures
    import time
    import urllib.error
    import urllib.request

    from bench.site import serving

    [*hours] = hours_of(parse_day("2024-01-01"))[:3]
    for hour in hours:
        (tmp_path / hour.path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / hour.path).write_bytes(bytes(65_536 + 40_000))

    def fetch(url):
        request = urllib.request.Request(url, headers={"User-Agent": "tests/1 (tests@localhost)"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, len(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, 0

    with serving(tmp_path, rate=100_000, connections=2) as served, concurrent.futures.ThreadPoolExecutor() as threads:
        began = time.monotonic()
        answers = list(threads.map(fetch, [f"{served.url}/{hour.path}" for hour in hours]))
        took = time.monotonic() - began
    assert sorted(answers) == [(200, 105_536), (200, 105_536), (503, 0)]
    assert took >= 0.4
    seen = served.seen
    assert (seen["most_at_once"], seen["refused"], sorted(seen["hours"].values())) == (2, 1, [1, 1])
    assert seen["last"] - seen["first"] >= 0.4


@pytest.mark.parametrize(("arguments", "different"), [((), 1), (("--lines", "3000"), 2 * DAY)])
def test_what_is_written(tmp_path, arguments, different):
    """Every hour of every day has a file, and the views that are told are those of each day's lines of en and en.m."""
    from bench.child import told

    written = told("bench.weekly", str(tmp_path), "2024-01-01", "--days", "2", *arguments)
    hours = [hour for day in ("2024-01-01", "2024-01-02") for hour in hours_of(parse_day(day))]
    assert written["files"] == {hour.file_name: (tmp_path / hour.path).stat().st_size for hour in hours}
    texts = [gzip.decompress((tmp_path / hour.path).read_bytes()) for hour in hours]
    assert len(set(texts)) == different
    for views, day in zip(written["views"], (texts[:DAY], texts[DAY:]), strict=True):
        lines = [line.split(b" ") for text in day for line in text.splitlines()]
        assert views == sum(int(views) for code, _, views, _ in lines if code in (b"en", b"en.m"))


def test_titles_of_the_next_day():
    """A quarter of a day's titles were not there the day before; those that are often requested stay."""
    from bench.generate import NEW_TITLES, Population, next_day
    from bench.hour_titles import english_titles

    rng = np.random.default_rng(7)
    titles = pl.concat([english_titles(rng, 8_000), pl.Series(["Main_Page", "-"])]).unique().sort()
    views = rng.exponential(0.5, (2, len(titles)))
    views[:, np.flatnonzero(titles.is_in(["Main_Page", "-"]))] = 50
    monday = Population(7, titles, titles, views[0], views[1], ())
    tuesday = next_day(monday, parse_day("2024-01-02"))
    before, after = set(monday.english), set(tuesday.english)
    assert len(before) == len(after) == len(tuesday.english) == len(tuesday.written)
    assert len(after - before) / len(after) == pytest.approx(NEW_TITLES, rel=0.05)
    assert list(tuesday.english) == sorted(tuesday.english, key=str.encode)
    often = {title for title, views in zip(monday.english, monday.desktop + monday.mobile, strict=True) if views >= 1}
    assert {"Main_Page", "-"} <= often <= after
    expected = dict(zip(tuesday.english, tuesday.desktop, strict=True))
    assert all(
        expected[title] == views
        for title, views in zip(monday.english, monday.desktop, strict=True)
        if title in after & before
    )
