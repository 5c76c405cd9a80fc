"""Sources walked through side by side: nothing is lost, no title is torn apart, and little is held."""

from __future__ import annotations

import itertools
from operator import itemgetter

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from strategies import LAW, frame, tallies

from worker.streams import aligned

SOURCES = st.lists(tallies(), max_size=6)
SIZES = st.integers(1, 6)
STEPS = st.integers(1, 30)


def steps_of(sources, step_rows):
    return aligned(sources, itemgetter("title"), step_rows)


def cut(tally, size):
    """A tally as a source: frames of that many rows, of which some are empty."""
    rows = frame(tally)
    return [rows[:0], *rows.iter_slices(size), rows[:0]] if size % 2 else list(rows.iter_slices(size))


@LAW
@given(SOURCES, SIZES, STEPS)
def test_steps_hold_every_row_once(sources, size, step_rows):
    """Each source's rows come back as its own, in their order, and no step is without a row."""
    steps = list(steps_of([cut(tally, size) for tally in sources], step_rows))
    assert all(len(step) == len(sources) and any(step) for step in steps)
    assert all(len(piece) for step in steps for pieces in step for piece in pieces)
    for number, tally in enumerate(sources):
        found = [row for step in steps for piece in step[number] for row in piece.iter_rows()]
        assert found == [(title, *views) for title, views in sorted(tally.items())]


@LAW
@given(SOURCES, SIZES, STEPS)
def test_titles_ascend_from_step_to_step(sources, size, step_rows):
    """All rows of a title are in one step, and the titles of the next are greater."""
    steps = steps_of([cut(tally, size) for tally in sources], step_rows)
    pieces = [list(itertools.chain.from_iterable(step)) for step in steps]
    bounds = [(min(piece["title"][0] for piece in some), max(piece["title"][-1] for piece in some)) for some in pieces]
    assert all(one[1] < other[0] for one, other in itertools.pairwise(bounds))


@LAW
@given(tallies(), st.integers(1, 6), STEPS)
def test_one_titles_rows_stay_together(tally, repeats, step_rows):
    """Where a source has several rows of a title, a step has all of them."""
    rows = pl.concat([frame(tally)] * repeats).sort("title")
    steps = list(steps_of([[rows]], step_rows))
    titles = [set(piece["title"]) for [[piece]] in steps]
    assert sum(map(len, titles)) == len(tally)
    assert sum(len(piece) for [[piece]] in steps) == repeats * len(tally)


def test_little_is_read_ahead():
    """Of long sources a few frames are read for the first step, and the next only when it is asked for."""
    read = []

    def source(name):
        for number in range(100):
            read.append((name, number))
            yield frame({b"%04d" % (10 * number + place): (1, 0) for place in range(10)})

    steps = steps_of([source("a"), source("b")], 20)
    next(steps)
    assert len(read) == 2
    next(steps)
    assert len(read) == 4


def test_a_source_that_ends_early_does_not_bound_the_others():
    """A source of few rows is taken at once, and of a large one no more than a step has room for."""
    few, many = frame({b"z": (1, 0)}), frame({b"%04d" % number: (1, 0) for number in range(1000)})
    sizes = [sum(map(len, itertools.chain.from_iterable(step))) for step in steps_of([[few], [many]], 100)]
    assert sum(sizes) == 1001
    assert max(sizes) <= 101
