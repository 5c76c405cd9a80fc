"""Hours, days and weeks, and the file names that carry an hour's end."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import LAW, hours

from models.errors import BadDate, DayOutOfRange
from models.hour import (
    Hour,
    days_between,
    hour_of_stamp,
    hours_of,
    last_complete_day,
    last_complete_week,
    parse_day,
    parse_hour,
    published,
    week_from,
)

MOMENTS = st.datetimes(dt.datetime(2015, 5, 3), dt.datetime(2199, 1, 1), timezones=st.just(dt.UTC))  # noqa: DTZ001
FULL_WIDTH_2024 = "\uff12\uff10\uff12\uff14"


@LAW
@given(hours())
def test_stamp_and_hour_round_trip(hour):
    """An hour's file stamp names that hour and no other."""
    assert hour_of_stamp(hour.stamp) == hour


@LAW
@given(hours())
def test_written_hour_round_trips(hour):
    """An hour as it is written reads back."""
    assert parse_hour(str(hour)) == hour


@LAW
@given(hours(), hours())
def test_stamps_and_texts_order_like_hours(one, other):
    """Sorting stamps or written hours as text sorts the hours."""
    assert (one < other) == (one.stamp < other.stamp) == (str(one) < str(other))


@LAW
@given(hours())
def test_file_is_named_by_the_end(hour):
    """The digits in the file name are the moment one hour after the start, and so is the folder."""
    end = dt.datetime(hour.day.year, hour.day.month, hour.day.day, hour.hour, tzinfo=dt.UTC) + dt.timedelta(hours=1)
    digits = f"{end.year:04d}{end.month:02d}{end.day:02d}-{end.hour:02d}0000"
    assert hour.stamp == digits
    assert hour.path == f"other/pageviews/{end.year}/{end.year}-{end.month:02d}/pageviews-{digits}.gz"
    assert hour.end == end


@pytest.mark.parametrize(
    ("hour", "path"),
    [
        ("2024-01-03T00:00Z", "other/pageviews/2024/2024-01/pageviews-20240103-010000.gz"),
        ("2024-01-03T23:00Z", "other/pageviews/2024/2024-01/pageviews-20240104-000000.gz"),
        ("2023-12-31T23:00Z", "other/pageviews/2024/2024-01/pageviews-20240101-000000.gz"),
        ("2024-04-30T23:00Z", "other/pageviews/2024/2024-05/pageviews-20240501-000000.gz"),
        ("2024-02-28T23:00Z", "other/pageviews/2024/2024-02/pageviews-20240229-000000.gz"),
        ("2024-02-29T23:00Z", "other/pageviews/2024/2024-03/pageviews-20240301-000000.gz"),
        ("2023-02-28T23:00Z", "other/pageviews/2023/2023-03/pageviews-20230301-000000.gz"),
        # 2024-12-30 lies in the ISO year 2025: a week-based year in the path would be wrong here.
        ("2024-12-30T12:00Z", "other/pageviews/2024/2024-12/pageviews-20241230-130000.gz"),
        ("2021-01-01T00:00Z", "other/pageviews/2021/2021-01/pageviews-20210101-010000.gz"),
    ],
)
def test_folder_follows_the_file_name(hour, path):
    """At the borders of months and years the file lies where its name says, not where its hour began."""
    assert parse_hour(hour).path == path


def test_a_day_is_24_hours_and_24_stamps():
    """The files of a day are stamped 01:00 to 23:00 and 00:00 of the next day."""
    stamps = [hour.stamp for hour in hours_of(dt.date(2016, 8, 1))]
    assert stamps == [f"20160801-{hour:02d}0000" for hour in range(1, 24)] + ["20160802-000000"]


@LAW
@given(st.one_of(st.text(max_size=25), st.from_regex(r"\d{8}-\d{2}0000", fullmatch=True)))
@example("00010101-000000")
@example("00000101-010000")
@example("20240230-010000")
@example("20240101-240000")
@example(f"{FULL_WIDTH_2024}0101-010000")
@example("20240101-010000\n")
def test_a_stamp_is_an_hour_or_our_error(text):
    """Any text read as a file stamp gives its hour or BadDate, nothing else."""
    with suppress(BadDate):
        hour = hour_of_stamp(text)
        assert hour.day.year < 1000 or hour.stamp == text


@LAW
@given(st.one_of(st.text(max_size=25), st.from_regex(r"\d{4}-\d{2}-\d{2}T\d{2}:00Z", fullmatch=True)))
@example("2024-01-03T24:00Z")
@example("2024-02-30T00:00Z")
@example(f"{FULL_WIDTH_2024}-01-03T00:00Z")
@example("2024-01-03T00:00Z\n")
def test_an_hour_is_read_or_refused(text):
    """Any text read as an hour gives the hour it writes or BadDate, nothing else."""
    with suppress(BadDate):
        assert str(parse_hour(text)) == text


