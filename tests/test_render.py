"""The one entry that turns a report into a document."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from render_samples import any_text, day_answer, days_of_week, titled, week_answer

from cli.render import Format, Report, render
from cli.render.document import render_json, render_ndjson
from cli.render.markdown import render_markdown
from cli.render.rows import render_csv, render_tsv
from cli.render.table import render_table, render_week

DAY = Report((day_answer(),))
WEEK = Report(days_of_week(), week_answer())


def test_formats_are_those_of_the_command_line() -> None:
    """The names that `--format` takes."""
    assert [form.value for form in Format] == ["table", "json", "ndjson", "csv", "tsv", "md"]


def test_a_day_in_every_format() -> None:
    """Each format is its own renderer's document."""
    day = day_answer()
    expected = {
        Format.TABLE: render_table(day, 5, 80),
        Format.JSON: render_json([day], 5),
        Format.NDJSON: render_ndjson([day], 5),
        Format.CSV: render_csv([day], 5),
        Format.TSV: render_tsv([day], 5),
        Format.MD: render_markdown([day], 5),
    }
    assert {form: render(DAY, form, top=5, width=80) for form in Format} == expected
    assert len(set(expected.values())) == len(Format)


def test_width_and_colour_reach_the_table() -> None:
    """A table is drawn as wide and as colourful as asked."""
    assert render(DAY, Format.TABLE, top=5, width=60) == render_table(day_answer(), 5, 60)
    assert render(DAY, Format.TABLE, top=5, width=80, colour=True) == render_table(day_answer(), 5, 80, colour=True)


def test_a_week_in_json_is_one_object_with_its_days() -> None:
    """The same object in one line as ndjson."""
    indented = json.loads(render(WEEK, Format.JSON, top=5, width=80))
    (line,) = render(WEEK, Format.NDJSON, top=5, width=80).splitlines()
    assert indented["week"] == "2024-01-01"
    assert len(indented["days"]) == 7
    assert json.loads(line) == indented


def test_a_week_in_the_other_formats() -> None:
    """A table ends with the days; rows and sections have the week first, then its days."""
    answers = (week_answer(), *days_of_week())
    assert render(WEEK, Format.TABLE, top=5, width=80) == render_week(week_answer(), days_of_week(), 5, 80)
    assert render(WEEK, Format.CSV, top=5, width=80) == render_csv(answers, 5)
    assert render(WEEK, Format.MD, top=5, width=80) == render_markdown(answers, 5)


@pytest.mark.parametrize("form", [Format.CSV, Format.TSV])
def test_rows_are_exact_but_on_a_terminal(form: Format) -> None:
    """A pipe gets the title as it is, a terminal its visible form."""
    report = Report((titled("a\x1b[31m\u202eb"),))
    assert "\x1b[31m\u202e" in render(report, form, top=5, width=80)
    assert r"a\x1b[31m\u202eb" in render(report, form, top=5, width=80, terminal=True)


@given(any_text, st.sampled_from(Format))
def test_no_format_sends_a_terminal_control_characters(title: str, form: Format) -> None:
    """Whatever the title and the format, a terminal gets no ESC, CSI, bidi override, isolate or line separator."""
    text = render(Report((titled(title),)), form, top=5, width=80, terminal=True)
    controls = {*map(chr, range(32)), *map(chr, range(0x7F, 0xA0))} - {"\n", "\t"}
    directions = {*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A)), "\u2028", "\u2029"}
    assert not set(text) & (controls | directions)
    assert text.encode()


@given(any_text, st.sampled_from(Format))
def test_every_document_is_utf8_with_an_end(title: str, form: Format) -> None:
    """Whatever the title and the format, the text can be written as UTF-8 and ends its last line."""
    text = render(Report((titled(title),)), form, top=5, width=80)
    assert text.encode().endswith(b"\n")


@pytest.mark.parametrize("form", Format)
def test_an_empty_report_is_an_empty_document(form: Format) -> None:
    """No answer gives nothing, an empty list, or a header alone."""
    text = render(Report(()), form, top=5, width=80)
    assert text in ("", "[]\n") or len(text.splitlines()) == 1
