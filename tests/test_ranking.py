"""A day's or a week's answers, against an oracle that sorts plain dicts."""

from __future__ import annotations

import random
from unittest import mock

import oracle
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ranking_samples import DAY, NOW, WEEK, counted, counted_frames
from strategies import LAW, SLOW_LAW, frame, tallies

from models.answer import STORED_DEPTH, Flag, Rule, Universe, Verdict
from models.hour import hours_of, week_from
from models.siteinfo import CANONICAL
from worker.ranking.counted import flag_of, hours_in
from worker.ranking.logged_titles import rank_logged_titles


def rank(some):
    return rank_logged_titles(some, CANONICAL, computed_at=NOW, version="0.1.0")


def ranked(hours, period=DAY, **more):
    return rank(counted(hours, period, **more))


def found(answer):
    """The answer in the oracle's form, after a check that ranks run from 1."""
    assert [row.rank for row in answer.most_requested] == list(range(1, len(answer.most_requested) + 1))
    assert {row.through_redirects for row in answer.most_requested} <= {0}
    least = answer.least_requested
    rows = least and [(row.title, row.views, row.desktop, row.mobile) for row in least.articles]
    return {
        "project_views": answer.project_views,
        "article_views": answer.article_views,
        "excluded": [(row.rule, row.views, row.titles) for row in answer.excluded],
        "articles_requested": answer.articles_requested,
        "most": [
            (row.title, row.views, row.desktop, row.mobile, row.hourly, row.flag) for row in answer.most_requested
        ],
        "least": least and (least.views, least.tied, rows),
        "missing": [hours_in(answer.period).index(hour) for hour in answer.missing_hours],
    }


def expected(hours):
    every = {title for hour in hours if hour for title in hour}
    rules = {
        title: oracle.excluded_by(title, CANONICAL.prefixes, CANONICAL.main_page, first_letter=True) for title in every
    }
    return oracle.rank(hours, rules, STORED_DEPTH)


def hours_with(first, *others, period=DAY):
    """The period's hours: these first ones, then empty ones."""
    given = [first, *others]
    return given + [{}] * (len(hours_in(period)) - len(given))


def counted_hours(length):
    """A few different tallies (or None, for missing) spread over the hours."""
    few = st.lists(st.one_of(tallies(8), st.none()), min_size=1, max_size=4)
    return few.flatmap(lambda some: st.lists(st.sampled_from(some), min_size=length, max_size=length))


@LAW
@given(counted_hours(24))
def test_a_day_equals_the_oracle(hours):
    """Any counted day, with hostile titles and missing hours, gives the oracle's answers to the last number."""
    assert found(ranked(hours)) == expected(hours)


@SLOW_LAW
@given(counted_hours(24))
def test_views_add_up(hours):
    """Article views and excluded views are the project's; hourly numbers are the row's views; access methods too."""
    answer = ranked(hours)
    assert answer.article_views + sum(row.views for row in answer.excluded) == answer.project_views
    assert all(sum(row.hourly) == row.views == row.desktop + row.mobile for row in answer.most_requested)
    assert answer.project_views == sum(sum(map(sum, hour.values())) for hour in hours if hour)


@SLOW_LAW
@given(counted_hours(24), st.randoms())
def test_rank_of_merged_equals_rank_of_concatenated(hours, shuffler):
    """Merging hours in any order, title by title or all titles at once, ranks the same."""
    frames = [(hour, frame(tally)) for hour, tally in zip(hours_in(DAY), hours, strict=True) if tally is not None]
    in_order = counted_frames(dict(frames), step_rows=10_000)
    shuffler.shuffle(frames)
    shuffled = counted_frames(dict(frames), step_rows=1)
    assert rank(in_order) == rank(shuffled) == ranked(hours)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("classes", [1, 2, 3, 40, 5_000])
def test_more_titles_tie_than_are_stored(classes, seed):
    """Where the last place that is stored is shared by many titles, the first by UTF-8 bytes have it."""
    shuffler = random.Random(seed)
    names = [f"{shuffler.choice('aZé小')}{n}".encode() for n in range(1_600)] + [b"x\xff", b"x\xfe", b"x\xc3\xa9"]
    shuffler.shuffle(names)
    views = {name: (shuffler.randrange(classes), 1) for name in names}
    hours = hours_with(views, {b"Talk:x": (5, 5)})
    assert found(ranked(hours)) == expected(hours)


@pytest.mark.parametrize("titles", [STORED_DEPTH - 1, STORED_DEPTH, STORED_DEPTH + 1])
def test_the_stored_depth(titles):
    """At most 1,000 rows are stored of each list, and the ties beyond them are still counted."""
    answer = ranked(hours_with({f"t{n:05d}".encode(): (1, 0) for n in range(titles)}))
    kept = [f"T{n:05d}".lower() for n in range(min(titles, STORED_DEPTH))]
    assert [row.title for row in answer.most_requested] == kept
    assert [row.title for row in answer.least_requested.articles] == kept
    assert (answer.least_requested.tied, answer.articles_requested) == (titles, titles)


