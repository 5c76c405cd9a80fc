"""The benchmark beside other engines, small: what is compared, what it is compared on, and what the page says."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.hour import hours_of
from worker.pageviews import unquote

ROOT = Path(__file__).parents[1]
# The benchmark is no part of what is installed; behind it, so that the application's own modules are the installed.
sys.path.append(str(ROOT))

from bench.commands import day, hour, rank  # noqa: E402 found only now, as are these
from bench.day_answer import CODES  # noqa: E402
from bench.generate import DAY, ENGLISH_SHARE, _written, write_day, write_hour  # noqa: E402
from bench.turns import compare  # noqa: E402

LINES = 10_000
NEEDED = {"clickhouse": "chdb", "duckdb": "duckdb", "pandas": "pandas"}


def bench(*arguments):
    """What a command prints, and its exit code."""
    command = [sys.executable, "-m", "bench", *map(str, arguments), "--json"]
    done = subprocess.run(command, cwd=ROOT, check=False, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout), done.returncode


def fields_of(path):
    """The lines of an hour file, each cut at blanks."""
    return [line.split(b" ") for line in gzip.decompress(path.read_bytes()).split(b"\n")[:-1]]


def expected(names):
    """Those engines that can be there."""
    return {name for name in names if find_spec(NEEDED.get(name, "polars"))}


@pytest.fixture(scope="module")
def hours(tmp_path_factory):
    """The fields of a generated day's lines, hour by hour."""
    directory = tmp_path_factory.mktemp("day")
    write_day(directory, hours_of(DAY), LINES)
    return [fields_of(directory / hour.file_name) for hour in hours_of(DAY)]


def english(lines):
    """Titles of English Wikipedia with their views on both sites."""
    views = Counter()
    for code, title, number, _ in lines:
        if code.decode() in CODES:
            views[title] += int(number)
    return views


def test_a_generated_hour_is_sorted_and_no_line_repeats(hours):
    """Lines are in the order of their unquoted codes and titles, as Wikimedia's are, and of each there is one."""
    for lines in hours[:3]:
        keys = [(unquote(code), unquote(title)) for code, title, _, _ in lines]
        assert keys == sorted(keys)
        assert len(set(keys)) == len(keys)


def test_a_generated_hour_has_the_lines_asked_for(hours):
    """Every line has four fields, a number of views and a zero; their number is right, and English has its share."""
    for lines in hours:
        assert len(lines) == pytest.approx(LINES, rel=0.03)
        assert all(int(number) > 0 and zero == b"0" for _, _, number, zero in lines)
        share = sum(code.decode() in CODES for code, *_ in lines) / len(lines)
        assert share == pytest.approx(ENGLISH_SHARE, rel=0.05)


def test_a_generated_hour_has_what_readers_trip_over(hours):
    """There are quoted titles and codes, namespaces, foreign letters, codes like English ones, and single views."""
    codes = {code for code, *_ in hours[0]}
    assert {b'""', b"en", b"en.m", b"en.b", b"en.m.d", b"el"} <= codes
    titles = [title for lines in hours for code, title, *_ in lines if code.decode() in CODES]
    assert {b"Main_Page", b"-"} <= set(titles)
    assert any(title.startswith(b'"') and unquote(title) != title for title in titles)
    assert 0.05 < sum(b":" in title for title in titles) / len(titles) < 0.12
    assert 0.02 < sum(not title.isascii() for title in titles) / len(titles) < 0.06
    single = [number == b"1" for lines in hours for code, _, number, _ in lines if code.decode() in CODES]
    assert 0.45 < sum(single) / len(single) < 0.65


def test_the_hours_of_a_day_share_their_popular_titles(hours):
    """A day has three to four times as many titles as an hour, and each hour has nearly all of the most popular."""
    found = [english(lines) for lines in hours]
    total = sum(found, Counter())
    assert 3 <= len(total) / (sum(map(len, found)) / len(found)) <= 4
    popular = {title for title, _ in total.most_common(100)}
    assert all(len(popular & set(views)) >= 99 for views in found)
    assert len({tuple(views.items()) for views in found}) == len(found)


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    """A file depends on its size and seed alone; it is the first hour of the day of that seed."""
    for name, seed in (("one", 3), ("two", 3), ("other", 4)):
        write_hour(tmp_path / name, 500, seed)
    write_day(tmp_path, hours_of(DAY)[:1], 500, 3)
    first = (tmp_path / "one").read_bytes()
    assert (tmp_path / "two").read_bytes() == first
    assert (tmp_path / hours_of(DAY)[0].file_name).read_bytes() == first
    assert (tmp_path / "other").read_bytes() != first


@given(st.text(st.characters(exclude_characters=" \n", exclude_categories=["Cs"]), min_size=1))
@example('"')
@example('a"b\\"c\\')
def test_titles_are_quoted_as_readers_undo_it(title):
    """What the generator writes for a title with a quotation mark is read as that title; without one it is literal."""
    import polars as pl

    [written] = _written(pl.Series([title]))
    assert (unquote(written.encode()) if '"' in title else written.encode()) == title.encode()


