"""Reading an index back from its frames."""

from __future__ import annotations

import numpy as np
import oracle
import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import LAW
from wiki_samples import RUN, index_of, part_of, steps

from models.siteinfo import CANONICAL
from models.snapshot import Figures
from worker.wiki.index import PART_SCHEMAS, Part, WikiIndex, numbers_of, steps_of

TITLES = (b"", b"\0", b"A", b"A\0", b"B", b"C", b"D", b"E", b"\xc3\xa9", b"\xff")
LAST = 2**31 - 1
PLACES = st.lists(st.integers(0, 30), max_size=8)
NOTHING = oracle.Pages(frozenset(), {}, {}, frozenset())


@st.composite
def pages(draw):
    """A few articles, redirects to some of them, and their categories, of which some are hidden."""
    articles = draw(st.sets(st.sampled_from(TITLES)))
    some = st.sampled_from(sorted(articles)) if articles else st.nothing()
    names = st.sampled_from(TITLES)
    return oracle.Pages(
        articles,
        draw(st.dictionaries(st.sampled_from([b"R", b"S", b"a", b""]), some, max_size=3 if articles else 0)),
        draw(st.dictionaries(some, st.sets(names), max_size=6 if articles else 0)),
        draw(st.sets(names)),
    )


def members_in(pages, *, hidden):
    """Category name -> the numbers of its members, for the hidden categories or the others."""
    number = {title: place for place, title in enumerate(sorted(pages.articles))}
    found = {}
    for title, names in pages.categories.items():
        for name in names:
            if (name in pages.hidden) is hidden:
                found.setdefault(name, set()).add(number[title])
    return {name: sorted(found[name]) for name in sorted(found)}


def read_members(index, *, hidden):
    """The same from an index, in the order in which it gives them."""
    categories = index.categories()
    found = []
    for some in index.members(categories, hidden=hidden):
        numbers, begins, articles = some.numbers, some.begins, some.articles()
        assert (numbers.dtype, begins.dtype, articles.dtype) == (np.uint32,) * 3
        assert len(numbers) == len(begins)
        pieces = np.split(articles, begins[1:]) if len(begins) else []
        found += zip(categories["name"].gather(numbers), (piece.tolist() for piece in pieces), strict=True)
    assert len(dict(found)) == len(found)
    return dict(found)


@LAW
@given(pages(), PLACES, st.booleans())
@example(NOTHING, [], False)
@example(NOTHING, [0, 0], True)
def test_members_are_read_back(pages, places, hidden):
    """Every category comes back once with just its members, in order, wherever the frames were cut."""
    found = read_members(index_of(pages, places=places), hidden=hidden)
    assert found == members_in(pages, hidden=hidden)
    assert list(found) == sorted(found)


@LAW
@given(pages(), PLACES)
def test_categories_are_read_back(pages, places):
    """All categories come as one frame, sorted by bytes, with the number of their members."""
    frame = index_of(pages, places=places).categories()
    assert frame.schema == PART_SCHEMAS[Part.CATEGORIES]
    seen, unseen = members_in(pages, hidden=False), members_in(pages, hidden=True)
    assert frame.rows() == sorted(
        (name, out, len(members[name])) for out, members in ((False, seen), (True, unseen)) for name in members
    )


@LAW
@given(pages(), PLACES, st.data())
def test_titles_are_read_back(pages, places, data):
    """An article's number gives its own title and, known as such, the redirects to it; asking twice changes nothing."""
    titles = sorted(pages.articles)
    wanted = data.draw(st.lists(st.integers(0, len(titles) - 1))) if titles else []
    index = index_of(pages, places=places)
    names = index.names_of(np.array(wanted, dtype=np.uint32))
    own = names.filter(~pl.col("redirect"))
    assert dict(zip(own["article"], own["title"], strict=True)) == {number: titles[number] for number in wanted}
    numbers = {title: number for number, title in enumerate(titles)}
    leading = {title: numbers[target] for title, target in pages.redirects.items() if target in numbers}
    expected = {title: number for title, number in leading.items() if number in wanted and title not in numbers}
    assert dict(names.filter("redirect").select("title", "article").iter_rows()) == expected


def test_an_index_without_frames():
    """Where the parts have no frame at all, there is no category, no member and no title."""
    index = WikiIndex(RUN, CANONICAL, Figures(), dict.fromkeys(Part, ()).__getitem__)
    assert index.categories().schema == PART_SCHEMAS[Part.CATEGORIES]
    assert index.categories().is_empty()
    assert list(index.members(index.categories())) == []
    assert index.names_of(np.empty(0, dtype=np.uint32)).is_empty()


@pytest.mark.parametrize("size", [2**16, 2**17])
def test_members_beyond_the_first_frame_are_counted_from_its_end(size):
    """Where many members came before, each frame's places still begin at zero."""
    rows = {
        Part.CATEGORIES: [part_of(Part.CATEGORIES, [(b"K", False, size), (b"L", False, 2), (b"M", False, 1)])],
        Part.MEMBERS: [
            part_of(Part.MEMBERS, steps(list(range(size)))),
            part_of(Part.MEMBERS, steps([5, LAST, 6])),
        ],
    }
    index = WikiIndex(RUN, CANONICAL, Figures(), rows.__getitem__)
    _, some = index.members(index.categories())
    assert (some.numbers.tolist(), some.begins.tolist(), some.articles().tolist()) == ([1, 2], [0, 2], [5, LAST, 6])


@LAW
@given(st.lists(st.one_of(st.integers(0, LAST), st.sampled_from([0, 1, LAST - 1, LAST]))))
@example([LAST, 0, LAST])
@example([])
def test_steps_lead_back_to_the_numbers(numbers):
    """Any article numbers, in any order, are the steps between them and come back from those."""
    found = steps_of(np.array(numbers, dtype=np.uint32))
    assert [(step,) for step in found.tolist()] == steps(numbers)
    back = numbers_of(found)
    assert (back.tolist(), back.dtype) == (numbers, np.uint32)
