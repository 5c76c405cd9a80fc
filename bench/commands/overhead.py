"""``python -m bench overhead``: a week of hour files with one line each, where nothing but overhead takes time."""

from __future__ import annotations

import argparse
import os
from typing import Any

from bench.page import Row

HELP = "168 hour files of one line each, through Redis and without a broker"
TARGET_MS = 25
_NAMES = {"embedded": "without a broker", "redis": "through Redis"}


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=3, help="the best of so many counts")
    parser.add_argument("--concurrency", type=int, default=os.cpu_count() or 1, help="processes that count")
    parser.add_argument("--redis", metavar="URL", help="one that is empty and has run for a while; else one is started")
    parser.add_argument("--small", action="store_true", default=argparse.SUPPRESS, help="one round")


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    from bench.system import redis
    from bench.ways import WEEK, agrees, carry_out, generated, told

    rounds = 1 if arguments.small else arguments.rounds
    runs: dict[str, list[dict[str, Any]]] = {"embedded": [], "redis": []}
    with redis(arguments.redis) as url, generated(WEEK) as load:
        for _ in range(rounds):
            runs["embedded"].append(carry_out(load))
            runs["redis"].append(carry_out(load, broker_url=url, concurrency=arguments.concurrency))
    everything = [run for found in runs.values() for run in found]
    tasks = len(load.files)
    best = {way: told(min(found, key=lambda run: float(run["seconds"]))) for way, found in runs.items()}
    return {
        "tasks": tasks,
        "rounds": rounds,
        "concurrency": arguments.concurrency,
        "ways": {way: {**run, "ms_per_task": run["seconds"] / tasks * 1000} for way, run in best.items()},
        "holds": all(agrees(run, load) for run in everything),
        "answers_equal": all(run["answers"] == everything[0]["answers"] for run in everything),
    }


def report(result: dict[str, Any]) -> str:
    lines = ["way       ms per task  seconds  of these: start  end  peak MB"]
    lines += [
        f"{way:<8}  {run['ms_per_task']:>11.1f}  {run['seconds']:>7.2f}  {run['start']:>15.2f}  {run['tail']:>3.2f}"
        f"  {run['peak_mb']:>6.0f}"
        for way, run in result["ways"].items()
    ]
    return "\n".join([*lines, f"every hour exactly once, answers equal: {'yes' if _right(result) else 'NO'}"])


def rows(result: dict[str, Any]) -> list[Row]:
    return [
        Row(
            f"{result['tasks']} hour files of one line each, {_NAMES[way]}: the whole run by the number of tasks",
            f"{run['ms_per_task']:.0f} ms",
            f"≤ {TARGET_MS} ms",
            run["ms_per_task"] <= TARGET_MS,
        )
        for way, run in result["ways"].items()
    ]


def details(result: dict[str, Any]) -> str:
    what = (
        "The whole of `wikiq enqueue --week --log-titles`, its start and the rankings of seven days and the week "
        f"included, divided by {result['tasks']}; the best of {result['rounds']}. Through Redis "
        f"{result['concurrency']} processes count and one ranks."
    )
    heads = "| | ms per task | seconds | until the first transfer | after the last | peak MB |"
    lines = [
        f"| {_NAMES[way]} | {run['ms_per_task']:.1f} | {run['seconds']:.2f} | {run['start']:.2f} | {run['tail']:.2f}"
        f" | {run['peak_mb']:.0f} |"
        for way, run in result["ways"].items()
    ]
    return "\n".join([what, "", heads, "|---|---|---|---|---|---|", *lines])


def _right(result: dict[str, Any]) -> bool:
    return bool(result["holds"] and result["answers_equal"])
