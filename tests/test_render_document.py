"""Answers as JSON: the contract that other software relies on."""

from __future__ import annotations

import datetime as dt
import json
import unicodedata
from dataclasses import replace

from hypothesis import given, settings
from render_samples import (
    ADA,
    ADA_HOURLY,
    DAY,
    answers,
    any_text,
    day_answer,
    days_of_week,
    empty_answer,
    logged_titles_answer,
    titled,
    week_answer,
)

from cli.render.document import answer_document, render_json, render_ndjson, week_document
from cli.render.safe import whole
from models.answer import Answer, Flag
from models.hour import Hour

AFTER_THE_PERIOD = [
    "verdict",
    "missing_hours",
    "universe",
    "snapshot",
    "views",
    "articles_requested",
    "most_requested",
    "least_requested",
    "top_categories",
    "computed_at",
    "wikiq",
    "namespaces",
    "snapshot_days_off",
]


def test_a_day_in_full() -> None:
    """Each key, its place and its value, as the contract has them."""
    document = json.loads(render_json([day_answer(missing_hours=(Hour(DAY, 23),))], 5))
    assert document == {
        "schema": 1,
        "project": "en.wikipedia",
        "day": "2024-01-03",
        "verdict": "incomplete",
        "missing_hours": ["2024-01-03T23:00Z"],
        "universe": "articles",
        "snapshot": "2024-01-01",
        "views": {
            "project": 1378,
            "article": 378,
            "excluded": [
                {"rule": "other-namespace", "views": 600, "titles": 30},
                {"rule": "no-such-article", "views": 400, "titles": 12},
            ],
            "malformed_lines": 0,
        },
        "articles_requested": 3,
        "most_requested": [
            {
                "rank": 1,
                "title": "Ada_Lovelace",
                "views": 353,
                "desktop": 253,
                "mobile": 100,
                "through_redirects": 7,
                "hourly": list(ADA_HOURLY),
                "flag": None,
            },
            {
                "rank": 2,
                "title": "Bot_food",
                "views": 24,
                "desktop": 24,
                "mobile": 0,
                "through_redirects": 0,
                "hourly": [1] * 24,
                "flag": "mobile-share",
            },
        ],
        "least_requested": {
            "views": 1,
            "tied": 492,
            "unrequested": 458,
            "articles": [
                {"title": '"Heroes"_(album)', "views": 1, "desktop": 1, "mobile": 0, "through_redirects": 0},
                {"title": "+972_Magazine", "views": 1, "desktop": 0, "mobile": 1, "through_redirects": 0},
            ],
        },
        "top_categories": [
            {"rank": 1, "category": "Living_people", "views": 19427, "articles": 979},
            {"rank": 2, "category": "English_women_poets", "views": 353, "articles": 1},
        ],
        "computed_at": "2026-11-23T17:00:00Z",
        "wikiq": "0.1.0",
        "namespaces": "2024-01-01",
        "snapshot_days_off": -2,
    }
    assert list(document) == ["schema", "project", "day", *AFTER_THE_PERIOD]


def test_keys_come_in_the_contract_s_order() -> None:
    """Order within the inner objects, which equality does not see."""
    document = answer_document(day_answer(), 5)
    article = ["title", "views", "desktop", "mobile", "through_redirects"]
    assert list(document["views"]) == ["project", "article", "excluded", "malformed_lines"]
    assert list(document["views"]["excluded"][0]) == ["rule", "views", "titles"]
    assert list(document["most_requested"][0]) == ["rank", *article, "hourly", "flag"]
    assert list(document["least_requested"]) == ["views", "tied", "unrequested", "articles"]
    assert list(document["least_requested"]["articles"][0]) == article
    assert list(document["top_categories"][0]) == ["rank", "category", "views", "articles"]


