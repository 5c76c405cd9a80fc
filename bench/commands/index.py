"""``python -m bench index``: a wiki's index from generated dumps, at several sizes."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bench.growth import LIMITS, summary
from bench.growth import report as report_of
from bench.page import Row

HELP = "a wiki's index from generated dumps, at several sizes"


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--scale", type=float, help="only this size; 1 is English Wikipedia's")
    parser.add_argument("--scales", type=_scales, default="0.0125,0.025,0.05", help="sizes, separated by commas")
    parser.add_argument(
        "--columns", type=_scales, default="1", help="sizes of which only the building is measured, without SQL text"
    )
    parser.add_argument("--seed", type=int, default=7, help="another one gives another wiki")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", default=argparse.SUPPRESS, help="leave dumps and database there"
    )
    parser.add_argument("--small", action="store_true", default=argparse.SUPPRESS, help="a size that takes seconds")


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    from bench.index import measure as measured
    from bench.index import measure_columns

    scales = arguments.scales if arguments.scale is None else [arguments.scale]
    columns = arguments.columns
    if arguments.small:
        scales, columns = [0.00025], [0.00025]
    results = measured(scales, arguments.seed, arguments.keep)
    builds = measure_columns(columns, arguments.seed, arguments.keep)
    return summary(results, builds)


def report(result: dict[str, Any]) -> str:
    return report_of(result["results"], result["from_columns"])


def rows(result: dict[str, Any]) -> list[Row]:
    found = []
    for built in result["from_columns"]:
        peak = built["build"]["peak_mb"]
        limit = LIMITS["build peak MB"]
        what = f"peak memory of an index build at {built['scale']:g} of English Wikipedia"
        found.append(Row(what, f"{peak:,.0f} MB", f"≤ {limit:,} MB", peak <= limit))
    return found


def details(result: dict[str, Any]) -> str:
    return f"```text\n{report(result)}\n```"


def _scales(text: str) -> list[float]:
    scales = [float(scale) for scale in text.split(",")]
    if not scales or min(scales) <= 0:
        raise ValueError(text)
    return scales
