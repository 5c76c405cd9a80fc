"""What was measured at several sizes -> tables, the line through it, and what that line says of the full size."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

LIMITS = {"build peak MB": 4_000, "stored MB": 600}
"""What English Wikipedia's index may take: memory to build it, and room in the database."""

NOTES = """\
What is a line here and what is not:
- stored MB and columns MB grow with the rows, and are all but a line. Numbers of articles take more bits in a larger
  wiki (23 of them at full size, 19 at a twentieth), titles share longer beginnings: the first adds, the second saves.
- build peak MB is a constant (the interpreter with its libraries, a few frames of a million rows), then a line: titles,
  ids, and eight bytes per membership. Below a scale of 0.05 most tables fit into one or two frames, so that part still
  grows; and freed memory is given back late, so two runs differ by some tens of MB. The larger the scales, the better.
- ranking peak MB has the day's 24 hours in it, which are merged at once up to five million rows, all of them up to a
  scale of 0.1, and in several batches in a larger wiki: the line is too steep.
- reading peak MB is bounded by the size of a frame; the line only shows how the first frame fills.
- seconds depend on what else the machine does."""

_PARTS = ("titles", "categories", "members", "hidden_members")
_REAL_ROWS = {
    "page": (2.4e9, 62e6),
    "redirect": (0.17e9, 11e6),
    "categorylinks": (2.5e9, 208e6),
}
"""Bytes of English Wikipedia's own dumps of 2026, and their rows."""

Result = Mapping[str, Any]


class Line(NamedTuple):
    """``y = constant + slope * x``; ``fit`` is the share of the variance that it explains."""

    constant: float
    slope: float
    fit: float

    def at(self, place: float) -> float:
        return self.constant + self.slope * place


def line(places: Sequence[float], values: Sequence[float]) -> Line:
    """The line of least squares through the points, of which there are at least two."""
    slope, constant = statistics.linear_regression(places, values)
    return Line(constant, slope, statistics.correlation(places, values) ** 2 if len(set(values)) > 1 else 1.0)


def report(results: Sequence[Result], from_columns: Sequence[Result] = ()) -> str:
    """All tables, as text; ``from_columns`` are those of which only the building was measured."""
    parts = [_dumps(results[-1]), _reading(results[-1]), _growth(results), _stored(results)]
    if from_columns:
        parts.append(_builds(from_columns))
    if len(results) > 1:
        parts += [_extrapolation(results), NOTES]
    return "\n\n".join([*parts, _verification(results, from_columns)])


def summary(results: Sequence[Result], from_columns: Sequence[Result] = ()) -> dict[str, Any]:
    """Everything as one object."""
    lines = {name: _line_of(results, value)._asdict() for name, value in _CURVES.items()} if len(results) > 1 else {}
    full = {name: _line_of(results, _CURVES[name]).at(1) for name in lines}
    return {
        "results": list(results),
        "from_columns": list(from_columns),
        "lines": lines,
        "at_scale_1": full,
        "limits": LIMITS,
        "holds": holds(results, from_columns),
    }


def holds(results: Sequence[Result], from_columns: Sequence[Result] = ()) -> bool:
    """Whether the index was right; limits are judged by whoever reads, because small sizes say little of them."""
    return not any(_faults(results, from_columns))


def _faults(results: Sequence[Result], from_columns: Sequence[Result]) -> Iterator[str]:
    """What is wrong with any of the indexes, each with its scale."""
    yield from (_at(results[0], fault) for fault in results[0]["faults"])
    yield from (_at(built, fault) for built in [*results, *from_columns] for fault in built["build"]["faults"])
    for result in results:
        yield from (_at(result, f"nothing of {name}") for name, table in result["read"].items() if not table["kept"])
    titles = {result["scale"]: result["build"]["stored"]["titles"] for result in results}
    for built in from_columns:
        own, scale = built["build"]["stored"]["titles"], built["scale"]
        if scale in titles and own != titles[scale]:
            yield _at(built, f"{own} bytes of titles from columns, {titles[scale]} from dumps")


def _at(result: Result, fault: str) -> str:
    return f"at scale {result['scale']:g}: {fault}"


def stored_mb(result: Result) -> float:
    return float(sum(result["build"]["stored"].values())) / 1e6


