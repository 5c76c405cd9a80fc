"""Answers as text for people."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from render_samples import (
    ADA,
    BOT,
    DAY,
    MONDAY,
    answers,
    any_text,
    day_answer,
    days_of_week,
    empty_answer,
    logged_titles_answer,
    titled,
    week_answer,
)
from rich.cells import cell_len

from cli.render.table import MIN_WIDTH, render_days, render_table, render_week
from models.answer import Answer, Excluded, Flag, Rule
from models.hour import Hour

SGR = re.compile(r"\x1b\[(0|1|2|32|33|36)m")
HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
JOINERS = "\u200c\u200d"


def hidden(text: str) -> set[str]:
    """Control and format characters but for newlines and the joiners of spelling."""
    return {c for c in text if unicodedata.category(c) in HIDDEN} - {"\n", *JOINERS}


def line_with(text: str, table: str) -> str:
    """The one line that holds the text."""
    (line,) = [line for line in table.splitlines() if text in line]
    return line


def squeezed(text: str, table: str) -> str:
    """That line with single blanks."""
    return " ".join(line_with(text, table).split())


def block(heading: str, table: str) -> list[str]:
    """The lines from a heading to the next empty line, the heading left out."""
    return table[table.index(heading) :].split("\n\n", maxsplit=1)[0].splitlines()[1:]


def test_headline_of_a_complete_day() -> None:
    """Project and day to the left, the verdict to the right edge, then the window and the sources."""
    first, second, *_ = render_table(day_answer(), 5, 80).splitlines()
    assert first == "en.wikipedia · 2024-01-03" + " " * 47 + "complete"
    assert second == "00:00 to 24:00 UTC · universe: articles · snapshot of 2024-01-01, 2 days earlier"


def test_headline_of_an_incomplete_day() -> None:
    """The verdict counts the missing hours and the next line names them."""
    first, second, *_ = render_table(day_answer(missing_hours=(Hour(DAY, 4), Hour(DAY, 23))), 5, 80).splitlines()
    assert first.endswith("incomplete: 2 of 24 hours missing")
    assert second == "missing: 04:00, 23:00"


def test_totals_beside_the_exclusions() -> None:
    """378 article views and 1,000 excluded ones make 1,378; rules and their titles stand to the right."""
    table = render_table(day_answer(), 5, 80)
    assert squeezed("project views", table) == "project views 1,378 other-namespace 600 30"
    assert squeezed("article views", table) == "article views 378 no-such-article 400 12"
    assert squeezed("articles requested", table) == "articles requested 3"
    assert "malformed" not in table


def test_totals_above_the_exclusions_where_it_is_narrow() -> None:
    """Both do not fit beside each other in 40 columns."""
    table = render_table(day_answer(malformed_lines=2), 5, 40)
    assert squeezed("project views", table) == "project views 1,378"
    assert squeezed("other-namespace", table) == "other-namespace 600 30"
    assert squeezed("malformed lines", table) == "malformed lines 2"


def test_most_requested_row_in_a_wide_terminal() -> None:
    """Rank, title, views, desktop, mobile, share, redirects, and 24 marks: 100 of 353 views are 28 %."""
    table = render_table(day_answer(), 5, 120)
    assert squeezed("Ada_Lovelace", table).startswith("1 Ada_Lovelace 353 253 100 28 7 ")
    # At most 22 of 100 views: the first two of eight levels; one view and twelve views are the first.
    assert line_with("Ada_Lovelace", table).endswith("   " + "▁" * 12 + "▂" * 10 + "█")
    assert line_with("Bot_food", table).endswith("  " + "█" * 24)


def test_a_missing_hour_is_a_dot() -> None:
    """An hour that was not counted does not look like one without views."""
    table = render_table(day_answer(missing_hours=(Hour(DAY, 0),)), 5, 80)
    assert line_with("Ada_Lovelace", table).endswith("  ·▁▁▁▁▁▁▁▁▁▁▁▁▂▂▂▂▂▂▂▂▂▂█")


def test_flags_are_marked_and_explained() -> None:
    """A flagged row has a mark beside its rank; the line below says why, rank by rank."""
    burst = replace(BOT, rank=3, title="Spike", flag=Flag.BURST)
    table = render_table(day_answer(most_requested=(ADA, BOT, burst)), 5, 80)
    assert line_with("Ada_Lovelace", table).startswith("1  Ada")
    assert line_with("Bot_food", table).startswith("2! Bot")
    assert block("Most requested", table)[-1] == "! looks automated: 2 (mobile-share), 3 (burst)"
    assert "automated" not in render_table(day_answer(most_requested=(ADA,)), 5, 80)


def test_least_requested() -> None:
    """The number, the tie and the unrequested in one line, then the first titles."""
    assert block("Least requested", render_table(day_answer(), 5, 80)) == [
        "   1 view · 492 articles tie · 458 not requested at all · the first 2:",
        '   "Heroes"_(album)',
        "   +972_Magazine",
    ]


def test_top_categories() -> None:
    """Rank, category, views and how many of its articles were requested, under the articles' views."""
    table = render_table(day_answer(), 5, 80)
    rows = block("Top categories", table)
    assert [" ".join(row.split()) for row in rows] == ["1 Living_people 19,427 979", "2 English_women_poets 353 1"]
    ada, living = line_with("Ada_Lovelace", table), line_with("Living_people", table)
    assert ada.index("353") + 3 == living.index("19,427") + 6


def test_categories_stand_under_longer_titles() -> None:
    """A longer title and a longer number among the articles move the categories' views along."""
    long = replace(ADA, title="Augusta_Ada_King,_Countess_of_Lovelace", views=1_000_000)
    table = render_table(day_answer(most_requested=(long,)), 5, 120)
    assert line_with("Countess", table).index("1,000,000") + 9 == line_with("Living_people", table).index("19,427") + 6


