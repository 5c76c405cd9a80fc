"""Engines take turns: all of them once, then again, each in a process of its own; each one's best round counts.

The first round also pays for imports and cold pages and is not timed. This process stays small, because the peak of
memory of those it starts begins at its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.engines import installed, remarks, versions
from bench.needs import EXTRA

THREADS_OF = ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ARROW_NUM_THREADS", "RAYON_NUM_THREADS")


@dataclass(slots=True)
class Turns:
    """What an engine's rounds came to. ``peak_mb`` is that of the first round, before anything was compared."""

    seconds: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    parts: list[dict[str, float]] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)
    peak_mb: float = 0.0
    failed: bool = False

    @property
    def best(self) -> int:
        """Which of the rounds was the fastest; the first one counts only if there was no other."""
        timed = range(1, len(self.seconds)) if len(self.seconds) > 1 else range(1)
        return min(timed, key=self.seconds.__getitem__)


def compare(
    engines: Mapping[str, str], source: Path, scratch: Path, *, threads: int, rounds: int, once: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Measure all engines that are installed, and tell which are not.

    Args:
        engines: the module of each, by name; the answer of the first one is what the others' are compared with.
        source: what there is to work on.
        scratch: a directory for what they write.
        threads: how many each may use.
        rounds: how many are timed; with 0 there is only the one that pays for imports, and its times say little.
        once: engines so slow that their first round is their only one, and is timed.

    Returns:
        A JSON object: for each engine ``seconds`` (null if it failed) and the other figures of its best round,
        ``answers_equal``, and what was ``unequal``: for each engine that gave another answer or none, where it differs.
    """
    names = installed(engines)
    sys.stderr.writelines(f"{remark}; {EXTRA}\n" for remark in remarks(engines))
    turns = _take_turns(names, source, scratch, threads, rounds, once)
    finished = {name: turn for name, turn in turns.items() if not turn.failed}
    # An engine may answer nothing at all, as gunzip does.
    told = {name: [answer for answer in turn.answers if answer] for name, turn in finished.items()}
    truth = next(iter(told.values()))[0]
    differing = {
        name: sorted({key for answer in answers for key in truth if answer.get(key) != truth[key]})
        for name, answers in told.items()
    }
    unequal = {name: where for name, where in differing.items() if where}
    unequal |= {name: ["it failed"] for name, turn in turns.items() if turn.failed}
    return {
        "seconds": {name: None if turn.failed else turn.seconds[turn.best] for name, turn in turns.items()},
        "processor": {name: turn.processor[turn.best] for name, turn in finished.items()},
        "parts": {name: turn.parts[turn.best] for name, turn in finished.items() if turn.parts[turn.best]},
        "peak_mb": {name: turn.peak_mb for name, turn in finished.items()},
        "versions": versions(names),
        "threads": threads,
        "rounds": rounds,
        "once": [name for name in once if name in names],
        "unequal": unequal,
        # Of one answer alone nobody can say whether it is right.
        "answers_equal": not unequal if sum(map(bool, told.values())) > 1 else None,
    }


def _take_turns(
    names: Mapping[str, str], source: Path, scratch: Path, threads: int, rounds: int, once: tuple[str, ...]
) -> dict[str, Turns]:
    turns = {name: Turns() for name in names}
    with ExitStack() as running:
        processes = {
            name: running.enter_context(_started(name, module, source, scratch / name, threads))
            for name, module in names.items()
        }
        for number in range(rounds + 1):
            for name in [*processes]:
                _take(turns[name], name, processes[name])
                if number == rounds or name in once or turns[name].failed:
                    # What it holds in memory is the others' again.
                    _end(processes.pop(name))
    return turns


def _started(name: str, module: str, source: Path, scratch: Path, threads: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bench.turn", module, name, str(source), str(scratch), str(threads)]
    environment = os.environ | dict.fromkeys(THREADS_OF, str(threads))
    return subprocess.Popen(  # noqa: S603 our own module
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )


def _end(process: subprocess.Popen[str]) -> int:
    # What it was told after it had died would be written now.
    with suppress(BrokenPipeError):
        process.stdin.close()  # type: ignore[union-attr]  # a pipe, as asked for
    return process.wait()


def _take(turn: Turns, name: str, process: subprocess.Popen[str]) -> None:
    reply = _reply(process)
    if not reply:
        turn.failed = True
        told = f"{name} ended with {_end(process)} instead of an answer."
        if name == "wikiq":
            raise SystemExit(told)
        sys.stderr.write(f"  {told}\n")
        return
    told = json.loads(reply)
    turn.peak_mb = turn.peak_mb or told["peak_mb"]
    turn.seconds.append(told["seconds"])
    turn.processor.append(told["processor"])
    turn.parts.append(told["parts"])
    turn.answers.append(told["answer"])
    sys.stderr.write(f"  {name}: {told['seconds']:.2f} s\n")


def _reply(process: subprocess.Popen[str]) -> str:
    """What an engine answers to its turn; nothing, if it died before, or before it had answered."""
    try:
        process.stdin.write("\n")  # type: ignore[union-attr]  # pipes, as asked for
        process.stdin.flush()  # type: ignore[union-attr]
    except BrokenPipeError:
        return ""
    reply: str = process.stdout.readline()  # type: ignore[union-attr]
    return reply if reply.endswith("\n") else ""
