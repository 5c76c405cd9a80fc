"""A day's views by title and hour: what 24 tallies become when they are kept together, and how that is stored.

A day is a sequence of slices, each with greater titles than the one before. Each title is stored once, with a bit for
each of its hours; most views of an hour fit into one byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from operator import itemgetter

import numpy as np
import numpy.typing as npt
import polars as pl

from models.hour import HOURS_IN_DAY
from worker.block import from_block, to_block
from worker.streams import STEP_ROWS, aligned
from worker.tally import SCHEMA

HOURLY = pl.Schema({"title": pl.Binary(), "hour": pl.UInt8(), "desktop": pl.UInt64(), "mobile": pl.UInt64()})
"""Rows of several hours: the views of a title in an hour of the day, 0 to 23."""

_LARGE = 15
"""Views from which on they are not stored in four bits."""
_BITS = ("hours_0_to_7", "hours_8_to_15", "hours_16_to_23")

Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]
Views = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class DaySlice:
    """The views of some titles in each hour of a day.

    Attributes:
        titles: Binary, ascending, each once.
        hours: a bit for each hour in which a title has views, three bytes a title; the lowest bit of the first byte is
            hour 0. Every title has one or more.
        desktop: the views in each of these hours, title by title.
        mobile: likewise.
    """

    titles: pl.Series
    hours: npt.NDArray[np.uint8]
    desktop: Views
    mobile: Views

    def __len__(self) -> int:
        return len(self.titles)

    def __getitem__(self, part: slice) -> DaySlice:
        """Some titles that follow each other, with their views."""
        begin, end, _ = part.indices(len(self))
        first = int(np.bitwise_count(self.hours[:begin]).sum())
        last = first + int(np.bitwise_count(self.hours[begin:end]).sum())
        views = slice(first, last)
        return DaySlice(self.titles[begin:end], self.hours[begin:end], self.desktop[views], self.mobile[views])

    @property
    def places(self) -> Places:
        """For each of the views 24 times its title's number in this slice, and the hour."""
        return _places(self.hours)

    def total(self) -> pl.DataFrame:
        """The tally of all hours."""
        lengths = self._lengths
        firsts = np.cumsum(lengths) - lengths
        sums = {"desktop": np.add.reduceat(self.desktop, firsts), "mobile": np.add.reduceat(self.mobile, firsts)}
        return pl.DataFrame({"title": self.titles, **sums}, schema=SCHEMA)

    def rows(self, *, without: Iterable[int] = ()) -> pl.DataFrame:
        """Rows of ``HOURLY``, of all hours but some."""
        places = self.places
        chosen = np.flatnonzero(np.isin(places % HOURS_IN_DAY, list(without), invert=True))
        return pl.DataFrame(
            {
                "title": self.titles.gather(places[chosen] // HOURS_IN_DAY),
                "hour": (places[chosen] % HOURS_IN_DAY).astype(np.uint8),
                "desktop": self.desktop[chosen],
                "mobile": self.mobile[chosen],
            },
            schema=HOURLY,
        )

    def tally(self, hour: int) -> pl.DataFrame:
        """The tally of one hour."""
        rows = self.rows(without=set(range(HOURS_IN_DAY)) - {hour})
        return rows.select(SCHEMA.names())

    def some(self, chosen: Flags) -> tuple[Places, Places, Views]:
        """The views of the chosen titles: the title's number among those chosen, the hour, and its views."""
        places = _places(self.hours[chosen])
        every = self._lengths
        firsts, lengths = (np.cumsum(every) - every)[chosen], every[chosen]
        at = np.arange(len(places)) + np.repeat(firsts - (np.cumsum(lengths) - lengths), lengths)
        return places // HOURS_IN_DAY, places % HOURS_IN_DAY, self.desktop[at] + self.mobile[at]

    @property
    def _lengths(self) -> Places:
        """In how many hours each title has views."""
        morning, day, evening = np.bitwise_count(self.hours).T
        lengths: Places = (morning + day + evening).astype(np.int64)
        return lengths


Slice = Callable[[], DaySlice]
"""A slice that is still to be made: a day comes as these, so that its slices can be made in several threads."""


@dataclass(frozen=True, slots=True)
class PackedSlice:
    """A slice as three Parquet blocks.

    Attributes:
        titles: ``title``, and a bit for each of its hours in ``hours_0_to_7`` … ``hours_16_to_23`` (the lowest bit is
            the first hour).
        views: ``pair`` UInt8 for each of these bits, title by title and hour by hour: 16 times the desktop views and
            the mobile views, or 255 where either are 15 or more.
        large: ``desktop`` and ``mobile`` UInt64 for each 255.
    """

    titles: bytes
    views: bytes
    large: bytes


def slices_of(sources: Sequence[Iterable[pl.DataFrame]], step_rows: int = STEP_ROWS) -> Iterator[Slice]:
    """The slices of a day that is given as sources of ``HOURLY`` rows, each sorted by title."""
    return (partial(_slice_of_pieces, pieces) for pieces in aligned(sources, itemgetter("title"), step_rows))


def slice_of(rows: pl.DataFrame) -> DaySlice:
    """The slice of these rows of ``HOURLY``, at least one, in any order.

    Raises:
        ValueError: a title has two rows of the same hour.
    """
    # A stable sort is quick where the rows are sorted stretches one after the other, as they mostly are.
    ordered = rows.sort("title", maintain_order=True)
    titles, hours, desktop, mobile = ordered["title"], *(ordered[name].to_numpy() for name in HOURLY.names()[1:])
    begins = np.append(True, (titles[1:] != titles[:-1]).to_numpy())
    places = (np.cumsum(begins) - 1) * HOURS_IN_DAY + hours
    if not _ascending(places):
        by_hour = np.argsort(places)
        places, desktop, mobile = places[by_hour], desktop[by_hour], mobile[by_hour]
        if not _ascending(places):
            raise ValueError("a title has two counts of the same hour")
    known = titles.gather(np.flatnonzero(begins))
    bits = np.zeros(len(known) * HOURS_IN_DAY, dtype=np.uint8)
    bits[places] = 1
    return DaySlice(known, np.packbits(bits, bitorder="little").reshape(-1, len(_BITS)), desktop, mobile)


def _slice_of_pieces(pieces: Sequence[Sequence[pl.DataFrame]]) -> DaySlice:
    return slice_of(pl.concat(chain.from_iterable(pieces)))


def pack(views: DaySlice) -> PackedSlice:
    """The slice as it is stored."""
    desktop, mobile = (np.minimum(column, _LARGE).astype(np.uint8) for column in (views.desktop, views.mobile))
    is_large = np.maximum(desktop, mobile) == _LARGE
    pairs = np.where(is_large, np.uint8(255), desktop << 4 | mobile)
    large = {"desktop": views.desktop[is_large], "mobile": views.mobile[is_large]}
    hours = [pl.Series(name, np.ascontiguousarray(column)) for name, column in zip(_BITS, views.hours.T, strict=True)]
    return PackedSlice(
        titles=to_block(pl.DataFrame([views.titles.alias("title"), *hours])),
        views=to_block(pl.DataFrame({"pair": pairs})),
        large=to_block(pl.DataFrame(large)),
    )


def unpack(packed: PackedSlice) -> DaySlice:
    """The slice that ``pack`` stored."""
    known = from_block(packed.titles)
    hours = np.stack([known[name].to_numpy() for name in _BITS], axis=1)
    pairs = from_block(packed.views)["pair"].to_numpy()
    desktop, mobile = (pairs >> 4).astype(np.uint64), (pairs & 15).astype(np.uint64)
    large, exact = np.flatnonzero(pairs == 255), from_block(packed.large)  # noqa: PLR2004 as PackedSlice says
    desktop[large], mobile[large] = exact["desktop"].to_numpy(), exact["mobile"].to_numpy()
    return DaySlice(known["title"], hours, desktop, mobile)


def _places(hours: npt.NDArray[np.uint8]) -> Places:
    return np.flatnonzero(np.unpackbits(hours.ravel(), bitorder="little"))


def _ascending(places: Places) -> bool:
    return bool((places[1:] > places[:-1]).all())