def test_rules_that_kept_nothing_out_are_left_out() -> None:
    """A rule without titles has no line."""
    excluded = (Excluded(Rule.UNKNOWN_TITLE, 0, 0), Excluded(Rule.MAIN_PAGE, 600, 1))
    table = render_table(day_answer(excluded=excluded), 5, 80)
    assert "unknown-title" not in table
    assert "main-page" in table


def test_a_very_narrow_terminal_gets_forty_columns() -> None:
    """Below 40 columns nothing would be left of the titles."""
    assert render_table(day_answer(), 5, 10) == render_table(day_answer(), 5, 40)


def test_logged_titles() -> None:
    """No redirects, no unrequested titles, and a line that says why there are no categories."""
    table = render_table(logged_titles_answer(), 5, 120)
    assert "redirects" not in table
    assert "not requested" not in table
    assert "title views" in table
    assert "the wiki's own could not be had" in table
    assert "Top categories need the page table." in table.splitlines()


def test_an_empty_day() -> None:
    """A day without any hour says that nothing was requested, and invents no list."""
    table = render_table(empty_answer(), 5, 80)
    assert "incomplete: 24 of 24 hours missing" in table
    assert "Nothing was requested." in table
    assert "Least" not in table


def test_top_cuts_every_list() -> None:
    """With one row asked for, each list has one."""
    table = render_table(day_answer(), 1, 80)
    assert "the first 1:" in table
    for second in ("Bot_food", "+972_Magazine", "English_women_poets", "automated"):
        assert second not in table


def test_the_footer_says_when_and_by_what() -> None:
    """The last line carries the moment and the version."""
    assert render_table(day_answer(), 5, 80).splitlines()[-1] == "computed 2026-11-23 17:00 UTC · wikiq 0.1.0"


def test_a_day_fits_a_screen() -> None:
    """Five rows in every list, and every rule, take no more than 35 lines of 80 columns."""
    many = {
        "most_requested": tuple(replace(ADA, rank=n, title=f"Article_{n}") for n in range(1, 9)),
        "top_categories": day_answer().top_categories * 3,
    }
    assert len(render_table(day_answer(**many), 5, 80).splitlines()) <= 35


def test_a_week_has_a_mark_for_six_hours_and_a_line_for_each_day() -> None:
    """Means of 2.5, 8.5, 14.5 and (18+19+20+21+22+100)/6 = 33.3 views, seven times over."""
    table = render_week(week_answer(), days_of_week(), 5, 80)
    assert line_with("en.wikipedia", table).startswith("en.wikipedia · 2024-01-01 to 2024-01-07 ")
    assert line_with("1  Ada_Lovelace", table).endswith("  " + "▁▃▄█" * 7)
    assert line_with("Most requested", table).endswith("  01  02  03  04  05  06  07")
    days = block("Days", table)
    assert [day.split() for day in days] == [
        [f"2024-01-0{n}", "complete", "1,378", "Ada_Lovelace", "353"] for n in range(1, 8)
    ]


def test_a_week_with_an_empty_day() -> None:
    """A day on which nothing was counted has its line, without a title."""
    first = replace(empty_answer(), period=replace(day_answer().period, first=MONDAY))
    table = render_week(week_answer(), (first, *days_of_week()[1:]), 5, 80)
    assert line_with("2024-01-01  ", table).split() == ["2024-01-01", "incomplete", "0", "0"]


def test_days_are_parted_by_a_rule() -> None:
    """Two days are two tables with a line between them; one day has none."""
    two = render_days([day_answer(), day_answer()], 5, 60)
    assert two.splitlines().count("─" * 60) == 1
    assert two.count(render_table(day_answer(), 5, 60)) == 2
    assert render_days([day_answer()], 5, 60) == render_table(day_answer(), 5, 60)
    assert render_days([], 5, 60) == ""


@pytest.mark.parametrize("markup", ["[bold]x[/bold]", "[red]", r"\[x]", ":smile:", "<b>", "a|b"])
def test_markup_is_printed_as_it_is(markup: str) -> None:
    """No title is taken for a style."""
    assert block("Least requested", render_table(titled(markup), 5, 200))[1] == f"   {markup}"


@given(any_text)
def test_hostile_titles_reach_no_terminal(title: str) -> None:
    """Whatever the titles, no control, bidi or other hidden character is in the table."""
    assert not hidden(render_table(titled(title, project=title), 5, 80))


@given(any_text)
def test_colour_is_the_only_escape(title: str) -> None:
    """In colour, the escapes are ours; without them, the text is the plain one."""
    answer = titled(title)
    coloured = SGR.sub("", render_table(answer, 5, 80, colour=True))
    plain = render_table(answer, 5, 80)
    assert [line.rstrip() for line in coloured.split("\n")] == [line.rstrip() for line in plain.split("\n")]


@settings(deadline=None)
@given(answers(), st.integers(0, 200))
def test_no_line_is_wider_than_the_terminal(answer: Answer, width: int) -> None:
    """Whatever the answer, each line fits the width, or 40 columns where there are fewer."""
    table = render_table(answer, 5, width)
    assert table.endswith("\n")
    assert table.splitlines() == table.split("\n")[:-1]
    assert max(map(cell_len, table.splitlines())) <= max(width, MIN_WIDTH)


@settings(deadline=None)
@given(answers(days=7), st.lists(answers(), max_size=3), st.integers(0, 200))
def test_no_line_of_a_week_is_wider_either(week: Answer, days: list[Answer], width: int) -> None:
    """Weeks and their days hold to the same width."""
    table = render_week(week, days, 5, width)
    assert not hidden(table)
    assert max(map(cell_len, table.splitlines())) <= max(width, MIN_WIDTH)
