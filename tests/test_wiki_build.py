"""A wiki's index built from the columns of its tables, against plain dicts and loops."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import LAW
from wiki_samples import MAIN_PAGE, RUN, read_index, tables_of, wiki, wikis

from models.dump_run import DumpTable
from models.siteinfo import CANONICAL
from models.snapshot import Figures
from worker.wiki import build
from worker.wiki.build import build_index
from worker.wiki.index import PART_SCHEMAS, Part, WikiIndex

PLACES = st.lists(st.integers(0, 30), max_size=6)
EMPTY = wiki()
TWO_REDIRECTS_OF_ONE_TITLE = wiki(
    [(1, 0, False, b"A"), (2, 0, False, b"B"), (3, 0, True, b"R"), (4, 0, True, b"R")],
    [(3, 0, b"B", False), (4, 0, b"A", False)],
)


def built(tables, main_page="Main_Page"):
    """The index that a wiki's frames give, and every part's frames."""
    kept = {part: [] for part in Part}
    figures = build_index(tables, main_page, lambda part, frame: kept[part].append(frame))
    return WikiIndex(RUN, CANONICAL, figures, kept.__getitem__), kept


def said(tables, main_page="Main_Page"):
    index, _ = built(tables, main_page)
    return (*read_index(index), index.figures)


def expected(tables, main_page=MAIN_PAGE):
    """Titles, members of categories, and figures."""
    pages = sorted(tables[DumpTable.PAGE])
    named = [
        (page, title) for page, space, redirect, title in pages if space == 0 and not redirect and title != main_page
    ]
    oldest = {}
    for page, title in named:
        oldest.setdefault(title, page)
    number = {title: place for place, title in enumerate(sorted(oldest))}
    titles, redirect_figures = _redirects(tables, number)
    categories = {title for _, space, _, title in pages if space == 14}
    ids = {row[0] for row in tables[DumpTable.PAGE_PROPS]}
    hidden = {title for page, space, _, title in pages if space == 14 and page in ids}
    members, gone, dangling = _members(tables, {oldest[title]: number[title] for title in oldest})
    seen, unseen = [[len(members[name]) for name in members if (name in hidden) is out] for out in (False, True)]
    figures = Figures(
        articles=len(number),
        categories=len(seen),
        hidden_categories=len(unseen),
        memberships=sum(seen),
        hidden_memberships=sum(unseen),
        repeated_titles=len(named) - len(number),
        categories_without_page=len(set(members) - categories),
        links_of_missing_pages=gone,
        links_to_missing_targets=dangling,
        **redirect_figures,
    )
    return titles, {name: (sorted(members[name]), name in hidden) for name in members}, figures


def _redirects(tables, number):
    redirects = {row[0]: row[3] for row in tables[DumpTable.PAGE] if row[1] == 0 and row[2]}
    row_of = {row[0]: row[1:] for row in tables[DumpTable.REDIRECT]}
    kinds, meant = [], {}
    for page, own in redirects.items():
        kind = _kind(own, row_of.get(page), number, set(redirects.values()))
        kinds.append(kind)
        if kind == "redirects":
            meant.setdefault(own, set()).add(number[row_of[page][1]])
    titles = {title: (min(articles), True) for title, articles in meant.items()}
    titles |= {title: (article, False) for title, article in number.items()}
    return titles, {kind: kinds.count(kind) for kind in set(kinds)}


def _kind(own, row, number, redirects):
    """The figure that counts a redirect page."""
    if row is None:
        return "redirects_without_target"
    space, title, interwiki = row
    if interwiki:
        return "redirects_to_other_wikis"
    if space != 0:
        return "redirects_to_other_namespaces"
    if title in number:
        return "redirects"
    if title == own:
        return "redirects_to_themselves"
    return "redirects_to_redirects" if title in redirects else "redirects_to_missing_pages"


def _members(tables, article_of):
    names = dict(tables[DumpTable.LINKTARGET])
    exist = {row[0] for row in tables[DumpTable.PAGE]}
    members, gone, dangling = {}, 0, 0
    for page, title, target in tables[DumpTable.CATEGORYLINKS]:
        name = names.get(target) if title is None else title
        gone += page not in exist
        if page in article_of and name is None:
            dangling += 1
        elif page in article_of:
            members.setdefault(name, set()).add(article_of[page])
    return members, gone, dangling


@LAW
@given(wikis(), PLACES)
@example(TWO_REDIRECTS_OF_ONE_TITLE, [])
@example(TWO_REDIRECTS_OF_ONE_TITLE, [1])
def test_an_index_equals_the_oracle(tables, places):
    """Any small wiki, sound or not, gives the oracle's titles, categories, members and figures."""
    assert said(tables_of(tables, places)) == expected(tables)


