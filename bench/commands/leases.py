"""``python -m bench leases``: downloads of a fixed duration through Redis, from 1, 2 and 3 sources."""

from __future__ import annotations

import argparse
from typing import Any

from bench.page import Row

HELP = "downloads of a fixed duration through Redis, from 1, 2 and 3 sources"
TARGET = 1.8


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--downloads", type=int, default=48)
    parser.add_argument("--seconds", type=float, default=1.0, help="how long each takes")
    parser.add_argument("--threads", type=int, default=16, help="who ask for connections")
    parser.add_argument("--small", action="store_true", default=argparse.SUPPRESS, help="a size that takes seconds")


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    from bench.leases import measure as measured

    downloads, seconds = (12, 0.3) if arguments.small else (arguments.downloads, arguments.seconds)
    results = measured((1, 2, 3), downloads, seconds, arguments.threads)
    # Who is quicker than that held more connections than there are.
    return {"results": results, "holds": all(found["seconds"] >= found["ideal"] for found in results)}


def report(result: dict[str, Any]) -> str:
    lines = ["sources  seconds  ideal  times the first"]
    lines += [
        f"{found['sources']:>7}  {found['seconds']:>7.1f}  {found['ideal']:>5.1f}  {_gain(result, found):>15.2f}"
        for found in result["results"]
    ]
    return "\n".join(lines)


def rows(result: dict[str, Any]) -> list[Row]:
    gain = _gain(result, result["results"][1])
    return [Row("downloads through Redis from two sources", f"{gain:.2f} × one", f"≥ {TARGET} ×", gain >= TARGET)]


def details(result: dict[str, Any]) -> str:
    lines = ["| sources | seconds | ideal | times one source |", "|---|---|---|---|"]
    lines += [
        f"| {found['sources']} | {found['seconds']:.1f} | {found['ideal']:.1f} | {_gain(result, found):.2f} |"
        for found in result["results"]
    ]
    return "\n".join(lines)


def _gain(result: dict[str, Any], found: dict[str, float]) -> float:
    return float(result["results"][0]["seconds"] / found["seconds"])
