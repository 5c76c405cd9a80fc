"""``python -m bench hour``, ``index`` or ``leases``: what the documents quote, measured anew."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

HOUR_LINES = 5_200_000


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = parser.add_subparsers(dest="what", required=True)
    hour = commands.add_parser("hour", help="one hour file, wikiq beside other engines")
    hour.add_argument("file", nargs="?", type=Path, help="an hour file; without one it is generated")
    hour.add_argument("--lines", type=int, default=HOUR_LINES, help="lines of the generated file")
    hour.add_argument("--rounds", type=int, default=3, help="the best of so many counts")
    hour.set_defaults(run=_hour)
    index = commands.add_parser("index", help="a wiki's index from generated dumps, at several sizes")
    index.add_argument("--scale", type=float, help="only this size; 1 is English Wikipedia's")
    index.add_argument("--scales", type=_scales, default="0.0125,0.025,0.05", help="sizes, separated by commas")
    index.add_argument(
        "--columns", type=_scales, default=[], help="sizes of which only the building is measured, without SQL text"
    )
    index.add_argument("--seed", type=int, default=7, help="another one gives another wiki")
    index.add_argument("--keep", type=Path, metavar="DIR", help="leave dumps and database there")
    index.set_defaults(run=_index)
    leases = commands.add_parser("leases", help="downloads of a fixed duration through Redis, from 1, 2 and 3 sources")
    leases.add_argument("--downloads", type=int, default=48)
    leases.add_argument("--seconds", type=float, default=1.0, help="how long each takes")
    leases.add_argument("--threads", type=int, default=16, help="who ask for connections")
    leases.set_defaults(run=_leases)
    for command in (hour, index, leases):
        command.add_argument("--json", action="store_true", help="print one object instead of tables")
    arguments = parser.parse_args()
    report, success = arguments.run(arguments)
    sys.stdout.write(report + "\n")
    return 0 if success else 1


def _scales(text: str) -> list[float]:
    scales = [float(scale) for scale in text.split(",")]
    if not scales or min(scales) <= 0:
        raise ValueError(text)
    return scales


# What a command needs is imported by it: a measured child's peak would otherwise hold what its parent had loaded.
def _hour(arguments: argparse.Namespace) -> tuple[str, bool]:
    from bench.generate import write_hour
    from bench.hour import measure, table

    with tempfile.TemporaryDirectory(prefix="wikiq-bench-") as directory:
        file = arguments.file or Path(directory) / "hour.gz"
        if not arguments.file:
            write_hour(file, arguments.lines)
        seconds, equal = measure(file, arguments.rounds, Path(directory))
    return json.dumps({**seconds, "answers_equal": equal}) if arguments.json else table(seconds, equal), equal


def _index(arguments: argparse.Namespace) -> tuple[str, bool]:
    from bench.growth import holds, report, summary
    from bench.index import measure, measure_columns

    scales = arguments.scales if arguments.scale is None else [arguments.scale]
    results = measure(scales, arguments.seed, arguments.keep)
    builds = measure_columns(arguments.columns, arguments.seed, arguments.keep)
    text = json.dumps(summary(results, builds)) if arguments.json else report(results, builds)
    return text, holds(results)


def _leases(arguments: argparse.Namespace) -> tuple[str, bool]:
    from bench.leases import measure, table

    results = measure((1, 2, 3), arguments.downloads, arguments.seconds, arguments.threads)
    return json.dumps(results) if arguments.json else table(results), True


if __name__ == "__main__":
    sys.exit(main())