@LAW
@given(wikis(), PLACES, st.randoms(use_true_random=False), st.integers(1, 5), st.integers(1, 5))
def test_neither_order_nor_chunks_matter(tables, places, shuffler, title_rows, member_rows):
    """Rows in any order and frames cut anywhere give one index, however large the stored frames are."""
    whole = said(tables_of(tables))
    shuffled = {table: shuffler.sample(rows, len(rows)) for table, rows in tables.items()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "TITLE_ROWS", title_rows)
        patch.setattr(build, "MEMBER_ROWS", member_rows)
        index, kept = built(tables_of(shuffled, places))
    assert (*read_index(index), index.figures) == whole
    assert {len(frame) for frame in kept[Part.TITLES][:-1]} <= {title_rows}
    assert {len(frame) for frame in kept[Part.CATEGORIES][:-1]} <= {title_rows}


@LAW
@given(wikis(), PLACES, st.integers(1, 4), st.integers(1, 4))
@example(EMPTY, [], 1, 1)
def test_the_parts_are_as_documented(tables, places, title_rows, member_rows):
    """Parts have their schemas, are sorted by bytes without repeats, and member frames hold whole categories."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "TITLE_ROWS", title_rows)
        patch.setattr(build, "MEMBER_ROWS", member_rows)
        _, kept = built(tables_of(tables, places))
    assert all(frame.schema == PART_SCHEMAS[part] for part, frames in kept.items() for frame in frames)
    titles = [row[0] for frame in kept[Part.TITLES] for row in frame.rows()]
    categories = [row for frame in kept[Part.CATEGORIES] for row in frame.rows()]
    assert titles == sorted(set(titles))
    assert [row[0] for row in categories] == sorted({row[0] for row in categories})
    assert all(members > 0 for _, _, members in categories)
    for part, hidden in ((Part.MEMBERS, False), (Part.HIDDEN_MEMBERS, True)):
        ends = set(itertools.accumulate([row[2] for row in categories if row[1] is hidden], initial=0))
        assert set(itertools.accumulate(map(len, kept[part]), initial=0)) <= ends
        assert all(len(frame) > 0 for frame in kept[part])


def test_an_empty_wiki():
    """Tables without rows give an index without titles and categories, which can be read."""
    index, _ = built(tables_of(EMPTY))
    assert (*read_index(index), index.figures) == ({}, {}, Figures())


def test_the_main_page_is_no_article():
    """Neither as a page nor as a redirect's target is the main page an article, nor is it in a category."""
    pages = [(1, 0, False, MAIN_PAGE), (2, 0, True, b"Start"), (3, 0, False, b"A")]
    tables = wiki(pages, [(2, 0, MAIN_PAGE, False)], [], [(1, b"K", None), (3, b"K", None)])
    titles, members, figures = said(tables_of(tables))
    assert (titles, members) == ({b"A": (0, False)}, {b"K": ([0], False)})
    assert (figures.articles, figures.redirects_to_missing_pages, figures.memberships) == (1, 1, 1)


def test_the_main_page_may_lie_elsewhere():
    """Where the main page is in another namespace, a page of namespace 0 that has its bare name is an article."""
    tables = wiki([(1, 4, False, None), (2, 0, False, b"Hauptseite")])
    assert said(tables_of(tables), "Wikipedia:Hauptseite")[0] == {b"Hauptseite": (0, False)}


