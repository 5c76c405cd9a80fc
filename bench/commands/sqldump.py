"""``python -m bench sqldump``: mysqldump text from gzip on disk to columns, beside a published parser and gunzip."""

from __future__ import annotations

import argparse
from typing import Any

from bench.page import Row

HELP = "mysqldump text to columns, wikiq beside mwsql and gunzip"
TARGET = 5.0
SCALE, SMALL_SCALE = 0.0125, 0.0002


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--scale", type=float, default=SCALE, help="how large a part of English Wikipedia")
    parser.add_argument("--rounds", type=int, default=3, help="the best of so many; mwsql has one")
    parser.add_argument("--seed", type=int, default=7, help="another one gives another wiki")
    parser.add_argument("--small", action="store_true", default=argparse.SUPPRESS, help="a size that takes seconds")


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    import tempfile
    from pathlib import Path

    from bench.sqldump import measure as measured

    scale, rounds = (SMALL_SCALE, 1) if arguments.small else (arguments.scale, arguments.rounds)
    with tempfile.TemporaryDirectory(prefix="wikiq-bench-") as directory:
        return measured(Path(directory), scale, arguments.seed, rounds)


def report(result: dict[str, Any]) -> str:
    cells = [_HEADS, *_cells(result)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]
    return "\n".join([*lines, _verdict(result)])


def rows(result: dict[str, Any]) -> list[Row]:
    target = f"≥ {TARGET:.0f} × mwsql"
    if not result["versions"]:
        return [Row("mysqldump text to columns", "mwsql is not installed", target, reached=False)]
    found = []
    for table, told in result["tables"].items():
        ratio, unpacking = _ratio(told, "mwsql", "wikiq"), _ratio(told, "wikiq", "gunzip")
        text = f"{ratio:.1f} × as fast as mwsql; {unpacking:.1f} × gunzip's time"
        found.append(Row(f"mysqldump text of `{table}` to columns", text, target, ratio >= TARGET))
    return found


def details(result: dict[str, Any]) -> str:
    about = (
        f"The dumps of an invented wiki, {result['scale']:g} of English Wikipedia's size, a statement to a line: mwsql "
        "does not read the newer layout. All use one thread, so ratios are of processor seconds. gunzip alone is "
        f"isal's, as in wikiq. Of wikiq and gunzip the least time and the largest peak of {result['rounds']} rounds, "
        f"of mwsql one. {_verdict(result)}"
    )
    lines = [
        about,
        "",
        "| " + " | ".join(_HEADS) + " |",
        "|" + "---|" * len(_HEADS),
    ]
    return "\n".join([*lines, *("| " + " | ".join(cells) + " |" for cells in _cells(result))])


_VERDICTS = {
    True: "All columns are equal.",
    False: "THE COLUMNS DIFFER.",
    None: "NOTHING TO COMPARE WITH is installed, so nobody knows whether the columns are right.",
}
_HEADS = ("table", "MB unpacked", "rows kept", "engine", "seconds", "processor s", "MB/s", "times gunzip", "peak MB")


def _cells(result: dict[str, Any]) -> list[tuple[str, ...]]:
    return [
        (
            *(table, f"{told['unpacked'] / 1e6:,.0f}", f"{told['rows']:,}", engine),
            *(f"{found['seconds']:.2f}", f"{found['processor']:.2f}"),
            f"{told['unpacked'] / 1e6 / found['processor']:,.0f}",
            *(f"{_ratio(told, engine, 'gunzip'):.1f}", f"{found['peak_mb']:,.0f}"),
        )
        for table, told in result["tables"].items()
        for engine, found in told["engines"].items()
    ]


def _ratio(told: dict[str, Any], slow: str, fast: str) -> float:
    """By processor seconds, which say the same of one thread and are steadier where other work goes on."""
    return float(told["engines"][slow]["processor"] / told["engines"][fast]["processor"])


def _verdict(result: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in result["versions"].items())
    measured = f" Measured: {versions}." if versions else ""
    return _VERDICTS[result["answers_equal"]] + measured
