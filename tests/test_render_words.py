"""The words of an answer that more than one format prints."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from render_samples import DAY, LEAST, MONDAY, day_answer, empty_answer, logged_titles_answer, week_answer

from cli.render import words
from models.answer import Period
from models.hour import Hour


@pytest.mark.parametrize(
    ("hours", "named"),
    [
        ((), []),
        ((23,), ["23:00"]),
        ((3, 4), ["03:00", "04:00"]),
        ((0, 3, 4, 5, 23), ["00:00", "03:00…05:00", "23:00"]),
        (tuple(range(24)), ["00:00…23:00"]),
    ],
)
def test_missing_hours_are_named_by_their_starts(hours: tuple[int, ...], named: list[str]) -> None:
    """Single hours by name, three or more in a row by the first and the last."""
    assert words.missing_hours(day_answer(missing_hours=tuple(Hour(DAY, hour) for hour in hours))) == named


def test_missing_hours_of_a_week_name_their_day() -> None:
    """A run ends with its day."""
    tuesday = MONDAY + dt.timedelta(days=1)
    missing = (*(Hour(MONDAY, hour) for hour in (21, 22, 23)), Hour(tuesday, 0))
    assert words.missing_hours(week_answer(missing_hours=missing)) == [
        "2024-01-01 21:00…23:00",
        "2024-01-02 00:00",
    ]


def test_verdict_counts_the_missing_hours_of_all() -> None:
    """A day has 24 hours, a week 168."""
    missing = (Hour(DAY, 23),)
    assert words.verdict(day_answer()) == "complete"
    assert words.verdict(day_answer(missing_hours=missing)) == "incomplete: 1 of 24 hours missing"
    assert words.verdict(week_answer(missing_hours=missing)) == "incomplete: 1 of 168 hours missing"


def test_the_window_is_in_utc() -> None:
    """A week's window ends where the day after its last begins."""
    assert words.window(Period(DAY)) == "00:00 to 24:00 UTC"
    assert words.window(Period(MONDAY, 7)) == "2024-01-01 00:00 to 2024-01-08 00:00 UTC"


def test_sources_say_what_could_not_be_had() -> None:
    """Canonical namespace names are owned up to; a snapshot's own need no word of their own."""
    assert words.sources(day_answer()) == ["universe: articles", "snapshot of 2024-01-01, 2 days earlier"]
    assert words.sources(logged_titles_answer()) == [
        "universe: logged titles",
        "namespaces: MediaWiki's English names",
        "the wiki's own could not be had",
    ]
    dated = replace(logged_titles_answer(), namespaces="2024-01-01")
    assert words.sources(dated) == ["universe: logged titles", "namespaces of 2024-01-01"]


def test_totals_speak_of_what_is_ranked() -> None:
    """Articles are articles and titles are titles; malformed lines are named when there are any."""
    assert words.totals(day_answer()) == {"project views": 1378, "article views": 378, "articles requested": 3}
    logged = replace(logged_titles_answer(), malformed_lines=2)
    assert list(words.totals(logged)) == ["project views", "title views", "titles requested", "malformed lines"]


@pytest.mark.parametrize(
    ("least", "listed", "facts"),
    [
        (LEAST, 2, ["1 view", "492 articles tie", "458 not requested at all", "the first 2:"]),
        (replace(LEAST, tied=2, unrequested=None), 2, ["1 view", "2 articles tie"]),
        (
            replace(LEAST, views=1234, tied=1, unrequested=0),
            1,
            ["1,234 views", "1 article, no tie", "0 not requested at all"],
        ),
        (replace(LEAST, articles=()), 0, ["1 view", "492 articles tie", "458 not requested at all"]),
    ],
)
def test_least_facts(least: object, listed: int, facts: list[str]) -> None:
    """The views, the tie, the unrequested where they are known, and how many are listed if not all."""
    assert words.least_facts(day_answer(), least, listed) == facts


def test_missing_categories_have_a_reason() -> None:
    """No page table, no snapshot, or no request: three different things."""
    assert words.no_categories(logged_titles_answer()) == "Top categories need the page table."
    assert words.no_categories(day_answer(top_categories=None)) == "Top categories need a category snapshot."
    assert words.no_categories(empty_answer()) == "No category was requested."


def test_computed_at_is_told_in_utc() -> None:
    """Seven in the evening two hours east of Greenwich is five in the afternoon."""
    evening = dt.datetime(2026, 11, 23, 19, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    assert words.made(day_answer(computed_at=evening)) == ["computed 2026-11-23 17:00 UTC", "wikiq 0.1.0"]
