"""Answers as CSV and TSV."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from hypothesis import given
from render_samples import (
    ADA,
    CATEGORIES,
    any_text,
    day_answer,
    empty_answer,
    logged_titles_answer,
    titled,
    week_answer,
)

from cli.render.rows import render_csv, render_tsv
from cli.render.safe import whole

HEADER = "project,period,verdict,universe,list,rank,title,views,desktop,mobile,through_redirects,articles,flag"
FORMULA_STARTS = tuple("=+-@\t\r\n\0\uff1d\uff0b\uff0d\uff20")


def read(text: str, delimiter: str = ",") -> list[list[str]]:
    """The cells as Python's reader sees them."""
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def test_a_row_for_each_ranked_thing() -> None:
    """Articles with their counts, the tie without ranks, categories with their articles."""
    assert render_csv([day_answer()], 5).splitlines() == [
        HEADER,
        "en.wikipedia,2024-01-03,complete,articles,most_requested,1,Ada_Lovelace,353,253,100,7,,",
        "en.wikipedia,2024-01-03,complete,articles,most_requested,2,Bot_food,24,24,0,0,,mobile-share",
        'en.wikipedia,2024-01-03,complete,articles,least_requested,,"""Heroes""_(album)",1,1,0,0,,',
        "en.wikipedia,2024-01-03,complete,articles,least_requested,,'+972_Magazine,1,0,1,0,,",
        "en.wikipedia,2024-01-03,complete,articles,top_category,1,Living_people,19427,,,,979,",
        "en.wikipedia,2024-01-03,complete,articles,top_category,2,English_women_poets,353,,,,1,",
    ]


def test_lines_end_in_lf_alone() -> None:
    """No carriage return for `cut` and `awk` to trip over, and an end to the last line."""
    text = render_csv([day_answer()], 5)
    assert "\r" not in text
    assert text.endswith("\n")


def test_an_empty_day_has_the_header_alone() -> None:
    """A reader finds its columns even where there is no row."""
    assert render_csv([empty_answer()], 5) == HEADER + "\n"


def test_logged_titles_have_no_categories() -> None:
    """The universe is named and no row is a category's."""
    rows = read(render_csv([logged_titles_answer()], 5))[1:]
    assert {row[3] for row in rows} == {"logged titles"}
    assert {row[4] for row in rows} == {"most_requested", "least_requested"}


def test_a_week_s_period_has_both_ends() -> None:
    """Rows of a week can be told from rows of its first day."""
    assert {row[1] for row in read(render_csv([week_answer()], 5))[1:]} == {"2024-01-01/2024-01-07"}


def test_top_cuts_every_list() -> None:
    """One row of each list."""
    lists = [row[4] for row in read(render_csv([day_answer()], 1))[1:]]
    assert lists == ["most_requested", "least_requested", "top_category"]


def test_tsv_has_the_same_cells() -> None:
    """Only the separator differs."""
    assert read(render_tsv([day_answer()], 5), "\t") == read(render_csv([day_answer()], 5))


@pytest.mark.parametrize("title", ["=1+1", "@SUM(A1)", "\r=x", "a\rb", "a\nb", 'a"b', "a,b", "a\tb", "a;b"])
def test_known_dangers_stay_in_their_cell(title: str) -> None:
    """Separators, quotes and line ends within a title neither split it nor lose it."""
    for text, delimiter in ((render_csv([titled(title)], 5), ","), (render_tsv([titled(title)], 5), "\t")):
        rows = read(text, delimiter)
        assert {len(row) for row in rows} == {13}
        assert {row[6].removeprefix("'") for row in rows[1:]} == {title}


@given(any_text)
def test_titles_come_back_and_no_cell_is_a_formula(title: str) -> None:
    """Read back, a cell is the title or an apostrophe and the title, and starts as no formula does."""
    answer = replace(
        day_answer(),
        most_requested=(replace(ADA, title=title),),
        least_requested=None,
        top_categories=(replace(CATEGORIES[0], category=title),),
    )
    for text, delimiter in ((render_csv([answer], 5), ","), (render_tsv([answer], 5), "\t")):
        rows = read(text, delimiter)
        assert [len(row) for row in rows] == [13, 13, 13]
        assert all(row[6] in (whole(title), f"'{whole(title)}") for row in rows[1:])
        assert not any(cell.lstrip().startswith(FORMULA_STARTS) for row in rows for cell in row)
        assert not any(cell.startswith(FORMULA_STARTS) for row in rows for cell in row)
