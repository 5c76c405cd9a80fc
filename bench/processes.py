"""Processes that an engine spreads its files over, and what they used."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from importlib import import_module

from bench.engines import Answer, Task
from bench.turn import peak_mb


@dataclass(frozen=True, slots=True)
class Used:
    """Which process did something, in how many processor seconds, and how many MB it has had resident until then."""

    process: int
    processor: float
    peak_mb: float


def used_since(began: float) -> Used:
    """What this process used since its ``time.process_time()`` was that."""
    return Used(os.getpid(), time.process_time() - began, peak_mb())


def started(number: int, module: str) -> ProcessPoolExecutor:
    """So many processes that are up and have imported the module, as workers that wait for tasks have."""
    spawn = multiprocessing.get_context("spawn")
    processes = ProcessPoolExecutor(number, mp_context=spawn, initializer=import_module, initargs=(module,))
    list(processes.map(_wait_a_moment, range(number)))
    return processes


@dataclass(frozen=True, slots=True)
class Spread:
    """Processes that files are spread over, and the answers that were made of what they found."""

    processes: ProcessPoolExecutor
    answers: list[Answer] = field(default_factory=list)

    @staticmethod
    def answer(_task: Task, spread: Spread) -> Answer:
        spread.processes.shutdown()
        return spread.answers[0]


def spread_over(module: str) -> Callable[[Task], Spread]:
    """How an engine prepares that has as many processes as threads are allowed."""
    return lambda task: Spread(started(task.threads, module))


def of_others(used: Iterable[Used]) -> Mapping[str, float]:
    """What all other processes used together, as an engine's run tells it."""
    others = [each for each in used if each.process != os.getpid()]
    peaks: dict[int, float] = {}
    for each in others:
        peaks[each.process] = max(each.peak_mb, peaks.get(each.process, 0.0))
    return {"processor": sum(each.processor for each in others), "peak_mb": sum(peaks.values())}


def _wait_a_moment(_: int) -> None:
    """Long enough for every process to be given one of these."""
    time.sleep(0.2)