@pytest.mark.parametrize("step_rows", [300, 1_500])
def test_the_lists_fill_over_several_stretches(step_rows):
    """Which titles are stored, with which hours, does not depend on where one stretch ends and the next begins."""
    shuffler = random.Random(step_rows)
    hours = [
        {f"t{n:04d}".encode(): (shuffler.randrange(1, 9), 0) for n in shuffler.sample(range(2_500), 1_800)}
        for _ in range(4)
    ]
    frames = {hour: frame(tally) for hour, tally in zip(hours_in(DAY), hours_with(*hours), strict=True)}
    answer = rank(counted_frames(frames, step_rows=step_rows))
    assert found(answer) == expected(hours_with(*hours))


def test_ties_are_broken_by_utf8_bytes():
    """Bytes decide among equals, not the alphabet and not UTF-16: U+FF5E comes before U+10000."""
    views = dict.fromkeys(
        [b"b", b"a", b"B", "é".encode(), "\U00010000".encode(), "\uff5e".encode(), b"a_", b"a\xff"], (2, 1)
    )
    order = [row.title for row in ranked(hours_with(views)).most_requested]
    assert order == ["B", "a", "a_", "a%FF", "b", "é", "\uff5e", "\U00010000"]


def test_exclusions_come_in_the_order_of_the_rules():
    """Each rule that applied is named once with its views and titles, and a title falls under the first that fits."""
    first = {b"-": (1, 2), b"": (3, 0), b"Talk:a": (5, 0), b"Main_Page": (100, 50), b"A": (7, 0)}
    second = {b"main__Page_": (1, 0), b"User:-": (0, 4), b"Talk:a": (5, 0), b"_": (0, 1)}
    answer = ranked(hours_with(first, second))
    assert [(row.rule, row.views, row.titles) for row in answer.excluded] == [
        (Rule.UNKNOWN_TITLE, 7, 3),
        (Rule.OTHER_NAMESPACE, 14, 2),
        (Rule.MAIN_PAGE, 151, 2),
    ]
    assert (answer.article_views, answer.project_views) == (7, 179)


def test_logged_titles_are_literal():
    """Without a page table two spellings of one page are two titles."""
    answer = ranked(hours_with({b"iPod": (1, 0), b"IPod": (2, 0), b"IPod_": (3, 0)}))
    assert [row.title for row in answer.most_requested] == ["IPod_", "IPod", "iPod"]


def test_what_is_said_of_the_answer_itself():
    """The answer carries its project, period, universe, origin of prefixes, malformed lines and version."""
    answer = ranked(hours_with({b"A": (1, 0)}), malformed=3)
    assert (answer.project, answer.period, answer.universe) == ("en.wikipedia", DAY, Universe.LOGGED_TITLES)
    assert (answer.malformed_lines, answer.namespaces, answer.wikiq, answer.computed_at) == (
        3,
        "canonical",
        "0.1.0",
        NOW,
    )
    assert (answer.snapshot, answer.top_categories, answer.least_requested.unrequested) == (None, None, None)


@pytest.mark.parametrize("hours", [[{}] * 24, [None] * 24, [{b"Talk:x": (1, 0)}] + [{}] * 23])
def test_a_day_without_articles(hours):
    """A day in which no article was requested has an answer with empty lists and no least requested."""
    answer = ranked(hours)
    assert (answer.most_requested, answer.least_requested, answer.articles_requested) == ((), None, 0)
    assert found(answer) == expected(hours)


@pytest.mark.parametrize("missing", [[], [0], [23], [5, 6, 17], list(range(24))])
def test_missing_hours_are_named(missing):
    """An hour that was not counted is named by its start, and makes the day incomplete."""
    answer = ranked([None if hour in missing else {b"A": (hour + 1, 0)} for hour in range(24)])
    assert [str(hour) for hour in answer.missing_hours] == [f"2024-02-29T{hour:02d}:00Z" for hour in missing]
    assert answer.verdict == (Verdict.INCOMPLETE if missing else Verdict.COMPLETE)
    for row in answer.most_requested:
        assert row.hourly == tuple(0 if hour in missing else hour + 1 for hour in range(24))