_CURVES: Mapping[str, Callable[[Result], float]] = {
    "build peak MB": lambda result: float(result["build"]["peak_mb"]),
    "build seconds": lambda result: float(result["build"]["seconds"]),
    "stored MB": stored_mb,
    "columns MB": lambda result: sum(result["build"]["columns"].values()) / 1e6,
    "ranking peak MB": lambda result: float(result["rank"]["peak_mb"]),
    "ranking seconds": lambda result: float(result["rank"]["seconds"]),
    "reading peak MB": lambda result: max(float(table["peak_mb"]) for table in result["read"].values()),
    "reading seconds": lambda result: sum(float(table["seconds"]) for table in result["read"].values()),
}


def _line_of(results: Sequence[Result], value: Callable[[Result], float]) -> Line:
    return line([result["scale"] for result in results], [value(result) for result in results])


def _dumps(result: Result) -> str:
    rows = []
    for table, (size, number) in _REAL_ROWS.items():
        own = {"page": 62e6, "redirect": 11e6}.get(table, 0) * result["scale"] or result["generate"]["link_rows"]
        rows.append([table, f"{result['files'][table] / own:.1f}", f"{size / number:.1f}"])
    return _table("Bytes of gzip per row: generated (level 1), English Wikipedia's", ["table", "here", "there"], rows)


def _reading(result: Result) -> str:
    rows = [
        [
            table,
            f"{read['unpacked'] / 1e6:.0f}",
            f"{read['seconds']:.2f}",
            f"{read['unpacked'] / 1e6 / read['seconds']:.0f}",
            f"{read['gunzip']:.2f}",
            f"{read['seconds'] / read['gunzip']:.1f}",
            f"{read['peak_mb']:.0f}",
        ]
        for table, read in result["read"].items()
    ]
    heads = ["table", "unpacked MB", "seconds", "MB/s", "gunzip s", "times gunzip", "peak MB"]
    return _table(f"Reading the dumps at scale {result['scale']:g}, until their columns are stored", heads, rows)


def _growth(results: Sequence[Result]) -> str:
    rows = [[f"{result['scale']:g}", *(f"{value(result):.1f}" for value in _CURVES.values())] for result in results]
    return _table("Growth", ["scale", *_CURVES], rows)


def _builds(results: Sequence[Result]) -> str:
    names = ["build peak MB", "build seconds", "stored MB", "columns MB"]
    rows = [[f"{result['scale']:g}", *(f"{_CURVES[name](result):.1f}" for name in names)] for result in results]
    return _table("Building alone, from columns without SQL text", ["scale", *names], rows)


def _stored(results: Sequence[Result]) -> str:
    rows = [
        [f"{result['scale']:g}", *(f"{result['build']['stored'].get(part, 0) / 1e6:.1f}" for part in _PARTS)]
        for result in results
    ]
    return _table("MB stored per part of the index", ["scale", *_PARTS], rows)


def _extrapolation(results: Sequence[Result]) -> str:
    rows = []
    for name, value in _CURVES.items():
        found, limit = _line_of(results, value), LIMITS.get(name)
        verdict = "" if limit is None else f"{'under' if found.at(1) < limit else 'OVER'} {limit:,}"
        rows.append(
            [name, f"{found.constant:.1f}", f"{found.slope:.0f}", f"{found.fit:.4f}", f"{found.at(1):,.0f}", verdict]
        )
    heads = ["", "constant", "per scale 1", "r²", "at scale 1", "limit"]
    return _table("Least squares through these, and at English Wikipedia's size", heads, rows)


def _verification(results: Sequence[Result], from_columns: Sequence[Result]) -> str:
    if faults := list(_faults(results, from_columns)):
        return "\n".join(["An index is WRONG:", *faults])
    others = ", ".join(f"{result['scale']:g}" for result in [*results[1:], *from_columns])
    found = f"The index of scale {results[0]['scale']:g} holds what was written, and the day's article views are right."
    return f"{found} Those of {others} have as many of everything as were drawn." if others else found


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[place]) for row in [heads, *rows]) for place in range(len(heads))]
    lines = [
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in [heads, *rows]
    ]
    return "\n".join([title, *lines])
