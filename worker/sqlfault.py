"""The first byte of a SQL dump's rows that can stand in no row: slow and exact, for text already known to be faulty."""

from __future__ import annotations

import re
from dataclasses import dataclass

_IN_STRING = re.compile(rb"(?:[^'\\]+|\\.|''){1,1000}", re.DOTALL)
"""A piece of what a string holds. The whole of it would need a possessive quantifier, or memory for every escape;
Python has got the former right since 3.11.5 (https://github.com/python/cpython/issues/106052)."""

_BARE = re.compile(rb"[^',;()\\]*")


@dataclass(frozen=True, slots=True)
class Fault:
    place: int
    what: str


@dataclass(frozen=True, slots=True)
class Grammar:
    """Rows of ``width`` fields, in INSERT statements that begin with one of ``heads``."""

    width: int
    heads: tuple[bytes, bytes]
    max_row_bytes: int

    def first_fault(self, text: bytes, at: int) -> Fault | None:
        """The first fault from a row's beginning on; None if the text or the statement ends without one."""
        place: int | Fault | None = at
        while isinstance(place, int):
            place = self._behind_row(text, place)
        return place

    def _behind_row(self, text: bytes, at: int) -> int | Fault | None:
        """Where the next row may begin; None if the text or the statement ends before it."""
        begin = at + text.startswith(b"\n", at)
        place = _behind(b"(", text, begin, "text between rows")
        for number in range(self.width):
            if isinstance(place, int):
                place = self._behind_field(text, place, is_last=number == self.width - 1)
        end = len(text) if place is None else place.place if isinstance(place, Fault) else place
        if end - begin > self.max_row_bytes:
            return Fault(begin, f"a row of more than {self.max_row_bytes} bytes")
        return self._next_row(text, place) if isinstance(place, int) else place

    def _next_row(self, text: bytes, at: int) -> int | Fault | None:
        if not text.startswith(b";", at):
            return _behind(b",", text, at, "text behind a row")
        head = next((head for head in self.heads if text.startswith(b"\n" + head, at + 1)), None)
        return at + 1 + len(head) if head else None

    def _behind_field(self, text: bytes, at: int, *, is_last: bool) -> int | Fault | None:
        is_string = text.startswith(b"'", at)
        end = _behind_string(text, at) if is_string else _end(_BARE, text, at)
        if not is_string and text[end : end + 1] in {b"'", b"(", b"\\"}:
            return Fault(at, "a field that is neither a number, NULL nor a string in quotes")
        if text[end : end + 1] in {b",", b")", b";"}:
            what = f"a row that has not {self.width} fields"
        else:
            what = "text behind a string"
        return _behind(b")" if is_last else b",", text, end, what)


def _behind_string(text: bytes, at: int) -> int:
    """Where the string ends that begins here; the end of the text if it does not."""
    place = at + 1
    while (end := _end(_IN_STRING, text, place)) > place:
        place = end
    return place + 1 if text.startswith(b"'", place) else len(text)


def _end(pattern: re.Pattern[bytes], text: bytes, at: int) -> int:
    """Where the pattern ends that is looked for here; here, if it is not there."""
    found = pattern.match(text, at)
    return found.end() if found else at


def _behind(wanted: bytes, text: bytes, at: int, otherwise: str) -> int | Fault | None:
    if at >= len(text):
        return None
    return at + 1 if text.startswith(wanted, at) else Fault(at, otherwise)
