"""``python -m bench hour [FILE]``: one hour file on disk to a committed tally of en.wikipedia, one thread.

Of a file of yours, ``--json`` prints one flat object: the seconds of each engine, and ``answers_equal``. Of a generated
file ``details`` are in it, too.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench import ratios
from bench.page import Row

HELP = "one hour file on disk to the committed tally of en.wikipedia, one thread"
FLOORS = ("gunzip", "gunzip by isal")
OTHERS = ("duckdb", "polars", "pandas", "python loop")
ENGINES = dict.fromkeys(("wikiq", "clickhouse", *OTHERS, *FLOORS), "bench.hour")
HOUR_LINES, SMALL_LINES = 5_200_000, 60_000
TARGET = 1.3


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", type=Path, help="an hour file; without one it is generated")
    parser.add_argument("--lines", type=int, default=HOUR_LINES, help="lines of the generated file")
    parser.add_argument("--rounds", type=int, default=5, help="the best of so many counts")
    parser.add_argument("--seed", type=int, default=7, help="another one gives another file")
    parser.add_argument("--small", action="store_true", default=argparse.SUPPRESS, help="a size that takes seconds")


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    from bench.generated import hour_file
    from bench.turns import compare

    lines, rounds = (SMALL_LINES, 0) if arguments.small else (arguments.lines, arguments.rounds)
    with tempfile.TemporaryDirectory(prefix="wikiq-bench-") as name:
        directory = Path(name)
        file = _linked(arguments.file, directory) if arguments.file else hour_file(directory, lines, arguments.seed)
        result = compare(ENGINES, file, directory / "scratch", threads=1, rounds=rounds)
        result["bytes"] = file.stat().st_size
    seconds, equal = result.pop("seconds"), result.pop("answers_equal")
    flat = {**seconds, "answers_equal": equal}
    if not (arguments.file and arguments.json):
        return {**flat, "details": result}
    for engine, where in result["unequal"].items():
        sys.stderr.write(f"{engine} gave another answer than wikiq: {', '.join(where)}\n")
    return flat


def report(result: dict[str, Any]) -> str:
    return ratios.text(_whole(result))


def rows(result: dict[str, Any]) -> list[Row]:
    whole = _whole(result)
    best = ratios.times_best(whole, OTHERS)
    clickhouse = ratios.times_best(whole, ["clickhouse"])
    told = [ratios.against(whole, name) for _, name in filter(None, (clickhouse, best))]
    floors = [f"{result['wikiq'] / result[name]:.1f} × {name} alone" for name in FLOORS if result.get(name)]
    floor = "".join(f"; {told}" for told in floors)
    reached = clickhouse is not None and clickhouse[0] <= TARGET and best is not None and best[0] < 1
    return [
        Row(
            "one hour file on disk to the committed tally of en.wikipedia, one thread",
            f"{', '.join(told)}{floor}",
            f"≤ {TARGET} × clickhouse, ahead of all others",
            reached,
        )
    ]


def details(result: dict[str, Any]) -> str:
    whole = _whole(result)
    by = "libdeflate's" if "deflate" in whole["versions"].get("gunzip", "") else "isal's, for want of libdeflate"
    return (
        f"A file of {whole['bytes'] / 1e6:.0f} MB; gunzip is {by}. wikiq commits to SQLite, the others "
        f"write Parquet.\n\n{ratios.markdown(whole)}"
    )


def _linked(file: Path, directory: Path) -> Path:
    """The file under a name that has no meaning in SQL, nor as a pattern of names."""
    if not file.is_file():
        raise SystemExit(f"There is no file {file}.")
    link = directory / "hour.gz"
    link.symlink_to(file.resolve())
    return link


def _whole(result: dict[str, Any]) -> dict[str, Any]:
    """The result as bench.turns.compare gave it."""
    seconds = {name: taken for name, taken in result.items() if name in ENGINES}
    return {**result["details"], "seconds": seconds, "answers_equal": result["answers_equal"]}
