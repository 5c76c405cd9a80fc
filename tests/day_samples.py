"""Days as plain dicts, one per hour, and as the slices that they become."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import oracle
from hypothesis import strategies as st
from strategies import frame, hourly, plain, titles

from models.hour import HOURS_IN_DAY
from worker.day import DaySlice, slices_of
from worker.tally import merge

Day = Mapping[int, oracle.Tally]

VIEWS = st.one_of(st.integers(0, 40), st.sampled_from([255, 256, 2**32, 10**15, 2**53 + 1]))
TALLIES = st.dictionaries(titles(), st.tuples(VIEWS, VIEWS).filter(any), max_size=8)
DAYS = st.dictionaries(st.integers(0, HOURS_IN_DAY - 1), TALLIES, max_size=6)
"""Some hours, some of them without a view; titles repeat from hour to hour."""


def sources_of(day: Day, size: int = 3) -> list[list[object]]:
    """Each hour's rows, in frames of that many."""
    return [list(hourly(frame(tally), hour).iter_slices(size)) for hour, tally in day.items()]


def sliced(day: Day, step_rows: int = 5) -> list[DaySlice]:
    return [views() for views in slices_of(sources_of(day), step_rows)]


def hours_in(slices: Iterable[DaySlice], hours: Iterable[int]) -> dict[int, dict[bytes, tuple[int, int]]]:
    """What slices say of some hours, as plain dicts."""
    slices = list(slices)
    return {hour: plain(merge(views.tally(hour) for views in slices)) for hour in hours}
