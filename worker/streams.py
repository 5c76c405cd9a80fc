"""Sources that are sorted by title, walked through side by side: memory is bounded by a piece of each."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, Protocol, Self, TypeVar

import polars as pl

STEP_ROWS = 1 << 18
"""About how many rows are sorted at once: the larger, the fewer steps; the smaller, the less memory."""


class Cuttable(Protocol):
    """Rows in the order of their titles, that can be cut between two of them; a frame for one."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> Self: ...


Piece = TypeVar("Piece", bound=Cuttable)


def aligned(
    sources: Iterable[Iterable[Piece]], titles: Callable[[Piece], pl.Series], step_rows: int = STEP_ROWS
) -> Iterator[Sequence[Sequence[Piece]]]:
    """Cut sources into steps, so that all rows of a title are in one step.

    Args:
        sources: each gives pieces that are sorted by title from the first piece to the last; a title's rows are in one
            piece.
        titles: of each row of a piece (Binary).
        step_rows: about the most rows of a step.

    Yields:
        For each source its pieces between one title and another, which may be none, but not of every source. The titles
        of a step are greater than those of the step before.
    """
    heads = [_Head(source, titles) for source in sources]
    while going := sum(head.has_rows() for head in heads):
        reach = max(1, step_rows // going)
        # One that has no more rows than that may be read to its end.
        known = [title for head in heads if (title := head.title_at(reach)) is not None]
        cut = min(known, default=None)
        yield [list(head.take(cut)) for head in heads]


class _Head(Generic[Piece]):
    """The pieces of one source that are read, and not taken yet."""

    def __init__(self, pieces: Iterable[Piece], titles: Callable[[Piece], pl.Series]) -> None:
        self._coming = iter(pieces)
        self._titles = titles
        self._pieces = deque[Piece]()

    def has_rows(self) -> bool:
        return self._read(1)

    def title_at(self, reach: int) -> bytes | None:
        """The title so many rows ahead, None if there are fewer."""
        if not self._read(reach):
            return None
        for piece in self._pieces:
            if reach <= len(piece):
                break
            reach -= len(piece)
        title: bytes = self._titles(piece)[reach - 1]
        return title

    def take(self, cut: bytes | None) -> Iterator[Piece]:
        """The next rows, up to this title and with it, or all that are read."""
        while self._pieces:
            piece = self._pieces[0]
            end = len(piece) if cut is None else bisect_right(self._titles(piece), cut)
            if end:
                yield piece[:end]
            if end < len(piece):
                self._pieces[0] = piece[end:]
                return
            self._pieces.popleft()

    def _read(self, rows: int) -> bool:
        """Have so many rows, if there are."""
        missing = rows - sum(map(len, self._pieces))
        while missing > 0:
            piece = next(self._coming, None)
            if piece is None:
                return False
            if len(piece):
                self._pieces.append(piece)
            missing -= len(piece)
        return True