@pytest.mark.parametrize(
    ("desktop", "mobile", "flag"),
    [
        (950, 50, None),
        (951, 49, Flag.MOBILE_SHARE),
        (949, 50, None),
        (1_000, 0, Flag.MOBILE_SHARE),
        (999, 0, None),
        (50, 950, None),
        (49, 951, Flag.MOBILE_SHARE),
        (0, 1_000, Flag.MOBILE_SHARE),
        (0, 999, None),
        (0, 0, None),
        (9_500_000, 500_000, None),
        (9_500_001, 499_999, Flag.MOBILE_SHARE),
        (499_999, 9_500_001, Flag.MOBILE_SHARE),
        (500_000, 9_500_000, None),
        (95 * 10**12, 5 * 10**12, None),
    ],
)
def test_mobile_share(desktop, mobile, flag):
    """Flagged under 5 % or over 95 % mobile, from 1,000 views on; exactly 5 % and 95 % are not."""
    assert flag_of(desktop, mobile, []) == flag


@pytest.mark.parametrize(
    ("hourly", "flag"),
    [
        ([5_001, 4_999], Flag.BURST),
        ([5_000, 5_000], None),
        ([5_000, 2_500, 2_500], None),
        ([9_999], None),
        ([10_000], Flag.BURST),
        ([0, 0, 6_000, 4_001], Flag.BURST),
        ([5_000, 5_001], Flag.BURST),
        ([5_001, 5_001], None),
        ([4_000, 4_000, 4_000], None),
    ],
)
def test_burst(hourly, flag):
    """Flagged where one hour holds more than half of at least 10,000 views; exactly half is not."""
    views = sum(hourly)
    assert flag_of(views - views // 2, views // 2, hourly) == flag


def test_a_flag_removes_no_row():
    """What looks automated is ranked all the same, and carries its flag."""
    answer = ranked(hours_with({b"Bot": (20_000, 0), b"Burst": (6_000, 6_000), b"A": (600, 500)}, {b"Burst": (1, 1)}))
    flags = [(row.title, row.flag) for row in answer.most_requested]
    assert flags == [("Bot", Flag.MOBILE_SHARE), ("Burst", Flag.BURST), ("A", None)]


@SLOW_LAW
@given(st.integers(0, 30_000), st.integers(0, 30_000), st.lists(st.integers(0, 15_001), max_size=24))
def test_flags_equal_the_oracle(desktop, mobile, hourly):
    """Any views get the oracle's flag, which knows whole numbers only."""
    assert flag_of(desktop, mobile, hourly) == oracle.flag(desktop + mobile, mobile, hourly)


@SLOW_LAW
@given(counted_hours(168), st.integers(1, 60))
def test_a_week_equals_the_oracle(hours, step_rows):
    """A week's answers are those of its 168 hours, each row with 168 hourly numbers, in however many steps."""
    with mock.patch("worker.ranking.counted.STEP_ROWS", step_rows):
        answer = ranked(hours, WEEK)
    assert {len(row.hourly) for row in answer.most_requested} <= {168}
    assert found(answer) == expected(hours)


def test_a_week_is_exact():
    """A title that leads the week is found though it leads, or is stored on, no day of it."""
    daily = [{f"day{day}_{n}".encode(): (3, 0) for n in range(STORED_DEPTH)} | {b"Steady": (2, 0)} for day in range(7)]
    hours = [daily[place // 24] if place % 24 == 0 else {} for place in range(168)]
    answer = ranked(hours, WEEK)
    assert (answer.most_requested[0].title, answer.most_requested[0].views) == ("Steady", 14)
    assert not any(row.title == "Steady" for row in ranked(hours[:24]).most_requested)


def test_a_weeks_missing_hours_and_columns_are_in_order():
    """The hours of a week run through its days, over the end of February."""
    assert hours_in(WEEK) == tuple(hour for day in week_from(WEEK.first) for hour in hours_of(day))
    answer = ranked([None if place in (0, 95, 167) else {b"A": (place, 0)} for place in range(168)], WEEK)
    assert [str(hour) for hour in answer.missing_hours] == [
        "2024-02-26T00:00Z",
        "2024-02-29T23:00Z",
        "2024-03-03T23:00Z",
    ]
    assert answer.most_requested[0].hourly == tuple(0 if place in (0, 95, 167) else place for place in range(168))


def test_the_answer_holds_plain_numbers():
    """Numbers are Python's own, so that they can be stored and written as JSON."""
    answer = ranked(hours_with({b"A": (2**40, 1), b"-": (1, 0)}))
    row, least, out = answer.most_requested[0], answer.least_requested, answer.excluded[0]
    numbers = [
        answer.project_views,
        answer.article_views,
        answer.articles_requested,
        row.views,
        row.desktop,
        row.mobile,
    ]
    numbers += [*row.hourly, least.views, least.tied, least.articles[0].views, out.views, out.titles]
    assert {type(number) for number in numbers} == {int}
    assert isinstance(out.rule, Rule)
