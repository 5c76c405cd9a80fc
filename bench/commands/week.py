"""``python -m bench week``: a week from a server with Wikimedia's limits, against what the network alone would take.

The server holds three connections of 5 MiB/s each, as the real one does, and the files are ``--scale`` times smaller
than real ones. What a byte costs weighs as much as it does there; what a file or the whole run costs, so many times as
much.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bench.page import Row

HELP = "a week from a server that holds 3 connections and 5 MiB/s each, against the network's own floor"
TARGET = 1.05
_NAMES = {"embedded": "without a broker", "redis": "through Redis"}


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--scale", type=int, default=1, help="how many times smaller the files are than real ones")
    parser.add_argument("--concurrency", type=int, default=6, help="processes that count")
    parser.add_argument("--redis", metavar="URL", help="one that is empty and has run for a while; else one is started")
    parser.add_argument(
        "--small", action="store_true", default=argparse.SUPPRESS, help="a day of files of a hundred kilobytes"
    )
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="DIR",
        default=argparse.SUPPRESS,
        help="leave the generated files there, and take them from there",
    )


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    from bench.site import AT_ONCE_BYTES, CONNECTIONS, RATE
    from bench.system import redis
    from bench.ways import FULL_LINES, WEEK, agrees, carry_out, generated, told

    days, scale = (1, 400) if arguments.small else (WEEK, arguments.scale)
    with redis(arguments.redis) as url, generated(days, FULL_LINES // scale, arguments.keep) as load:
        runs = {
            "embedded": carry_out(load, rate=RATE),
            "redis": carry_out(load, rate=RATE, broker_url=url, concurrency=arguments.concurrency),
        }
    floor = sum(size - AT_ONCE_BYTES for size in load.files.values()) / (CONNECTIONS * RATE)
    return {
        "scale": scale,
        "files": len(load.files),
        "bytes": sum(load.files.values()),
        "connections": CONNECTIONS,
        "rate": RATE,
        "concurrency": arguments.concurrency,
        "floor": floor,
        "ways": {way: {**told(run), "ratio": run["seconds"] / floor} for way, run in runs.items()},
        "holds": all(agrees(run, load) for run in runs.values()),
        "answers_equal": runs["embedded"]["answers"] == runs["redis"]["answers"],
    }


def report(result: dict[str, Any]) -> str:
    lines = [
        f"{_load(result)}; the network alone: {result['floor']:.1f} s",
        "way       seconds  ratio  start  after the last byte  peak MB",
    ]
    lines += [
        f"{way:<8}  {run['seconds']:>7.1f}  {run['ratio']:>5.3f}  {run['start']:>5.1f}  {run['tail']:>19.1f}"
        f"  {run['peak_mb']:>7.0f}"
        for way, run in result["ways"].items()
    ]
    right = result["holds"] and result["answers_equal"]
    return "\n".join([*lines, f"every hour exactly once, answers equal: {'yes' if right else 'NO'}"])


def rows(result: dict[str, Any]) -> list[Row]:
    return [
        Row(
            f"a week from a server with Wikimedia's limits, {_NAMES[way]}",
            f"{run['ratio']:.3f} × the network alone",
            f"≤ {TARGET} ×",
            run["ratio"] <= TARGET,
        )
        for way, run in result["ways"].items()
    ]


def details(result: dict[str, Any]) -> str:
    load = (
        f"{_load(result)}. The network alone takes {result['floor']:.1f} s. Without a broker all is one process; "
        f"through Redis {result['concurrency']} processes count and one ranks. The seconds are those of the whole "
        "command, with its start, seven days and the week ranked. Every file is another; a quarter of a day's titles "
        "were not there the day before."
    )
    heads = (
        "| | seconds | times the network | before the first byte | after the last byte | peak MB, counting | ranking |"
    )
    lines = [
        f"| {_NAMES[way]} | {run['seconds']:.1f} | {run['ratio']:.3f} | {run['start']:.1f} | {run['tail']:.1f}"
        f" | {run['peak_mb']:.0f} | {run['rank_peak_mb']:.0f} |"
        for way, run in result["ways"].items()
    ]
    return "\n".join([load, "", heads, "|---|---|---|---|---|---|---|", *lines])


def _load(result: dict[str, Any]) -> str:
    size = result["bytes"] / result["files"] / 1e6
    return (
        f"{result['files']} files of {size:.1f} MB (1/{result['scale']} of real ones), "
        f"{result['connections']} connections of {result['rate'] / 2**20:.0f} MiB/s"
    )