def test_a_redirects_own_categories_do_not_count():
    """A redirect's page is in no category, and its target is not in those of the redirect."""
    pages = [(1, 0, False, b"A"), (2, 0, True, b"B")]
    tables = wiki(pages, [(2, 0, b"A", False)], [(7, b"Redirects_from_moves")], [(2, None, 7)])
    titles, members, figures = said(tables_of(tables))
    assert (titles, members) == ({b"A": (0, False), b"B": (0, True)}, {})
    assert (figures.links_of_missing_pages, figures.links_to_missing_targets) == (0, 0)


def test_a_redirect_leads_one_step():
    """A redirect to a redirect leads nowhere, even where that one leads to an article."""
    pages = [(1, 0, False, b"A"), (2, 0, True, b"B"), (3, 0, True, b"C")]
    titles, _, figures = said(tables_of(wiki(pages, [(2, 0, b"A", False), (3, 0, b"B", False)])))
    assert titles == {b"A": (0, False), b"B": (0, True)}
    assert (figures.redirects, figures.redirects_to_redirects) == (1, 1)


def test_a_name_in_the_link_comes_before_its_target():
    """While links had both, the name decides; a link without one has its target's."""
    pages = [(1, 0, False, b"A"), (2, 0, False, b"B")]
    targets = [(5, b"Old"), (6, b"New")]
    links = [(1, b"New", 5), (2, None, 6), (2, None, 8), (1, None, None)]
    _, members, figures = said(tables_of(wiki(pages, [], targets, links)))
    assert members == {b"New": ([0, 1], False)}
    assert figures.links_to_missing_targets == 2


def test_only_the_page_of_a_category_hides_it():
    """The mark counts on a page of namespace 14, which may be a redirect or come late, and on no other page."""
    pages = [(1, 0, False, b"A"), (2, 0, False, b"K"), (3, 14, True, b"L"), (4, 14, False, b"M")]
    links = [(1, b"K", None), (1, b"L", None), (1, b"M", None)]
    _, members, figures = said(tables_of(wiki(pages, [], [], links, [(2,), (3,), (77,)])))
    assert members == {b"K": ([0], False), b"L": ([0], True), b"M": ([0], False)}
    assert (figures.categories, figures.hidden_categories, figures.categories_without_page) == (2, 1, 1)


def test_ids_of_pages_and_targets_may_be_large():
    """Target ids beyond 32 bits, and links of page ids far beyond the last page, are told apart."""
    pages = [(1, 0, False, b"A"), (1_000, 0, False, b"B")]
    targets = [(2**40 + 1, b"K"), (1, b"L")]
    links = [(1, None, 2**40 + 1), (1_000, None, 1), (2**32 - 1, None, 1), (0, None, 1)]
    _, members, figures = said(tables_of(wiki(pages, [], targets, links)))
    assert members == {b"K": ([0], False), b"L": ([1], False)}
    assert figures.links_of_missing_pages == 2


@pytest.mark.parametrize("member_rows", [1, 999, 1_000, 1_001, 10**9])
def test_many_members_over_many_blocks(member_rows, monkeypatch):
    """Categories of very different sizes come back whole, whatever the size of a block."""
    monkeypatch.setattr(build, "MEMBER_ROWS", member_rows)
    shuffler = random.Random(5)
    pages = [(page, 0, False, b"%06d" % page) for page in range(1, 3_001)]
    sizes = [3_000, 1, 999, 1_000, 1, 1, 1_001, 2]
    members = {b"K%d" % place: sorted(shuffler.sample(range(3_000), size)) for place, size in enumerate(sizes)}
    links = [(number + 1, name, None) for name, numbers in members.items() for number in numbers]
    shuffler.shuffle(links)
    index, kept = built(tables_of(wiki(pages, [], [], links + links[:500]), [2_000, 4_000]))
    assert read_index(index)[1] == {name: (numbers, False) for name, numbers in members.items()}
    biggest = max(sizes)
    assert max(map(len, kept[Part.MEMBERS])) <= max(member_rows, biggest)


def test_frames_are_asked_for_as_often_as_needed_only():
    """The largest table, with the category links, is gone through twice at most."""
    asked = []
    tables = tables_of(wiki([(1, 0, False, b"A")], [], [], [(1, b"K", None)]))
    built(lambda table: asked.append(table) or tables(table))
    assert asked.count(DumpTable.CATEGORYLINKS) <= 2
