"""A wiki's index: which titles exist, which article each means, and which articles each category has.

An article is a page of namespace 0 that is neither a redirect nor the main page. Articles are numbered from 0 in the
order of their titles' bytes, and so are categories; a smaller number therefore wins a tie. The index is kept in parts,
each a sequence of frames:

===============  =====================================================================================================
titles           sorted by ``title`` (Binary): ``article`` UInt32, ``redirect`` Boolean; every article, and every
                 redirect that leads to one
categories       in the order of their numbers: ``name`` Binary, ``hidden`` Boolean, ``members`` UInt32; those with at
                 least one member
members          ``step`` Int32: the members of the visible categories, one category after the other, each one's
                 ascending, a frame holding whole categories; each member is stored as its article number less that of
                 the one before in the frame, which compresses to a third
hidden_members   the same for hidden (maintenance) categories
===============  =====================================================================================================
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt
import polars as pl

from models.siteinfo import Siteinfo
from models.snapshot import Figures
from worker.block import compact

Numbers = npt.NDArray[np.uint32]


class Part(StrEnum):
    """A sequence of frames of an index."""

    TITLES = "titles"
    CATEGORIES = "categories"
    MEMBERS = "members"
    HIDDEN_MEMBERS = "hidden_members"


PART_SCHEMAS: Mapping[Part, pl.Schema] = {
    Part.TITLES: pl.Schema({"title": pl.Binary(), "article": pl.UInt32(), "redirect": pl.Boolean()}),
    Part.CATEGORIES: pl.Schema({"name": pl.Binary(), "hidden": pl.Boolean(), "members": pl.UInt32()}),
    Part.MEMBERS: pl.Schema({"step": pl.Int32()}),
    Part.HIDDEN_MEMBERS: pl.Schema({"step": pl.Int32()}),
}


def steps_of(members: Numbers) -> npt.NDArray[np.int32]:
    """How far each number is from the one before, the first from 0; article numbers have at most 31 bits."""
    signed = members.view(np.int32)
    return signed - np.concatenate((np.zeros(1, dtype=np.int32), signed[:-1]))


def numbers_of(steps: npt.NDArray[np.int32]) -> Numbers:
    """The numbers that have these steps."""
    return np.cumsum(steps, dtype=np.int32).view(np.uint32)


@dataclass(frozen=True, slots=True)
class Members:
    """The members of some categories.

    Attributes:
        numbers: of the categories, ascending.
        begins: for each, where its members begin.
        steps: all members, category by category, as they are stored.
    """

    numbers: Numbers
    begins: Numbers
    steps: npt.NDArray[np.int32]

    def articles(self) -> Numbers:
        """The members' article numbers."""
        return numbers_of(self.steps)


@dataclass(frozen=True, slots=True)
class WikiIndex:
    """An index that can be read any number of times.

    Attributes:
        run: the date of the dump run.
        siteinfo: of the same run.
        figures: what it holds.
        frames: gives a part's frames, in order.
    """

    run: dt.date
    siteinfo: Siteinfo
    figures: Figures
    frames: Callable[[Part], Iterable[pl.DataFrame]] = field(repr=False)

    def categories(self) -> pl.DataFrame:
        """All categories, as one frame."""
        return pl.concat([PART_SCHEMAS[Part.CATEGORIES].to_frame(), *self.frames(Part.CATEGORIES)])

    def members(self, categories: pl.DataFrame, *, hidden: bool = False) -> Iterator[Members]:
        """The members of all visible, or all hidden, categories, some categories at a time, in order."""
        chosen = np.flatnonzero(categories["hidden"].to_numpy() == hidden).astype(np.uint32)
        ends = np.cumsum(categories["members"].to_numpy()[chosen], dtype=np.int64)
        begins = ends - categories["members"].to_numpy()[chosen]
        done = rows = 0
        for frame in self.frames(Part.HIDDEN_MEMBERS if hidden else Part.MEMBERS):
            until = int(np.searchsorted(ends, rows + len(frame), side="right"))
            yield Members(chosen[done:until], (begins[done:until] - rows).astype(np.uint32), frame["step"].to_numpy())
            done, rows = until, rows + len(frame)

    def names_of(self, articles: Numbers) -> pl.DataFrame:
        """The rows of ``Part.TITLES`` that mean one of some articles: its title, and redirects that lead to it."""
        wanted = np.zeros(self.figures.articles, dtype=np.bool_)
        wanted[articles] = True
        frames = (
            compact(frame.filter(pl.Series(wanted[frame["article"].to_numpy()]))) for frame in self.frames(Part.TITLES)
        )
        return pl.concat([PART_SCHEMAS[Part.TITLES].to_frame(), *frames])
