"""Columns laid out within a terminal's width, and the few colours they wear."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from cli.render.safe import cell_width, cut

_GAP = "  "


class Role(StrEnum):
    """What a piece of text is; the value is its colour as SGR parameters (ECMA-48, 8.3.117)."""

    PLAIN = ""
    HEADING = "1"
    QUIET = "2"
    GOOD = "32"
    WARNING = "33"
    CHART = "36"


Paint = Callable[[str, Role], str]


def painter(*, colour: bool) -> Paint:
    """A function that puts a role's colour around text, or leaves it alone."""

    def paint(text: str, role: Role) -> str:
        return f"\x1b[{role.value}m{text}\x1b[0m" if colour and role.value and text.strip() else text

    return paint


@dataclass(frozen=True, slots=True)
class Column:
    """A column of cells under a heading.

    Attributes:
        width: at least so many terminal columns; once fitted, exactly so many.
        stretch: the one column of a grid that is cut when room is short.
        yields_below: the column is left out rather than cut the stretching one below this width.
    """

    heading: str
    cells: tuple[str, ...]
    width: int = 0
    right: bool = False
    stretch: bool = False
    yields_below: int = 0
    role: Role = Role.PLAIN
    heading_role: Role = Role.QUIET

    @property
    def natural(self) -> int:
        return max(self.width, cell_width(self.heading), widest(self.cells))

    def padded(self, rows: int) -> Column:
        return replace(self, cells=self.cells + ("",) * (rows - len(self.cells)))


def widest(cells: Iterable[str]) -> int:
    """The terminal columns of the widest cell."""
    return max(map(cell_width, cells), default=0)


def numbers(heading: str, cells: Iterable[int], width: int = 0, yields_below: int = 0) -> Column:
    """A right-aligned column of counts with thousands separators."""
    return Column(heading, tuple(f"{n:,}" for n in cells), width, right=True, yields_below=yields_below)


def natural_width(columns: Sequence[Column]) -> int:
    """How many terminal columns a grid takes when nothing is cut."""
    return sum(column.natural for column in columns) + len(_GAP) * (len(columns) - 1)


def fit(columns: Sequence[Column], width: int) -> tuple[Column, ...]:
    """The columns that have a place in ``width``, each with its final width."""
    kept = tuple(columns)
    wanted = max(widest((column.heading, *column.cells)) for column in columns if column.stretch)
    for threshold in sorted({column.yields_below for column in columns} - {0}, reverse=True):
        if _room(kept, width) < min(wanted, threshold):
            kept = tuple(column for column in kept if column.yields_below != threshold)
    room = _room(kept, width)
    return tuple(
        replace(column, width=min(column.natural, room) if column.stretch else column.natural) for column in kept
    )


def draw(columns: Sequence[Column], paint: Paint) -> list[str]:
    """Fitted columns as lines: the headings, if there are any, and the rows."""
    rows = [
        [_cell(column, text, paint, column.role) for column, text in zip(columns, row, strict=True)]
        for row in zip(*(column.cells for column in columns), strict=True)
    ]
    headings = [_cell(column, column.heading, paint, column.heading_role) for column in columns]
    lines = [headings, *rows] if any(column.heading for column in columns) else rows
    return [_GAP.join(line).rstrip() for line in lines]


def flow(items: Iterable[str], width: int, separator: str, indent: str = "") -> list[str]:
    """Items side by side in as few lines as the width allows; later lines start with ``indent``."""
    lines: list[str] = []
    for item in items:
        joined = f"{lines[-1]}{separator}{item}" if lines else item
        if lines and cell_width(joined) <= width:
            lines[-1] = joined
        else:
            lines.append(cut(f"{indent if lines else ''}{item}", width))
    return lines


def _room(columns: Sequence[Column], width: int) -> int:
    fixed = [column for column in columns if not column.stretch]
    return width - sum(column.natural + len(_GAP) for column in fixed)


def _cell(column: Column, text: str, paint: Paint, role: Role) -> str:
    short = cut(text, column.width)
    blanks = " " * (column.width - cell_width(short))
    painted = paint(short, role)
    return blanks + painted if column.right else painted + blanks
