"""Rows of one title come together, in the order of titles, whatever numbers are made of them."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import LAW

from worker import grouping
from worker.grouping import Grouped, by_title

TITLES = st.lists(st.binary(max_size=3) | st.sampled_from([b"", b"\0", b"A", b"A\0", b"B" * 40, b"B" * 40 + b"C"]))


def series(titles: list[bytes]) -> pl.Series:
    return pl.Series(titles, dtype=pl.Binary)


def groups(grouped: Grouped) -> list[tuple[bytes, list[int]]]:
    rows = iter(grouped.rows.tolist())
    return [
        (title, list(itertools.islice(rows, length)))
        for title, length in zip(grouped.titles.to_list(), grouped.lengths.tolist(), strict=True)
    ]


def plainly(titles: list[bytes]) -> list[tuple[bytes, list[int]]]:
    return [(title, [row for row, other in enumerate(titles) if other == title]) for title in sorted(set(titles))]


@LAW
@given(TITLES)
def test_rows_by_title(titles):
    """Every title once, in bytewise order, with all of its rows, ascending."""
    assert groups(by_title(series(titles))) == plainly(titles)


@LAW
@given(TITLES, st.integers(0, 3), st.integers(0, 63))
def test_numbers_that_say_little(titles, kinds, bit):
    """Titles whose numbers are equal are told apart by themselves: no two titles ever share their rows."""
    numbers = np.array([(len(title) & kinds) << bit for title in titles], dtype=np.uint64)
    found = grouping._by_number(series(titles), numbers)
    if found is not None:
        assert groups(found) == plainly(titles)
    assert groups(grouping._by_sorting(series(titles))) == plainly(titles)


@pytest.mark.parametrize("shared", [0, 2**64 - 1])
def test_equal_numbers_are_noticed(shared):
    """Where two titles have one number, the numbers alone cannot tell which rows are whose, and nothing is guessed."""
    numbers = np.full(4, shared, dtype=np.uint64)
    assert grouping._by_number(series([b"A", b"B", b"A", b"B"]), numbers) is None
    found = grouping._by_number(series([b"A", b"A"]), numbers[:2])
    assert found is not None
    assert groups(found) == [(b"A", [0, 1])]
