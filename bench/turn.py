"""``python -m bench.turn MODULE ENGINE SOURCE SCRATCH THREADS``: one engine's process; does a round per line it reads.

Each round answers with one JSON object: ``seconds`` and processor seconds of the run, ``parts`` of it, the most MB that
were resident until then, and the answer.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from bench.engines import Engine, Task


def main() -> None:
    module, name, source, scratch, threads = sys.argv[1:]
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what an engine prints is no reply
    _keep_to(int(threads))
    engine: Engine = import_module(module).ENGINES[name]
    for _ in sys.stdin:
        task = Task(Path(source), _empty(Path(scratch)), int(threads))
        replies.write(json.dumps(_round(engine, task)) + "\n")
        replies.flush()


def _keep_to(cores: int) -> None:
    """Settings tell an engine how many threads to use; this makes it so, where the system lets us."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-cores:])


def _empty(scratch: Path) -> Path:
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    return scratch


def _round(engine: Engine, task: Task) -> dict[str, Any]:
    prepared = engine.prepare(task)
    began, processor = time.perf_counter(), time.process_time()
    parts = dict(engine.run(task, prepared) or {})
    seconds, processor = time.perf_counter() - began, time.process_time() - processor
    peak = peak_mb() + parts.pop("peak_mb", 0.0)
    return {
        "seconds": seconds,
        "processor": processor + parts.pop("processor", 0.0),
        "parts": parts,
        "peak_mb": peak,
        "answer": engine.answer(task, prepared),
    }


def peak_mb() -> float:
    """The most that this process had resident, in 10**6 bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return (peak if sys.platform == "darwin" else peak * 1024) / 1e6


if __name__ == "__main__":
    main()