@LAW
@given(st.one_of(st.text(max_size=12), st.from_regex(r"\d{4}-\d{2}-\d{2}", fullmatch=True), st.dates().map(str)))
@example("2024-W01-1")
@example("20240103")
@example("2023-02-29")
@example("0000-01-01")
@example("2024-01-03 ")
def test_a_day_is_read_or_refused(text):
    """Any text read as a day gives the day it writes or BadDate, nothing else."""
    with suppress(BadDate):
        assert parse_day(text).isoformat() == text


@pytest.mark.parametrize("hour", [-1, 24, 100])
def test_a_day_has_no_25th_hour(hour):
    """Only 0 to 23 are hours."""
    with pytest.raises(BadDate):
        Hour(dt.date(2024, 1, 3), hour)


@pytest.mark.parametrize("first", ["2023-12-28", "2024-02-26", "2024-01-01", "2016-12-31"])
def test_a_week_is_seven_days_in_a_row(first):
    """A week begins anywhere and crosses months, years and leap days."""
    days = week_from(dt.date.fromisoformat(first))
    assert [(day - days[0]).days for day in days] == list(range(7))
    assert days[0].isoformat() == first


@pytest.mark.parametrize("first", ["9999-12-26", "9999-12-31"])
def test_a_week_past_the_calendar_is_our_error(first):
    """The calendar's last days begin no week; asking for one is a mistake in the question."""
    with pytest.raises(BadDate):
        week_from(parse_day(first))


def test_days_between_has_both_ends():
    """One day is a range of itself, and a range that runs backwards is refused."""
    day = dt.date(2024, 2, 28)
    assert days_between(day, day) == (day,)
    assert [str(each) for each in days_between(day, dt.date(2024, 3, 1))] == ["2024-02-28", "2024-02-29", "2024-03-01"]
    with pytest.raises(BadDate):
        days_between(dt.date(2024, 3, 1), day)


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2024-01-05T02:00:00+00:00", "2024-01-04"),
        ("2024-01-05T01:59:59+00:00", "2024-01-03"),
        ("2024-01-05T00:00:00+00:00", "2024-01-03"),
        ("2024-01-05T23:59:59+00:00", "2024-01-04"),
        ("2024-01-01T02:00:00+00:00", "2023-12-31"),
        ("2024-03-01T02:00:00+00:00", "2024-02-29"),
        ("2024-01-05T03:00:00+01:00", "2024-01-04"),
        ("2024-01-05T02:59:59+01:00", "2024-01-03"),
        ("2024-01-04T21:00:00-05:00", "2024-01-04"),
        ("2024-01-05T07:30:00+05:30", "2024-01-04"),
    ],
)
def test_a_day_is_complete_from_two_in_the_morning_utc(now, day):
    """Before 02:00 UTC yesterday's last file is not there yet; the caller's time zone changes nothing."""
    assert str(last_complete_day(dt.datetime.fromisoformat(now))) == day


@LAW
@given(MOMENTS)
def test_the_last_complete_day_ended_between_2_and_26_hours_ago(now):
    """No later day would be complete, and no earlier one is the last."""
    after = last_complete_day(now) + dt.timedelta(days=1)
    ago = now - dt.datetime(after.year, after.month, after.day, tzinfo=dt.UTC)
    assert dt.timedelta(hours=2) <= ago < dt.timedelta(hours=26)


@LAW
@given(MOMENTS)
def test_the_last_complete_week_ends_with_the_last_complete_day(now):
    """Seven days in a row up to the last complete one."""
    week = last_complete_week(now)
    assert week[-1] == last_complete_day(now)
    assert [(week[-1] - day).days for day in week] == [6, 5, 4, 3, 2, 1, 0]


NOW = dt.datetime(2024, 1, 5, 23, 30, tzinfo=dt.timezone(dt.timedelta(hours=-1)))  # 00:30 on the 6th, UTC


@pytest.mark.parametrize("day", ["2015-05-01", "2020-02-29", "2024-01-05", "2024-01-06"])
def test_a_published_day_is_given_back(day):
    """From the first day of the files until today, as UTC has it."""
    assert published(iter([parse_day(day)]), NOW) == (parse_day(day),)


@pytest.mark.parametrize("day", ["2015-04-30", "0001-01-01", "2024-01-07", "9999-12-31"])
def test_an_unpublished_day_is_refused_among_others(day):
    """One day out of range spoils the question, wherever it stands, and is named."""
    with pytest.raises(DayOutOfRange, match=day):
        published([dt.date(2023, 1, 1), parse_day(day)], NOW)
