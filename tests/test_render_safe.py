"""Text from strangers, made fit for a terminal, a spreadsheet or a JSON document."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from render_samples import any_text
from rich.cells import cell_len

from cli.render.safe import cell_width, cut, spreadsheet_cell, visible, visible_json, visible_lines, whole

JOINERS = "\u200c\u200d"
FORBIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
FORMULA_STARTS = tuple("=+-@\t\r\n\0\uff1d\uff0b\uff0d\uff20")


def hides(text: str) -> set[str]:
    """The characters of a text that show nothing by their Unicode category, joiners aside."""
    return {character for character in text if unicodedata.category(character) in FORBIDDEN} - set(JOINERS)


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\tb\r\nc\0", r"a\tb\r\nc\x00"),
        ("\x7f\x9b", r"\x7f\x9b"),
        ("user\u202egpj", r"user\u202egpj"),
        ("\u2066\u2069", r"\u2066\u2069"),
        ("\u2028\u2029\x85", r"\u2028\u2029\x85"),
        ("pay\u200bpal\ufeff", r"pay\u200bpal\ufeff"),
        ("pay\u200dpal\u200c", r"pay\u200dpal\u200c"),
        ("\u0628\u200c\u061c", "\u0628" + r"\u200c\u061c"),
        ("no\xa0break\u3000", r"no\xa0break\u3000"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\U000e0041"),
        ("x\ufe0f\u115f\u3164\u2800", r"x\ufe0f\u115f\u3164\u2800"),
    ],
)
def test_hidden_characters_are_spelled(raw: str, shown: str) -> None:
    """A character that shows nothing or moves its neighbours is printed as its escape."""
    assert visible(raw) == shown


@pytest.mark.parametrize(
    "title",
    [
        "Simon_&_Garfunkel",
        r"¯\_(ツ)_/¯",
        "[bold]x[/bold]",
        "千と千尋の神隠し",
        "e\u0301clair",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "क्\u200dष",
        "👍",
    ],
)
def test_visible_titles_stay(title: str) -> None:
    """Scripts, combining marks, markup, backslashes, and joiners that are spelling, stay as they are."""
    assert visible(title) == title


@given(any_text)
def test_nothing_hidden_is_left(text: str) -> None:
    """Whatever the title, its visible form has no control, format, surrogate or unassigned character."""
    assert not hides(visible(text))


@given(any_text)
def test_a_joiner_is_left_only_between_letters(text: str) -> None:
    """Each joiner that stays has an Arabic letter or an Indic virama before it."""
    shown = visible(text)
    for at, character in enumerate(shown):
        if character in JOINERS:
            before = shown[at - 1]
            assert unicodedata.combining(before) == 9 or unicodedata.bidirectional(before) == "AL"


@given(any_text)
def test_visible_text_is_a_fixed_point(text: str) -> None:
    """To make visible text visible changes nothing."""
    assert visible(visible(text)) == visible(text)


def test_lines_keep_their_ends() -> None:
    """A document for a terminal keeps newlines and tabs and loses the rest."""
    assert visible_lines("a\tb\n\x1b\r\n") == "a\tb\n\\x1b\\r\n"


@given(st.dictionaries(st.text(), any_text.map(whole)))
def test_json_means_the_same_and_hides_nothing(value: dict[str, str]) -> None:
    """A JSON text with its hidden characters escaped parses to the same value."""
    document = visible_json(json.dumps(value, ensure_ascii=False))
    assert json.loads(document) == value
    assert not hides(document)


@given(any_text)
def test_whole_text_is_utf8(text: str) -> None:
    """Lone surrogates give way to U+FFFD, everything else stays."""
    assert whole(text).encode().decode() == "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)


@pytest.mark.parametrize(
    "start", [*FORMULA_STARTS, " =", "\xa0+", "\u200b@", "\ufeff-", "\u3000\uff1d", "\x1f=", " \0"]
)
def test_formulas_get_an_apostrophe(start: str) -> None:
    """What a spreadsheet could take for a formula starts with an apostrophe, else unchanged."""
    assert spreadsheet_cell(f"{start}cmd()") == f"'{start}cmd()"


@pytest.mark.parametrize("title", ["Simon_Pegg", "", "'Abd", "C++", "A=B", "1-2", " x", "\u221240"])
def test_other_cells_stay(title: str) -> None:
    """Text that no spreadsheet takes for a formula is not touched."""
    assert spreadsheet_cell(title) == title


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("千と", 4), ("e\u0301", 1), ("क्\u200dष", 2), ("", 0)])
def test_width_counts_terminal_columns(text: str, width: int) -> None:
    """East Asian wide characters take two columns, combining characters and joiners none."""
    assert cell_width(text) == width


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("Simon_Pegg", 10, "Simon_Pegg"),
        ("Simon_Pegg", 9, "Simon_Pe…"),
        ("千と千尋", 8, "千と千尋"),
        ("千と千尋", 7, "千と千…"),
        ("千と千尋", 6, "千と…"),
        ("ab", 1, "…"),
        ("ab", 0, ""),
    ],
)
def test_long_text_is_cut(text: str, width: int, expected: str) -> None:
    """What does not fit ends in an ellipsis that is part of the width; a wide character is never halved."""
    assert cut(text, width) == expected


@given(any_text, st.integers(0, 30))
def test_cut_text_fits(text: str, width: int) -> None:
    """Cut text takes no more columns than asked for, by rich's own measure."""
    assert cell_len(cut(visible(text), width)) <= width
