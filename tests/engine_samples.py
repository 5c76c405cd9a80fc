"""Engines for bench/turns.py that say what they were given, so that the turns themselves can be tested."""

from __future__ import annotations

import time
from pathlib import Path

from bench.engines import Engine


def _run(task, seconds):
    (task.scratch / "left").touch()
    time.sleep(seconds.pop(0))
    return {"half": 1.5, "processor": 100.0, "peak_mb": 10_000.0}


def _answer(task, _):
    return {"views": 3, "threads": task.threads, "source": task.source.name}


def _other_answer(task, prepared):
    return {**_answer(task, prepared), "views": 4}


def _fail(_task, _):
    raise ValueError("no such column")


def _seconds_of_rounds(task):
    """The first round is the fastest, the second one faster than the third; nothing is left of the one before."""
    assert not any(task.scratch.iterdir())
    rounds = Path(task.scratch.parent / f"{task.scratch.name}.rounds")
    number = len(rounds.read_text()) if rounds.exists() else 0
    rounds.write_text("." * (number + 1))
    return [(0.0, 0.05, 0.3)[number]]


ENGINES = {
    "wikiq": Engine(_run, _answer, _seconds_of_rounds),
    "polars": Engine(_run, _answer, _seconds_of_rounds),
    "python loop": Engine(_run, _other_answer, _seconds_of_rounds),
    "gunzip": Engine(_fail, _answer),
}
