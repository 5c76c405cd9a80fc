"""Walking through an index: what each title means, however the index and the questions are cut."""

from __future__ import annotations

import itertools

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from strategies import LAW, titles
from wiki_samples import cut

from worker.ranking.walk import Walk, meanings
from worker.wiki.index import PART_SCHEMAS, Part

INDEX = st.dictionaries(titles(), st.tuples(st.integers(0, 2**31), st.booleans()), max_size=15)
PLACES = st.lists(st.integers(0, 30), max_size=8)
SCHEMA = PART_SCHEMAS[Part.TITLES]


def frames_of(index, places):
    rows = [(title, *index[title]) for title in sorted(index)]
    return [pl.DataFrame(part, schema=SCHEMA, orient="row") for part in cut(rows, places)]


@LAW
@given(INDEX, st.lists(titles(), max_size=20), PLACES, PLACES)
def test_every_title_is_found_that_is_there(index, asked, places, steps):
    """Titles asked for in order, some repeatedly, in any number of questions, have what the index says of them."""
    asked = sorted([*asked, *itertools.islice(index, 7)])
    walk = Walk(frames_of(index, places))
    found = []
    for part in cut(asked, steps):
        some = pl.Series(part, dtype=pl.Binary)
        for begin, end, known in walk.along(some):
            articles, redirects = meanings(some[begin:end], known)
            found += zip(articles.tolist(), redirects.tolist(), strict=True)
    assert found == [index.get(title, (-1, False)) for title in asked]


def test_frames_are_read_only_when_they_are_reached():
    """The walk goes no further than the titles that are asked for."""
    read = []

    def frames():
        for number in range(10):
            read.append(number)
            yield pl.DataFrame([(b"%d" % number, number, False)], schema=SCHEMA, orient="row")

    walk = Walk(frames())
    assert len(list(walk.along(pl.Series([b"0", b"2"], dtype=pl.Binary)))) == 2
    assert read == [0, 1, 2]
