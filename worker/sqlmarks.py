"""Where strings, delimiters and parentheses stand in the rows of a SQL dump, found 64 bytes at a time.

A mask of one bit per byte makes "inside a string" a matter of a few shifts, as in simdjson
(https://arxiv.org/abs/1902.08318, section 3.1).
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

WORD_BITS = 64

Bytes: TypeAlias = npt.NDArray[np.uint8]
Bits: TypeAlias = npt.NDArray[np.uint64]
Mask: TypeAlias = npt.NDArray[np.bool_]
Positions: TypeAlias = npt.NDArray[np.int64]

_SLICE_WORDS = 1 << 10
_MANY = 8
_PARENTHESIS, _EITHER = b"("[0], 0xFE  # an opening and a closing one differ in their last bit
_ONE, _LAST = np.uint64(1), np.uint64(WORD_BITS - 1)


class Marks(NamedTuple):
    """What a text of rows holds outside its strings, a bit per byte.

    ``faults`` are quotes that no delimiter or parenthesis stands beside, and backslashes outside strings.
    """

    delimiters: Bits
    semicolons: Bits
    parentheses: Bits
    faults: Bits


def mark(text: Bytes) -> Marks:
    """Mark a text that begins outside strings; its length is a multiple of 64 and its last byte a zero."""
    quotes, backslashes, commas, semicolons, parentheses = _find(text)
    quotes = _unescaped(quotes, backslashes)
    inside = parity(quotes)
    outside = ~inside
    delimiters, semicolons, parentheses = (commas | semicolons) & outside, semicolons & outside, parentheses & outside
    begins, behind = quotes & inside, _next(quotes & outside)
    doubled = begins & behind
    beside = delimiters | parentheses
    faults = begins & ~(_next(beside) | doubled) | behind & ~(beside | doubled) | backslashes & outside
    return Marks(delimiters, semicolons, parentheses, faults)


def positions(bits: Bits) -> Positions:
    """Where the bits stand that are set."""
    words = np.flatnonzero(bits)
    if len(words) * _MANY < len(bits):
        found = np.flatnonzero(_unpack(bits[words]))
        return words[found // WORD_BITS] * WORD_BITS + found % WORD_BITS
    found = np.empty(int(np.bitwise_count(bits).sum()), dtype=np.int64)
    done = 0
    for begin in range(0, len(bits), _SLICE_WORDS):
        here = np.flatnonzero(_unpack(bits[begin : begin + _SLICE_WORDS]))
        np.add(here, begin * WORD_BITS, out=found[done : done + len(here)])
        done += len(here)
    return found


def parity(bits: Bits) -> Bits:
    """Each bit xor all before it: what lies between two toggles, the first of them included."""
    within = bits.copy()
    for distance in (1, 2, 4, 8, 16, 32):
        within ^= within << np.uint64(distance)
    carried = np.bitwise_xor.accumulate(within >> _LAST)[:-1]
    within[1:] ^= np.uint64(0) - carried
    return within


def count(bits: Bits, end: int) -> int:
    """How many bits are set before ``end``."""
    words, rest = divmod(end, WORD_BITS)
    whole = int(np.bitwise_count(bits[:words]).sum())
    return whole + (int(bits[words]) & ((1 << rest) - 1)).bit_count() if rest else whole


def escaping(backslashes: Positions) -> Positions:
    """Of each run of backslashes the first, third, and so on: the others are what those escape."""
    alone = np.diff(backslashes, prepend=-2) != 1
    if alone.all():
        return backslashes
    firsts = np.flatnonzero(alone)
    order = np.arange(len(backslashes)) - firsts[np.cumsum(alone) - 1]
    odd: Positions = backslashes[order % 2 == 0]
    return odd


def _find(text: Bytes) -> Bits:
    """Bits for quotes, backslashes, commas, semicolons and parentheses, each in a row.

    This is done slice by slice, so that the masks stay in the processor's cache.
    """
    found = np.empty((5, len(text) // 8), dtype=np.uint8)
    mask = np.empty(_SLICE_WORDS * WORD_BITS, dtype=np.bool_)
    for begin in range(0, len(text), len(mask)):
        part = text[begin : begin + len(mask)]
        equal = mask[: len(part)]
        bits = found[:, begin // 8 : (begin + len(part)) // 8]
        for row, byte in enumerate(b"'\\,;"):
            bits[row] = np.packbits(np.equal(part, byte, out=equal), bitorder="little")
        either = np.bitwise_and(part, _EITHER, out=equal.view(np.uint8))
        bits[4] = np.packbits(np.equal(either, _PARENTHESIS, out=equal), bitorder="little")
    return found.view("<u8")


def _unescaped(quotes: Bits, backslashes: Bits) -> Bits:
    """The quotes that no backslash escapes: of a run of backslashes, every other one is escaped itself."""
    runs = backslashes & (_next(backslashes) | _previous(backslashes))
    quotes = quotes & ~_next(backslashes & ~runs)
    escaped = escaping(positions(runs)) + 1
    words, bits = escaped // WORD_BITS, _ONE << (escaped % WORD_BITS).astype(np.uint64)
    are_quotes = quotes[words] & bits != 0
    np.bitwise_xor.at(quotes, words[are_quotes], bits[are_quotes])
    return quotes


def _unpack(bits: Bits) -> Mask:
    return np.unpackbits(bits.view(np.uint8), bitorder="little").view(np.bool_)


def _next(bits: Bits) -> Bits:
    """Each bit moved to the byte behind it."""
    moved = bits << _ONE
    moved[1:] |= bits[:-1] >> _LAST
    return moved


def _previous(bits: Bits) -> Bits:
    """Each bit moved to the byte before it."""
    moved = bits >> _ONE
    moved[:-1] |= bits[1:] << _LAST
    return moved
