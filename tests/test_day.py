"""A day's slices: each hour comes back as it was, whatever is stored and however it was cut."""

from __future__ import annotations

import itertools

import numpy as np
import oracle
import polars as pl
import pytest
from day_samples import DAYS, hours_in, sliced, sources_of
from hypothesis import given
from hypothesis import strategies as st
from strategies import LAW, frame, hourly, plain

from models.hour import HOURS_IN_DAY
from worker.block import from_block
from worker.day import HOURLY, pack, slice_of, slices_of, unpack
from worker.tally import merge

STEPS = st.integers(1, 30)
EVERY_HOUR = range(HOURS_IN_DAY)


@LAW
@given(DAYS, STEPS)
def test_each_hour_comes_back(day, step_rows):
    """What was packed and unpacked has every hour's tally, exactly; an hour without views has none."""
    back = [unpack(pack(views)) for views in sliced(day, step_rows)]
    assert hours_in(back, EVERY_HOUR) == {hour: dict(day.get(hour, {})) for hour in EVERY_HOUR}


@LAW
@given(DAYS, STEPS)
def test_a_packed_slice_is_the_slice(day, step_rows):
    """Packing changes nothing of a slice: its titles, its places and the views there."""
    for views in sliced(day, step_rows):
        back = unpack(pack(views))
        assert back.titles.to_list() == views.titles.to_list()
        assert back.places.tolist() == views.places.tolist()
        assert back.desktop.tolist() == views.desktop.tolist()
        assert back.mobile.tolist() == views.mobile.tolist()


@LAW
@given(DAYS, STEPS)
def test_totals_are_those_of_all_hours(day, step_rows):
    """The slices' totals, one after the other, are the merged tally."""
    totals = [views.total() for views in sliced(day, step_rows)]
    assert plain(pl.concat([merge([]), *totals])) == oracle.merge(day.values())


@LAW
@given(DAYS, st.sets(st.sampled_from(EVERY_HOUR)), STEPS)
def test_some_hours_can_be_left_out(day, without, step_rows):
    """Rows without some hours make the day that never had them."""
    rest = [[views.rows(without=without)] for views in sliced(day, step_rows)]
    left = {hour: tally for hour, tally in day.items() if hour not in without}
    again = slices_of([list(itertools.chain.from_iterable(rest))], step_rows)
    assert hours_in((views() for views in again), EVERY_HOUR) == {hour: dict(left.get(hour, {})) for hour in EVERY_HOUR}


@LAW
@given(DAYS, st.randoms())
def test_the_order_of_the_hours_does_not_matter(day, shuffler):
    """Sources in any order, and rows in any order, make the same slice."""
    sources = [pl.concat(source) for source in sources_of(day) if source]
    if not sources:
        return
    rows = pl.concat(sources)
    shuffler.shuffle(sources)
    one, other = slice_of(pl.concat(sources)), slice_of(rows.sample(fraction=1, shuffle=True, seed=3))
    assert one.places.tolist() == other.places.tolist()
    assert one.rows().equals(other.rows())


@LAW
@given(DAYS, STEPS, st.integers(0, 12), st.integers(0, 12))
def test_a_part_of_a_slice_is_a_slice(day, step_rows, begin, end):
    """Some titles that follow each other have the views that they had, and no others."""
    for views in sliced(day, step_rows):
        part = views[begin:end]
        assert len(part) == len(views.titles[begin:end])
        assert part.rows().rows() == [row for row in views.rows().iter_rows() if row[0] in set(part.titles)]


@LAW
@given(DAYS, STEPS, st.data())
def test_the_hours_of_some_titles(day, step_rows, data):
    """Of chosen titles each hour's views are told, desktop and mobile together, and nothing of the others."""
    for views in sliced(day, step_rows):
        chosen = data.draw(st.lists(st.booleans(), min_size=len(views), max_size=len(views)))
        numbers, hours, found = views.some(np.array(chosen, dtype=np.bool_))
        titles = list(itertools.compress(views.titles, chosen))
        told = [(titles[number], hour, sum_) for number, hour, sum_ in zip(numbers, hours, found, strict=True)]
        rows = [(title, hour, one + other) for title, hour, one, other in views.rows().iter_rows() if title in titles]
        assert sorted(told) == sorted(rows)


def test_an_hour_that_is_counted_twice_is_refused():
    """Two rows of one title in one hour are no day; which of them counts is not for a slice to say."""
    rows = hourly(frame({b"A": (1, 0)}), 7)
    with pytest.raises(ValueError, match="same hour"):
        slice_of(pl.concat([rows, rows]))


@pytest.mark.parametrize("views", [(14, 14), (15, 0), (0, 15), (15, 15), (255, 255), (2**64 - 1, 0), (16, 2**63)])
def test_the_border_of_large_views(views):
    """Views just below and at the border of what fits a byte, and the largest there are, are exact."""
    rows = pl.DataFrame([(b"A", 0, *views), (b"B", 23, 1, 1)], schema=HOURLY, orient="row")
    assert unpack(pack(slice_of(rows))).rows().rows() == rows.rows()


def test_what_is_stored_is_what_it_is_said_to_be():
    """Any tool that reads Parquet finds the titles, a bit per hour, a byte per count and the large counts."""
    packed = pack(next(iter(sliced({0: {b"A": (2, 3)}, 9: {b"A": (100, 0), b"B": (0, 1)}}, 100))))
    assert from_block(packed.titles).rows() == [(b"A", 1, 2, 0), (b"B", 0, 2, 0)]
    assert from_block(packed.views)["pair"].to_list() == [2 * 16 + 3, 255, 1]
    assert from_block(packed.large).rows() == [(100, 0)]
