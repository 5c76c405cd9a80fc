"""Going through the titles of an index once, in their order."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import polars as pl

from worker.wiki.index import PART_SCHEMAS, Part


class Walk:
    """One walk through the frames of ``Part.TITLES``."""

    def __init__(self, frames: Iterable[pl.DataFrame]) -> None:
        self._frames = iter(frames)
        self._frame: pl.DataFrame | None = None

    def along(self, titles: pl.Series) -> Iterator[tuple[int, int, pl.DataFrame]]:
        """What the index has of titles that are sorted, and not less than those that were asked for before.

        Yields:
            Where some of these titles begin and end, and the rows of the index that hold those of them that are there.
        """
        begin = 0
        while begin < len(titles) and (frame := self._at(titles[begin])) is not None:
            names = frame["title"]
            end = bisect_right(titles, names[-1])
            yield begin, end, frame[bisect_left(names, titles[begin]) : bisect_right(names, titles[end - 1])]
            begin = end
        if begin < len(titles):
            yield begin, len(titles), PART_SCHEMAS[Part.TITLES].to_frame()

    def _at(self, title: bytes) -> pl.DataFrame | None:
        """The frame in which the title is, if it is in any."""
        while self._frame is None or self._frame.is_empty() or self._frame["title"][-1] < title:
            self._frame = next(self._frames, None)
            if self._frame is None:
                return None
        return self._frame


def meanings(titles: pl.Series, known: pl.DataFrame) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """For each title the number of the article it means, -1 for none, and whether it leads there as a redirect.

    Args:
        titles: any.
        known: the rows of the index that hold those of them that are there.
    """
    articles, redirects = np.full(len(titles), -1, dtype=np.int64), np.zeros(len(titles), dtype=np.bool_)
    found = titles.alias("title").to_frame().with_row_index("row").join(known, on="title")
    places = found["row"].to_numpy()
    articles[places], redirects[places] = found["article"].to_numpy(), found["redirect"].to_numpy()
    return articles, redirects
