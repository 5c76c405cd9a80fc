"""Sources that are sorted by title, walked through side by side: memory is bounded by a frame of each."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor

import polars as pl

from worker.ahead import ahead
from worker.tally import SCHEMA, tally_of

STEP_ROWS = 1 << 18
"""About how many rows are sorted at once: the larger, the fewer steps; the smaller, the less memory."""


def aligned(sources: Iterable[Iterable[pl.DataFrame]], step_rows: int = STEP_ROWS) -> Iterator[list[pl.DataFrame]]:
    """Cut sources into steps, so that all rows of a title are in one step.

    Args:
        sources: each gives frames with a column ``title``, sorted by it from the first frame to the last; a title's
            rows are in one frame.
        step_rows: about the most rows of a step.

    Yields:
        The rows of each source that has any between one title and another. The titles of a step are greater than those
        of the step before.
    """
    heads = [_Head(source) for source in sources]
    while heads := [head for head in heads if head.has_rows()]:
        reach = max(1, step_rows // len(heads))
        # One that has no more rows than that may be read to its end.
        known = [title for head in heads if (title := head.title_at(reach)) is not None]
        cut = min(known, default=None)
        yield [piece for head in heads if len(piece := head.take(cut))]


def merged(
    sources: Sequence[Iterable[pl.DataFrame]], threads: Executor, step_rows: int = STEP_ROWS
) -> Iterable[pl.DataFrame]:
    """The tally of all sources' tallies, as a stream; it is added up in these threads."""
    return sources[0] if len(sources) == 1 else ahead(_added, aligned(sources, step_rows), threads, 1)


def _added(pieces: Sequence[pl.DataFrame]) -> pl.DataFrame:
    return tally_of(pl.concat(pieces)) if len(pieces) > 1 else pieces[0]


class _Head:
    """The rows of one source that are read, and not taken yet."""

    def __init__(self, frames: Iterable[pl.DataFrame]) -> None:
        self._frames = iter(frames)
        self._rows = SCHEMA.to_frame()

    def has_rows(self) -> bool:
        return self._read(1)

    def title_at(self, reach: int) -> bytes | None:
        """The title so many rows ahead, None if there are fewer."""
        return self._rows["title"][reach - 1] if self._read(reach) else None

    def take(self, cut: bytes | None) -> pl.DataFrame:
        """The next rows, up to this title and with it, or all."""
        end = len(self._rows) if cut is None else bisect_right(self._rows["title"], cut)
        taken, self._rows = self._rows[:end], self._rows[end:]
        return taken

    def _read(self, rows: int) -> bool:
        """Have so many rows, if there are."""
        while len(self._rows) < rows:
            frame = next(self._frames, None)
            if frame is None:
                return False
            self._rows = pl.concat([self._rows, frame]) if len(self._rows) else frame
        return True
