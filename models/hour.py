"""Hours, days and weeks in UTC, and the hour files that hold them.

An hour is named by its START everywhere in wikiq. Only the file name knows the END:
``pageviews-20240104-000000.gz`` holds 2024-01-03 23:00-24:00
(https://wikitech.wikimedia.org/wiki/Data_Platform/Data_Lake/Traffic/Pageviews).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass

from models.errors import BadDate, DayOutOfRange

FIRST_DAY = dt.date(2015, 5, 1)
DAYS_IN_WEEK = 7
HOURS_IN_DAY = 24
PUBLICATION_DELAY = dt.timedelta(hours=2)
"""A file appears about this long after its hour has ended."""

_ONE_HOUR = dt.timedelta(hours=1)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_HOUR = re.compile(r"(\d{4}-\d{2}-\d{2})T(\d{2}):00Z", re.ASCII)
_STAMP = re.compile(r"(\d{8})-(\d{2})0000", re.ASCII)


@dataclass(frozen=True, order=True, slots=True)
class Hour:
    """One UTC hour, named by its start."""

    day: dt.date
    hour: int

    def __post_init__(self) -> None:
        if not 0 <= self.hour < HOURS_IN_DAY:
            raise BadDate(f"A day has the hours 0 to 23, not {self.hour}.")

    def __str__(self) -> str:
        return f"{self.day.isoformat()}T{self.hour:02d}:00Z"

    @property
    def start(self) -> dt.datetime:
        return dt.datetime.combine(self.day, dt.time(self.hour), tzinfo=dt.UTC)

    @property
    def end(self) -> dt.datetime:
        return self.start + _ONE_HOUR

    @property
    def stamp(self) -> str:
        """The file's name for this hour: its end, ``20240104-000000``."""
        return self.end.strftime("%Y%m%d-%H0000")

    @property
    def file_name(self) -> str:
        return f"pageviews-{self.stamp}.gz"

    @property
    def path(self) -> str:
        """Where the file lies below a source; the folder follows the file's name."""
        return f"other/pageviews/{self.end:%Y}/{self.end:%Y-%m}/{self.file_name}"


def parse_hour(text: str) -> Hour:
    """Read ``2024-01-03T23:00Z``.

    Raises:
        BadDate: the text is not such an hour.
    """
    match = _HOUR.fullmatch(text)
    if match is None:
        raise BadDate(f"An hour is written 2024-01-03T23:00Z, not {text!r}.")
    return Hour(parse_day(match[1]), int(match[2]))


def hour_of_stamp(stamp: str) -> Hour:
    """The hour that a file stamped with its end, ``20240104-000000``, holds.

    Raises:
        BadDate: the text is not a file stamp.
    """
    match = _STAMP.fullmatch(stamp)
    if match is None or int(match[2]) >= HOURS_IN_DAY:
        raise BadDate(f"A file stamp is written 20240104-000000, not {stamp!r}.")
    day = parse_day(f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]}")
    try:
        start = dt.datetime.combine(day, dt.time(int(match[2]))) - _ONE_HOUR
    except OverflowError as error:
        raise BadDate(f"The calendar has no hour before {stamp}.") from error
    return Hour(start.date(), start.hour)


def parse_day(text: str) -> dt.date:
    """Read ``2024-01-03``.

    Raises:
        BadDate: the text is not such a day, or the calendar has no such day.
    """
    if _DAY.fullmatch(text) is None:
        raise BadDate(f"A day is written YYYY-MM-DD, like 2024-01-03, not {text!r}.")
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise BadDate(f"The calendar has no day {text}.") from error


def hours_of(day: dt.date) -> tuple[Hour, ...]:
    """The day's 24 hours."""
    return tuple(Hour(day, hour) for hour in range(HOURS_IN_DAY))


def days_between(first: dt.date, last: dt.date) -> tuple[dt.date, ...]:
    """Every day from first to last, both included.

    Raises:
        BadDate: the last day lies before the first.
    """
    if last < first:
        raise BadDate(f"The last day {last} lies before the first day {first}.")
    return tuple(first + dt.timedelta(days=n) for n in range((last - first).days + 1))


def week_from(first: dt.date) -> tuple[dt.date, ...]:
    """The seven days that begin with the given one.

    Raises:
        BadDate: the calendar ends within the week.
    """
    try:
        return days_between(first, first + dt.timedelta(days=DAYS_IN_WEEK - 1))
    except OverflowError as error:
        raise BadDate(f"The calendar has no week from {first}.") from error


def last_complete_day(now: dt.datetime) -> dt.date:
    """The latest UTC day whose last hour file can be expected to exist."""
    return (now.astimezone(dt.UTC) - PUBLICATION_DELAY).date() - dt.timedelta(days=1)


def last_complete_week(now: dt.datetime) -> tuple[dt.date, ...]:
    """The seven UTC days that end with the last complete one."""
    last = last_complete_day(now)
    return week_from(last - dt.timedelta(days=DAYS_IN_WEEK - 1))


def published(days: Iterable[dt.date], now: dt.datetime) -> tuple[dt.date, ...]:
    """The same days, if the source can have an hour of each.

    Raises:
        DayOutOfRange: a day lies before 2015-05-01 or has not begun.
    """
    checked = tuple(days)
    today = now.astimezone(dt.UTC).date()
    for day in checked:
        if day < FIRST_DAY:
            raise DayOutOfRange(f"Hourly pageview files begin on {FIRST_DAY}; {day} lies before.")
        if day > today:
            raise DayOutOfRange(f"{day} has not begun; today is {today} (UTC).")
    return checked