def test_logged_titles_have_nulls() -> None:
    """No snapshot, no unrequested titles and no categories: null, not empty."""
    document = answer_document(logged_titles_answer(), 5)
    assert document["universe"] == "logged titles"
    assert document["snapshot"] is None
    assert document["least_requested"]["unrequested"] is None
    assert document["top_categories"] is None
    assert document["namespaces"] == "canonical"


def test_an_empty_day() -> None:
    """Nothing requested: empty lists, and null for the least."""
    document = answer_document(empty_answer(), 5)
    assert document["least_requested"] is None
    assert document["most_requested"] == document["top_categories"] == []
    assert len(document["missing_hours"]) == 24


def test_top_cuts_every_list() -> None:
    """With one row asked for, each list has its first."""
    document = answer_document(day_answer(), 1)
    assert [row["rank"] for row in document["most_requested"]] == [1]
    assert [row["title"] for row in document["least_requested"]["articles"]] == ['"Heroes"_(album)']
    assert [row["rank"] for row in document["top_categories"]] == [1]


def test_a_week_names_its_first_day_and_holds_its_days() -> None:
    """`week` in the place of `day`, and seven days of the same shape at the end."""
    document = week_document(week_answer(), days_of_week(), 5)
    assert list(document) == ["schema", "project", "week", *AFTER_THE_PERIOD, "days"]
    assert document["week"] == "2024-01-01"
    assert [day["day"] for day in document["days"]] == [f"2024-01-0{n}" for n in range(1, 8)]
    assert len(document["most_requested"][0]["hourly"]) == 168


def test_one_answer_is_an_object_and_several_are_a_list() -> None:
    """None at all is a list, too."""
    assert json.loads(render_json([day_answer()], 5))["schema"] == 1
    assert len(json.loads(render_json([day_answer()] * 2, 5))) == 2
    assert json.loads(render_json([], 5)) == []


def test_hours_stand_on_one_line() -> None:
    """Indented for reading, but for the 24 numbers."""
    assert '"hourly": [0, 1, 2, 3, 4,' in render_json([day_answer()], 5)
    assert '\n  "project": "en.wikipedia",\n' in render_json([day_answer()], 5)


def test_titles_are_written_in_their_own_letters() -> None:
    """A Japanese title is readable without a parser; an escape sequence is not one any more."""
    text = render_json([titled("千と\x9b31m\u202e")], 5)
    assert '"千と\\u009b31m\\u202e"' in text


@given(any_text)
def test_titles_come_back(title: str) -> None:
    """The parsed title is the title, with U+FFFD for what no UTF-8 can carry; and nothing hidden is in the text."""
    text = render_json([titled(title)], 5)
    parsed = json.loads(text)
    assert parsed["most_requested"][0]["title"] == parsed["top_categories"][0]["category"] == whole(title)
    assert not {c for c in text if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"}} - {"\n"}


@settings(deadline=None)
@given(answers())
def test_any_answer_survives_the_round_trip(answer: Answer) -> None:
    """Indentation, inlined numbers and escapes change no value."""
    document = answer_document(answer, 5)
    assert json.loads(render_json([answer], 5)) == document


@settings(deadline=None)
@given(answers(), answers())
def test_ndjson_is_one_line_for_each_object(first: Answer, second: Answer) -> None:
    """However lines are told apart, there are as many as objects, and they are the same objects."""
    text = render_ndjson([first, second], 5)
    assert [json.loads(line) for line in text.splitlines()] == json.loads(render_json([first, second], 5))


def test_computed_at_is_told_in_utc() -> None:
    """Seven in the evening two hours east of Greenwich is five in the afternoon."""
    evening = dt.datetime(2026, 11, 23, 19, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    assert answer_document(day_answer(computed_at=evening), 5)["computed_at"] == "2026-11-23T17:00:00Z"


def test_flags_are_words() -> None:
    """`burst` is the word of the contract."""
    document = answer_document(day_answer(most_requested=(replace(ADA, flag=Flag.BURST),)), 5)
    assert document["most_requested"][0]["flag"] == "burst"
