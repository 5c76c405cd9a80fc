"""Tallies: what merging and storing may not change."""

from __future__ import annotations

import oracle
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import LAW, SLOW_LAW, frame, plain, rows_frame, tallies, titles

from worker import tally
from worker.block import from_block, to_block
from worker.tally import SCHEMA, empty_tally, merge, tally_of, views_of

ROWS = st.lists(st.tuples(titles(), st.integers(0, 5), st.integers(0, 2**40)), max_size=20)


@LAW
@given(ROWS)
def test_a_tally_adds_up_the_rows_of_a_title(rows):
    """Rows in any order, with repeats and without views, become the sums per title, sorted by bytes."""
    summed = oracle.merge({title: (desktop, mobile)} for title, desktop, mobile in rows)
    assert plain(tally_of(rows_frame(rows))) == {title: views for title, views in summed.items() if any(views)}


@LAW
@given(ROWS)
def test_a_tally_of_a_tally_is_itself(rows):
    """Summing twice changes nothing."""
    once = tally_of(rows_frame(rows))
    assert tally_of(once).equals(once)


@LAW
@given(st.lists(tallies(), max_size=6))
def test_merge_equals_the_oracle(parts):
    """The merged tally holds the sums of all parts."""
    assert plain(merge(map(frame, parts))) == oracle.merge(parts)


@LAW
@given(tallies(), tallies(), tallies())
def test_merge_is_associative(one, two, three):
    """It does not matter which hours are added up first."""
    a, b, c = frame(one), frame(two), frame(three)
    left, right = merge([merge([a, b]), c]), merge([a, merge([b, c])])
    assert left.equals(right)
    assert left.equals(merge([a, b, c]))


@LAW
@given(tallies(), tallies())
def test_merge_is_commutative(one, other):
    """It does not matter in which order hours are added up."""
    assert merge([frame(one), frame(other)]).equals(merge([frame(other), frame(one)]))


@LAW
@given(tallies())
def test_the_empty_tally_is_the_identity(one):
    """Adding nothing, on either side, changes nothing."""
    only, empty = frame(one), empty_tally()
    assert all(merge(parts).equals(only) for parts in ([only], [only, empty], [empty, only], [empty, only, empty]))


def test_nothing_merged_is_the_empty_tally():
    """No tallies, and only empty ones, merge to the empty tally with its schema."""
    assert plain(merge([])) == plain(merge(iter([empty_tally(), empty_tally()]))) == {}


@LAW
@given(st.lists(ROWS, max_size=5))
def test_merged_tallies_equal_the_tally_of_all_rows(parts):
    """Counting parts and merging them is counting everything at once."""
    rows = [row for part in parts for row in part]
    assert merge(tally_of(rows_frame(part)) for part in parts).equals(tally_of(rows_frame(rows)))


@SLOW_LAW
@given(st.lists(tallies(), max_size=10), st.integers(1, 40))
def test_merging_in_batches_changes_nothing(parts, batch):
    """However few rows are gathered before they are added up, the sums are the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tally, "MERGE_ROWS", batch)
        assert plain(merge(map(frame, parts))) == oracle.merge(parts)


@LAW
@given(tallies())
def test_a_block_round_trips(one):
    """A stored tally reads back equal, the empty one too."""
    stored = frame(one)
    back = from_block(to_block(stored))
    assert back.schema == SCHEMA
    assert back.equals(stored)


@LAW
@given(tallies(), tallies())
def test_blocks_merge_like_tallies(one, other):
    """A tally read from its block merges as the tally itself does."""
    blocks = [from_block(to_block(frame(part))) for part in (one, other)]
    assert plain(merge(blocks)) == oracle.merge([one, other])


@LAW
@given(tallies())
def test_views_are_desktop_and_mobile(one):
    """All views of a tally are the sum of both columns, however large."""
    assert views_of(frame(one)) == sum(map(sum, one.values()))


def test_sums_beyond_32_and_53_bits_are_exact():
    """Neither 32-bit counters nor floating point numbers are anywhere on the way."""
    part = frame({b"A": (2**32 - 1, 2**53 + 1), b"B": (1, 0)})
    total = from_block(to_block(merge([part] * 24)))
    assert plain(total) == {b"A": (24 * (2**32 - 1), 24 * (2**53 + 1)), b"B": (24, 0)}
    assert views_of(total) == 24 * (2**32 + 2**53 + 1)


def test_many_titles_are_merged_by_their_bytes():
    """Titles that differ only after their first bytes, in length or in one high byte stay apart and sorted."""
    close = [b"x" * n for n in range(40)] + [b"x" * 12 + bytes([n]) for n in range(256)]
    total = merge(frame({title: (n, 1)}) for n, title in enumerate(close))
    wanted = oracle.merge({title: (n, 1)} for n, title in enumerate(close))
    assert plain(total) == wanted
    assert total["title"].to_list() == sorted(wanted)


def test_merge_does_not_change_what_it_is_given():
    """The tallies that were merged can be merged again."""
    parts = [frame({b"A": (1, 0), b"B": (2, 0)}), frame({b"B": (0, 5), b"C": (1, 1)})]
    copies = [part.clone() for part in parts]
    merge(parts)
    assert all(part.equals(copy) for part, copy in zip(parts, copies, strict=True))
    assert isinstance(merge(parts), pl.DataFrame)
