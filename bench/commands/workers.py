"""``python -m bench workers``: a day's hours from a server without limits, counted by 1, 2 and 4 worker processes.

Each worker is ``wikiq worker -Q count -c 1`` on one Redis and one SQLite file; a further one ranks. Each is held to one
CPU, as a pod with a limit of one is; in a last run a single worker may use all of them. The budget of three connections
to the source stays: who counts needs none, so four workers seldom want a fourth.
"""

from __future__ import annotations

import argparse
import os
from typing import Any

from bench.page import Row

HELP = "a day's hours from a server without limits, by 1, 2 and 4 workers"
TARGET, TARGET_MB = 1.8, 600


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--lines", type=int, help="of each hour file; by default as many as real ones have")
    parser.add_argument("--rounds", type=int, default=2, help="the best of so many")
    parser.add_argument("--redis", metavar="URL", help="one that is empty and has run for a while; else one is started")
    parser.add_argument(
        "--small", action="store_true", default=argparse.SUPPRESS, help="1 and 2 workers, once, 20,000 lines a file"
    )


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    from bench.system import redis
    from bench.ways import FULL_LINES, agrees, carry_out, generated, told

    lines, rounds, workers = arguments.lines or FULL_LINES, arguments.rounds, arguments.workers
    if arguments.small:
        lines, rounds, workers = 20_000, 1, [1, 2]
    runs: dict[int, list[dict[str, Any]]] = {number: [] for number in workers}
    with_all_cpus = []
    with redis(arguments.redis) as url, generated(1, lines) as load:
        for _ in range(rounds):
            for number, found in runs.items():
                found.append(carry_out(load, broker_url=url, workers=number, one_cpu_each=True))
            if not arguments.small:
                with_all_cpus.append(carry_out(load, broker_url=url))
    everything = [run for found in (*runs.values(), with_all_cpus) for run in found]
    best = {str(number): told(min(found, key=lambda run: float(run["counting"]))) for number, found in runs.items()}
    alone = best[str(workers[0])]["counting"] * workers[0]
    return {
        "cpus": os.cpu_count(),
        "lines": lines,
        "hours": len(load.files),
        "rounds": rounds,
        "workers": {number: {**run, "speed_up": alone / run["counting"]} for number, run in best.items()},
        "one_with_all_cpus": min((run["counting"] for run in with_all_cpus), default=None),
        "holds": all(agrees(run, load) for run in everything),
        "answers_equal": all(run["answers"] == everything[0]["answers"] for run in everything),
    }


def report(result: dict[str, Any]) -> str:
    lines = [
        f"{result['hours']} hours of {result['lines']:,} lines, {result['cpus']} CPUs",
        "workers  counting: seconds  times one worker  peak MB",
    ]
    lines += [
        f"{number:>7}  {run['counting']:>17.1f}  {run['speed_up']:>16.2f}  {run['peak_mb']:>7.0f}"
        for number, run in result["workers"].items()
    ]
    right = result["holds"] and result["answers_equal"]
    return "\n".join([*lines, *_one(result), f"every hour exactly once, answers equal: {'yes' if right else 'NO'}"])


def rows(result: dict[str, Any]) -> list[Row]:
    two, peak = result["workers"].get("2"), max(run["peak_mb"] for run in result["workers"].values())
    memory = Row("peak memory of a process that counts", f"{peak:.0f} MB", f"≤ {TARGET_MB} MB", peak <= TARGET_MB)
    if two is None:
        return [memory]
    name = f"two workers of one CPU each, on {result['cpus']} CPUs, source without limits"
    return [Row(name, f"{two['speed_up']:.2f} × one", f"≥ {TARGET} ×", two["speed_up"] >= TARGET), memory]


def details(result: dict[str, Any]) -> str:
    what = (
        f"{result['hours']} hour files of {result['lines']:,} lines on {result['cpus']} CPUs, from the first byte to "
        f"the last commit; the best of {result['rounds']}. Each worker is held to one CPU; Redis, the server and the "
        "worker that ranks use them, too."
    )
    lines = [
        f"| {number} | {run['counting']:.1f} | {run['speed_up']:.2f} | {run['peak_mb']:.0f} |"
        for number, run in result["workers"].items()
    ]
    return "\n".join(
        [
            " ".join([what, *_one(result)]),
            "",
            "| workers | seconds | times one worker | peak MB |",
            "|---|---|---|---|",
            *lines,
        ]
    )


def _one(result: dict[str, Any]) -> list[str]:
    seconds, two = result["one_with_all_cpus"], result["workers"].get("2")
    if seconds is None:
        return []
    beside = f", to which two of one CPU are {seconds / two['counting']:.2f} ×" if two else ""
    return [f"A single worker that may use all CPUs takes {seconds:.1f} s{beside}."]
