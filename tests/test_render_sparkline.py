"""Hourly counts as a row of block characters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.render.sparkline import LEVELS, NO_VIEWS, NOT_COUNTED, sparkline


@pytest.mark.parametrize(
    ("counts", "missing", "expected"),
    [
        ([1, 2, 3, 4, 5, 6, 7, 8], (), "▁▂▃▄▅▆▇█"),
        ([100, 200, 800], (), "▁▂█"),
        ([0, 1, 1_000_000], (), " ▁█"),
        ([5, 0, 5], (1,), "█·█"),
        ([0, 0], (), "  "),
        ([0, 0], (0, 1), "··"),
        ([], (), ""),
    ],
)
def test_marks(counts: list[int], missing: tuple[int, ...], expected: str) -> None:
    """Heights follow the row's own maximum; no views is a blank, an hour that was not counted a dot."""
    assert sparkline(counts, missing) == expected


def test_a_shared_mark_shows_the_mean_of_the_counted_hours() -> None:
    """A missing hour does not pull the mark of its six hours down; six missing hours are a dot."""
    counts = [8] * 6 + [8, 8, 8, 0, 0, 0] + [0] * 6 + [4] * 6
    missing = {9, 10, 11, *range(12, 18)}
    assert sparkline(counts, missing, hours_per_mark=6) == "██·▄"


@given(st.lists(st.integers(0, 10**9)), st.sets(st.integers(0, 200)), st.integers(1, 24))
def test_one_mark_for_each_group(counts: list[int], missing: set[int], hours_per_mark: int) -> None:
    """There are as many marks as groups of hours, each of them one of the ten."""
    line = sparkline(counts, missing, hours_per_mark)
    assert len(line) == -(-len(counts) // hours_per_mark)
    assert set(line) <= {*LEVELS, NO_VIEWS, NOT_COUNTED}


@given(st.lists(st.integers(0, 10**9), min_size=2))
def test_more_views_are_never_lower(counts: list[int]) -> None:
    """Hours in the order of their views have marks in the order of their heights."""
    heights = [(NO_VIEWS + LEVELS).index(mark) for mark in sparkline(sorted(counts))]
    assert heights == sorted(heights)


@given(st.lists(st.integers(1, 10**6), min_size=1), st.integers(1, 1000))
def test_scale_free(counts: list[int], factor: int) -> None:
    """A row with every count multiplied looks the same."""
    assert sparkline([factor * count for count in counts]) == sparkline(counts)
