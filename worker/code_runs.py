"""The lines of a block by their domain code.

An hour file is sorted by domain code, so a block holds few runs of lines with the same one. Only the first line of each
run is compared with the codes that are asked for. In a file in any other order the runs are shorter, at worst a line
each: that takes longer and finds the same lines.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from worker.line_fields import Bytes, Flags, Lines, Positions

_LONG_CODE = 16
"""Domain codes are shorter, such as ``zh-classical.m``; a line whose code is longer is a run of its own."""


class CodeRuns(NamedTuple):
    """Runs of neighbouring lines with the same domain code, of one block.

    ``first`` is the number of each run's first line, ``lines`` how many it has; that line's code begins at ``begin`` in
    the text and has ``width`` bytes. Two neighbouring runs may have the same code.
    """

    text: Bytes
    first: Positions
    lines: Positions
    begin: Positions
    width: Positions


def code_runs(text: Bytes, lines: Lines) -> CodeRuns:
    width = lines.code_end - lines.begin
    first = _firsts(text, lines.begin, width)
    return CodeRuns(text, first, np.diff(first, append=len(width)), lines.begin[first], width[first])


def lines_of(code: bytes, runs: CodeRuns) -> slice | Flags | None:
    """What selects the code's lines among the block's; None if it has none there."""
    chosen = np.flatnonzero(runs.width == len(code))
    for place, byte in enumerate(code):
        chosen = chosen[runs.text[runs.begin[chosen] + place] == byte]
        if not len(chosen):
            break
    if not len(chosen):
        return None
    if len(chosen) == 1:
        first = int(runs.first[chosen[0]])
        return slice(first, first + int(runs.lines[chosen[0]]))
    flags = np.zeros(len(runs.first), dtype=np.bool_)
    flags[chosen] = True
    return np.repeat(flags, runs.lines)


def _firsts(text: Bytes, begin: Positions, width: Positions) -> Positions:
    same = (width[1:] == width[:-1]) & (width[1:] <= _LONG_CODE)
    for place in range(min(int(width.max(initial=0)), _LONG_CODE)):
        # Only the last line's shorter code can lie so near the end that the place is clipped.
        byte = text[place:].take(begin, mode="clip")
        same &= (byte[1:] == byte[:-1]) | (width[1:] <= place)
    return np.flatnonzero(np.concatenate(([len(width) > 0], ~same)))
