"""Sources walked through side by side: nothing is lost, no title is torn apart, and little is held."""

from __future__ import annotations

import itertools

import oracle
import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from strategies import LAW, frame, plain, tallies

from worker.ahead import some_threads
from worker.streams import aligned, merged
from worker.tally import merge

SOURCES = st.lists(tallies(), max_size=6)
SIZES = st.integers(1, 6)
STEPS = st.integers(1, 30)


def cut(tally, size):
    """A tally as a source: frames of that many rows, of which some are empty."""
    rows = frame(tally)
    return [rows[:0], *rows.iter_slices(size), rows[:0]] if size % 2 else list(rows.iter_slices(size))


@LAW
@given(SOURCES, SIZES, STEPS)
def test_a_merged_stream_is_the_merged_tally(sources, size, step_rows):
    """However the sources are cut, and however large the steps, the stream is what merging everything gives."""
    with some_threads() as threads:
        parts = list(merged([cut(tally, size) for tally in sources], threads, step_rows))
    assert plain(pl.concat([merge([]), *parts])) == oracle.merge(sources)


@LAW
@given(SOURCES, SIZES, STEPS)
def test_steps_hold_every_row_once(sources, size, step_rows):
    """Each source's rows come back, in their order, and no step is without a row."""
    steps = list(aligned([cut(tally, size) for tally in sources], step_rows))
    assert all(pieces and all(len(piece) for piece in pieces) for pieces in steps)
    found = sorted(row for pieces in steps for piece in pieces for row in piece.iter_rows())
    assert found == sorted((title, *views) for tally in sources for title, views in tally.items())


@LAW
@given(SOURCES, SIZES, STEPS)
def test_titles_ascend_from_step_to_step(sources, size, step_rows):
    """All rows of a title are in one step, and the titles of the next are greater."""
    steps = aligned([cut(tally, size) for tally in sources], step_rows)
    bounds = [
        (min(piece["title"][0] for piece in pieces), max(piece["title"][-1] for piece in pieces)) for pieces in steps
    ]
    assert all(one[1] < other[0] for one, other in itertools.pairwise(bounds))


@LAW
@given(tallies(), st.integers(1, 6), STEPS)
def test_one_titles_rows_stay_together(tally, repeats, step_rows):
    """Where a source has several rows of a title, a step has all of them."""
    rows = pl.concat([frame(tally)] * repeats).sort("title")
    steps = list(aligned([[rows]], step_rows))
    titles = [set(piece["title"]) for [piece] in steps]
    assert sum(map(len, titles)) == len(tally)
    assert sum(len(piece) for [piece] in steps) == repeats * len(tally)


def test_little_is_read_ahead():
    """Of long sources a few frames are read for the first step, and the next only when it is asked for."""
    read = []

    def source(name):
        for number in range(100):
            read.append((name, number))
            yield frame({b"%04d" % (10 * number + place): (1, 0) for place in range(10)})

    steps = aligned([source("a"), source("b")], 20)
    next(steps)
    assert len(read) == 2
    next(steps)
    assert len(read) == 4


def test_a_source_that_ends_early_does_not_bound_the_others():
    """A source of few rows is taken at once, and of a large one no more than a step has room for."""
    few, many = frame({b"z": (1, 0)}), frame({b"%04d" % number: (1, 0) for number in range(1000)})
    sizes = [sum(map(len, pieces)) for pieces in aligned([[few], [many]], 100)]
    assert sum(sizes) == 1001
    assert max(sizes) <= 101
