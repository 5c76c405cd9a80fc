"""``python -m bench hour [FILE] [--lines N] [--rounds N] [--json]``: one hour file, all engines, one run."""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from bench.engines import Engine, answer_of, engines, gunzip
from bench.generate import FULL_LINES, write_hour


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("what", choices=["hour"], help="what to measure")
    parser.add_argument("file", nargs="?", type=Path, help="an hour file; without one it is generated")
    parser.add_argument("--lines", type=int, default=FULL_LINES, help="lines of the generated file")
    parser.add_argument("--rounds", type=int, default=3, help="the best of so many counts")
    parser.add_argument("--json", action="store_true", help="print one object instead of a table")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wikiq-bench-") as directory:
        file = arguments.file or Path(directory) / "hour.gz"
        if not arguments.file:
            write_hour(file, arguments.lines)
        seconds, equal = measure(file, arguments.rounds, Path(directory))
    report = json.dumps({**seconds, "answers_equal": equal}) if arguments.json else _table(seconds, equal)
    sys.stdout.write(report + "\n")
    return 0 if equal else 1


def measure(file: Path, rounds: int, directory: Path) -> tuple[dict[str, float], bool]:
    """The best time of each engine in seconds, and whether all of them gave the same answer."""
    out = directory / "out.parquet"
    answers, seconds = set(), {}
    for name, run in engines().items():
        run(file, out)  # the first run also pays for imports and cold pages; it is not timed
        answers.add(answer_of(out))
        seconds[name] = min(_timed(run, file, out) for _ in range(rounds))
    seconds["gunzip"] = min(_timed(gunzip, file, out) for _ in range(rounds))
    return seconds, len(answers) == 1


def _timed(run: Engine, file: Path, out: Path) -> float:
    started = time.perf_counter()
    run(file, out)
    return time.perf_counter() - started


def _table(seconds: dict[str, float], equal: bool) -> str:
    wikiq = seconds["wikiq"]
    lines = [f"{'engine':<12}  seconds  times wikiq"]
    lines += [
        f"{name:<12}  {time:7.2f}  {time / wikiq:11.2f}" for name, time in sorted(seconds.items(), key=lambda t: t[1])
    ]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    lines += [f"answers equal: {'yes' if equal else 'NO'}", f"peak memory of the whole run: {peak:.0f} MiB"]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
