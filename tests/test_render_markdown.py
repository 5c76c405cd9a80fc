"""Answers as Markdown, read back by a CommonMark parser."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from markdown_it import MarkdownIt
from render_samples import DAY, any_text, day_answer, empty_answer, logged_titles_answer, titled, week_answer

from cli.render.markdown import render_markdown
from cli.render.safe import visible
from models.hour import Hour

TAGS = {"h2", "h3", "p", "table", "thead", "tbody", "tr", "th", "td"}


class Page(HTMLParser):
    """The tags and the table cells of a page."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.rows: list[list[str]] = []
        self._in_cell = False
        self.feed(MarkdownIt("commonmark", {"html": True}).enable(["table"]).render(markdown))
        self.close()

    def handle_starttag(self, tag: str, _attrs: object) -> None:
        self.tags.add(tag)
        self._in_cell = tag in ("td", "th")
        if tag == "tr":
            self.rows.append([])
        if self._in_cell:
            self.rows[-1].append("")

    def handle_endtag(self, _tag: str) -> None:
        self._in_cell = False

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.rows[-1][-1] += data


def test_tables_of_a_day() -> None:
    """Totals, exclusions and the three lists, each with its headings."""
    assert Page(render_markdown([day_answer()], 5)).rows == [
        ["totals", "count"],
        ["project views", "1,378"],
        ["article views", "378"],
        ["articles requested", "3"],
        ["excluded", "views", "titles"],
        ["other-namespace", "600", "30"],
        ["no-such-article", "400", "12"],
        ["rank", "title", "views", "desktop", "mobile", "through redirects", "flag"],
        ["1", "Ada_Lovelace", "353", "253", "100", "7", ""],
        ["2", "Bot_food", "24", "24", "0", "0", "mobile-share"],
        ["title", "views", "desktop", "mobile", "through redirects"],
        ['"Heroes"_(album)', "1", "1", "0", "0"],
        ["+972_Magazine", "1", "0", "1", "0"],
        ["rank", "category", "views", "articles"],
        ["1", "Living_people", "19,427", "979"],
        ["2", "English_women_poets", "353", "1"],
    ]


def test_what_the_tables_rest_on() -> None:
    """Verdict, missing hours, window, sources, and when it was computed."""
    computed = "computed 2026-11-23 17:00 UTC · wikiq 0.1.0"
    text = render_markdown([day_answer(missing_hours=(Hour(DAY, 4), Hour(DAY, 23)))], 5)
    assert text.splitlines()[:5] == [
        "## en.wikipedia, 2024-01-03",
        "",
        "incomplete: 2 of 24 hours missing · 04:00, 23:00",
        "",
        "00:00 to 24:00 UTC · universe: articles · snapshot of 2024-01-01, 2 days earlier · " + computed,
    ]
    assert "1 view · 492 articles tie · 458 not requested at all · the first 2:" in text


def test_lists_that_are_not_there() -> None:
    """An empty day and a day of logged titles say so in words."""
    assert "Nothing was requested." in render_markdown([empty_answer()], 5)
    assert "Top categories need the page table." in render_markdown([logged_titles_answer()], 5)


def test_a_section_for_each_answer() -> None:
    """A week and a day under headings of their own."""
    text = render_markdown([week_answer(), day_answer()], 5)
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert headings == ["## en.wikipedia, 2024-01-01 to 2024-01-07", "## en.wikipedia, 2024-01-03"]
    assert render_markdown([], 5) == ""


@pytest.mark.parametrize(
    "title", ["<script>alert(1)</script>", "a|b", r"a\|b", "_x_", "**x**", "[a](b)", "`x`", "&amp;"]
)
def test_markup_is_printed_as_it_is(title: str) -> None:
    """No title becomes a tag, a column, an emphasis or a link."""
    page = Page(render_markdown([titled(title)], 5))
    assert ["1", title, "353", "253", "100", "7", ""] in page.rows
    assert page.tags == TAGS


@given(any_text)
def test_hostile_titles_are_text(title: str) -> None:
    """Whatever the title, its cell holds its visible form, and the page has no tags but those of any page."""
    page = Page(render_markdown([titled(title)], 5))
    assert page.tags == TAGS
    assert visible(title).strip() in {row[1].strip() for row in page.rows}
