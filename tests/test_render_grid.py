"""Columns laid out within a terminal's width."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from render_samples import any_text

from cli.render.grid import Column, Role, draw, fit, flow, natural_width, numbers, painter
from cli.render.safe import cell_width, visible

PLAIN = painter(colour=False)


def people(*titles: str) -> tuple[Column, ...]:
    """A title column that stretches, a count, and one column that gives way below 12."""
    return (
        Column("who", titles, stretch=True),
        numbers("views", range(1000, 1000 + len(titles))),
        Column("extra", ("x",) * len(titles), yields_below=12),
    )


def test_counts_are_right_aligned_with_separators() -> None:
    """Titles begin and counts end in line; a separator stands at the thousands."""
    columns = (Column("who", ("Ada", "Charles"), stretch=True), numbers("views", (1234567, 8)))
    assert draw(fit(columns, 40), PLAIN) == [
        "who          views",
        "Ada      1,234,567",
        "Charles          8",
    ]


def test_wide_characters_keep_the_columns_in_line() -> None:
    """A title of two wide characters is padded by its four terminal columns."""
    columns = (Column("", ("千と", "Ada_L"), stretch=True), numbers("", (1, 2)))
    assert draw(fit(columns, 40), PLAIN) == ["千と   1", "Ada_L  2"]


def test_a_column_gives_way_before_titles_are_cut_too_short() -> None:
    """The optional column stays while the title has its 12 columns, and goes before it has fewer."""
    columns = people("Ada_Lovelace_and_friends")
    assert draw(fit(columns, 26), PLAIN)[1] == "Ada_Lovelac…  1,000  x"
    assert draw(fit(columns, 25), PLAIN)[1] == "Ada_Lovelace_and_…  1,000"


def test_a_column_stays_where_titles_are_short() -> None:
    """No column gives way for room that no title needs."""
    assert draw(fit(people("Ada"), 20), PLAIN)[1] == "Ada  1,000  x"


def test_columns_with_one_threshold_go_together() -> None:
    """Of two columns that belong together neither is left alone."""
    pair = [numbers(name, (1,), yields_below=30) for name in ("desktop", "mobile")]
    kept = fit((Column("who", ("A" * 30,), stretch=True), *pair), 40)
    assert [column.heading for column in kept] == ["who"]


@given(st.lists(any_text, min_size=1, max_size=4), st.integers(10, 60))
def test_lines_fit(titles: list[str], width: int) -> None:
    """Whatever the titles, no line takes more columns than there are."""
    lines = draw(fit(people(*map(visible, titles)), width), PLAIN)
    assert all(cell_width(line) <= width for line in lines)


@given(st.lists(any_text, min_size=1, max_size=4))
def test_natural_width_is_that_of_the_widest_line(titles: list[str]) -> None:
    """With room enough, the widest line takes exactly the natural width."""
    columns = [Column("", tuple(map(visible, titles)), stretch=True), numbers("n", [1] * len(titles))]
    lines = draw(fit(columns, 10_000), PLAIN)
    assert max(map(cell_width, lines)) == natural_width(columns)


def test_items_flow_into_lines() -> None:
    """Items share a line while it has room; later lines are indented and start without the separator."""
    assert flow(["one", "two", "three", "four"], 9, ", ", indent="  ") == ["one, two", "  three", "  four"]


@pytest.mark.parametrize("role", Role)
def test_colour_goes_around_the_text(role: Role) -> None:
    """Colour adds a sequence before and a reset after, and none where there is nothing to colour."""
    painted = painter(colour=True)("text", role)
    assert re.fullmatch(r"(\x1b\[\d+m)?text(\x1b\[0m)?", painted)
    assert (painted == "text") == (role is Role.PLAIN)
    assert painter(colour=True)("  ", role) == "  "
    assert PLAIN("text", role) == "text"