def test_an_hour_file_is_timed_as_one_flat_object(tmp_path):
    """Of a file of one's own, whatever its name, seconds are printed, that all counted the same, and how."""
    file = tmp_path / "it's {one,of} *.gz"
    write_hour(file, 2_000)
    result, code = bench("hour", file, "--rounds", "0")
    assert code == 0
    assert result.pop("answers_equal") is True
    options = {"file": str(file), "rounds": 0, "lines": hour.HOUR_LINES, "seed": 7, "small": False}
    assert result.pop("measured")["options"] == options
    assert set(result) == expected(hour.ENGINES)
    assert all(isinstance(seconds, float) and seconds > 0 for seconds in result.values())


@pytest.fixture
def turns(tmp_path, monkeypatch):
    """Three rounds of made-up engines."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "tests")]))

    def run(*names, once=()):
        engines = dict.fromkeys(names, "engine_samples")
        return compare(engines, tmp_path / "source", tmp_path / "scratch", threads=1, rounds=2, once=once)

    return run


def test_the_best_round_counts_and_the_first_does_not(turns):
    """Of three rounds the first is the fastest and is not taken; with a single round that one is."""
    found = turns("wikiq", "polars", once=("polars",))
    assert 0.05 <= found["seconds"]["wikiq"] < 0.3
    assert found["seconds"]["polars"] < 0.05
    assert found["once"] == ["polars"]
    assert found["answers_equal"] is True
    assert found["parts"]["wikiq"] == {"half": 1.5}
    assert found["processor"]["wikiq"] >= 100
    assert found["peak_mb"]["wikiq"] > 10_000


def test_one_answer_alone_is_equal_to_nothing(turns):
    """Where nothing else is installed, nobody says that the answers are equal."""
    assert turns("wikiq")["answers_equal"] is None


def test_another_answer_is_told(turns):
    """An engine with another answer is named, with where it differs; so is one that fails, which has no seconds."""
    found = turns("wikiq", "python loop", "gunzip")
    assert found["answers_equal"] is False
    assert found["unequal"] == {"python loop": ["views"], "gunzip": ["it failed"]}
    assert found["seconds"]["gunzip"] is None


def result_of(**seconds):
    """A result with these seconds and nothing special about it."""
    figures = dict.fromkeys(seconds, 1.0)
    common = {"processor": figures, "peak_mb": figures, "parts": {}, "versions": {}, "threads": 2, "rounds": 2}
    return {**common, "once": [], "unequal": {}, "answers_equal": True, "bytes": 1, "seconds": seconds}


@pytest.mark.parametrize(
    ("seconds", "result", "reached"),
    [
        (
            {"wikiq": 3.0, "clickhouse": 4.0, "duckdb": 3.0, "polars": 9.0},
            "1.00 × duckdb (1.00 × its processor seconds)",
            True,
        ),
        (
            {"wikiq": 3.1, "wikiq, one process": 1.0, "clickhouse": 3.0},
            "1.03 × clickhouse (1.00 × its processor seconds)",
            False,
        ),
        ({"wikiq": 3.0}, "nothing to compare with is installed", False),
    ],
)
def test_a_day_is_held_against_the_best_of_the_others(seconds, result, reached):
    """The fastest other engine is what a day is measured by; without one nothing is reached."""
    [row] = day.rows(result_of(**seconds))
    assert (row.result, row.reached) == (result, reached)


@pytest.mark.parametrize(
    ("clickhouse", "duckdb", "reached"), [(1.0, 1.4, True), (0.99, 1.4, False), (1.0, 1.2, False), (None, 1.4, False)]
)
def test_an_hour_must_be_ahead_of_all_but_one(clickhouse, duckdb, reached):
    """An hour may take 1.3 times ClickHouse's time, and must be ahead of every other engine."""
    whole = result_of(wikiq=1.3, clickhouse=clickhouse, duckdb=duckdb, gunzip=0.5)
    seconds = whole.pop("seconds")
    result = {**seconds, "answers_equal": True, "details": whole}
    [row] = hour.rows(result)
    assert row.reached is reached
    assert "2.6 × gunzip alone" in row.result
    for told in (hour.report(result), hour.details(result)):
        assert "duckdb" in told
        assert ("clickhouse" in told) is (clickhouse is not None)


@pytest.mark.parametrize(("peak", "reached"), [(1_500.0, True), (1_501.0, False)])
def test_a_ranking_has_a_limit_of_memory(peak, reached):
    """A ranking is held against the others' time, and against 1.5 GB."""
    sizes = {"articles": 7_000_000, "memberships": 40_000_000, "redirects": 1, "titles_of_a_day": 1}
    whole = {**result_of(wikiq=1.2, duckdb=1.0), "sizes": sizes}
    whole["peak_mb"] = {"wikiq": peak}
    speed, memory = rank.rows(whole)
    assert speed.reached
    assert "7 million articles and 40 million memberships" in speed.measured
    assert memory.reached is reached
