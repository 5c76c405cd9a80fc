"""``python -m bench results``: commands that only look, from their start to the prompt."""

from __future__ import annotations

import argparse
from typing import Any

from bench.page import Row

HELP = "wikiq results and other commands that only look, from start to prompt"
TARGET = 0.5
DEPTH, SMALL_DEPTH = 1_000, 20


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=15, help="how often each command is timed")
    parser.add_argument("--small", action="store_true", default=argparse.SUPPRESS, help="once each, on short lists")


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    import tempfile
    from pathlib import Path

    from bench.start import measure as measured

    rounds, depth = (1, SMALL_DEPTH) if arguments.small else (arguments.rounds, DEPTH)
    with tempfile.TemporaryDirectory(prefix="wikiq-bench-") as directory:
        return measured(Path(directory), rounds, depth)


def report(result: dict[str, Any]) -> str:
    lines = [f"{'wikiq …':<22}  median s  best s  processor s"]
    lines += [
        f"{name:<22}  {found['seconds']:>8.2f}  {found['best']:>6.2f}  {found['processor']:>11.2f}"
        for name, found in result["commands"].items()
    ]
    return "\n".join([*lines, f"shown as stored: {'yes' if result['holds'] else 'NO'}"])


def rows(result: dict[str, Any]) -> list[Row]:
    seconds = result["commands"]["results"]["seconds"]
    what = "`wikiq results DAY`, from start to prompt"
    return [Row(what, f"{seconds:.2f} s", f"≤ {TARGET} s", seconds <= TARGET)]


def details(result: dict[str, Any]) -> str:
    lines = [
        f"On a terminal, from a complete week whose lists have {result['depth']:,} rows; of {result['rounds']} rounds.",
        "",
        "| `wikiq …` | median s | best s | processor s |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| `{name}` | {found['seconds']:.2f} | {found['best']:.2f} | {found['processor']:.2f} |"
        for name, found in result["commands"].items()
    ]
    return "\n".join(lines)
