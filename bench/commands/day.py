"""``python -m bench day``: 24 hour files on disk to the ranking of a day's literal titles, two cores.

The universe is the titles that were logged: all that a tool can rank without a wiki's page table.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bench import ratios
from bench.page import Row

HELP = "24 hour files on disk to the ranking of a day's titles, two cores"
ENGINES = {
    "wikiq": "bench.day_wikiq",
    "wikiq, one process": "bench.day_wikiq",
    "clickhouse": "bench.day_sql",
    "duckdb": "bench.day_sql",
    "polars": "bench.day_frames",
    "pandas": "bench.day_frames",
    "python loop": "bench.day_loop",
}
OTHERS = ("clickhouse", "duckdb", "polars", "pandas", "python loop")
ONCE = ("pandas", "python loop")
"""So slow that they have one round."""
HOUR_LINES, SMALL_LINES = 5_200_000, 10_000
TARGET = 1.0


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lines", type=int, default=HOUR_LINES, help="lines of each hour")
    parser.add_argument("--rounds", type=int, default=2, help="the best of so many days")
    parser.add_argument("--seed", type=int, default=7, help="another one gives another day")
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="DIR",
        default=argparse.SUPPRESS,
        help="leave the generated day there, and take it from there",
    )
    parser.add_argument("--small", action="store_true", default=argparse.SUPPRESS, help="a size that takes seconds")


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    from bench.generated import day_directory, kept
    from bench.turns import compare

    lines, rounds = (SMALL_LINES, 0) if arguments.small else (arguments.lines, arguments.rounds)
    with kept(arguments.keep) as directory:
        source = day_directory(directory, lines, arguments.seed)
        result = compare(ENGINES, source, directory / "scratch", threads=2, rounds=rounds, once=ONCE)
        result["bytes"] = sum(file.stat().st_size for file in source.glob("*.gz"))
    return result


def report(result: dict[str, Any]) -> str:
    return ratios.text(result)


def rows(result: dict[str, Any]) -> list[Row]:
    what = "a day of 24 such hours on two cores, from files to ranked answers"
    found = ratios.times_best(result, OTHERS)
    if found is None:
        return [
            Row(what, "nothing to compare with is installed", f"≤ {TARGET} × the best of the others", reached=False)
        ]
    times, best = found
    return [Row(what, ratios.against(result, best), f"≤ {TARGET} × the best of the others", times <= TARGET)]


def details(result: dict[str, Any]) -> str:
    return (
        f"24 files, {result['bytes'] / 1e6:,.0f} MB. wikiq counts in two processes, as `wikiq worker` does on two "
        "cores, commits each hour to SQLite, ranks from there and gives back the room that the hours took; nobody "
        "downloads. For pandas and the Python loop two processes read the files, and a third puts together what they "
        "found. Processor seconds and memory are those of all processes of an engine. Asked for are the most requested "
        "titles with desktop, mobile and hourly views, the least requested, how many tie there, and what name rules "
        f"exclude.\n\n{ratios.markdown(result)}"
    )
