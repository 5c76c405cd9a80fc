"""``python -m bench hour``: one hour file, all engines, one run."""

from __future__ import annotations

import resource
import time
from pathlib import Path

from bench.engines import Engine, answer_of, engines, gunzip


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


def table(seconds: dict[str, float], equal: bool) -> str:
    wikiq = seconds["wikiq"]
    lines = [f"{'engine':<12}  seconds  times wikiq"]
    lines += [
        f"{name:<12}  {time:7.2f}  {time / wikiq:11.2f}" for name, time in sorted(seconds.items(), key=lambda t: t[1])
    ]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    lines += [f"answers equal: {'yes' if equal else 'NO'}", f"peak memory of the whole run: {peak:.0f} MiB"]
    return "\n".join(lines)


def _timed(run: Engine, file: Path, out: Path) -> float:
    started = time.perf_counter()
    run(file, out)
    return time.perf_counter() - started
