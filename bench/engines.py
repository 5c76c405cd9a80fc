"""What is compared by ``bench hour``, ``day`` and ``rank``: one engine per way to do the same work.

An engine works in a process of its own (bench/turn.py), so nothing heavy is imported here: whoever starts a process
hands on its size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

Answer = Mapping[str, Any]
"""What comes out, as JSON; engines agree if theirs are equal."""


@dataclass(frozen=True, slots=True)
class Task:
    """``source`` holds what there is to work on, ``scratch`` is an empty directory of this round."""

    source: Path
    scratch: Path
    threads: int


@dataclass(frozen=True, slots=True)
class Engine:
    """``prepare`` and ``answer`` are not timed; what ``prepare`` gives is handed to the others.

    ``run`` may say how many seconds its parts took, and of processes of its own, together, their ``processor`` seconds
    and as ``peak_mb`` the MB that they had resident.
    """

    run: Callable[[Task, Any], Mapping[str, float] | None]
    answer: Callable[[Task, Any], Answer]
    prepare: Callable[[Task], Any] = lambda _task: None


NEEDS: Mapping[str, tuple[str, ...]] = {
    "wikiq": ("polars", "numpy", "isal"),
    "wikiq, one process": ("polars", "numpy", "isal"),
    "wikiq, a week": ("polars", "numpy", "isal"),
    "clickhouse": ("chdb", "chdb-core"),
    "duckdb": ("duckdb",),
    "polars": ("polars",),
    "pandas": ("pandas", "pyarrow"),
    "python loop": ("polars", "isal"),
    "gunzip": (),
    "gunzip by isal": ("isal",),
}
"""The packages of each engine, by their names in the index."""
_CAN_USE = {"gunzip": ("deflate",)}
_MODULES = {"chdb-core": "chdb"}


def installed(names: Mapping[str, str]) -> dict[str, str]:
    """Those of the engines whose packages are there."""
    return {name: module for name, module in names.items() if not _lacking(NEEDS[name])}


def remarks(names: Iterable[str]) -> list[str]:
    """Which of the engines are not what they would be if everything was installed, and why: a sentence for each."""
    found = []
    for name in names:
        left_out, slower = _lacking(NEEDS[name]), _lacking(_CAN_USE.get(name, ()))
        if left_out:
            found.append(f"{name} is left out: {' and '.join(left_out)} is not installed")
        elif slower:
            found.append(f"{name} does without {' and '.join(slower)}, which is not installed")
    return found


def versions(names: Mapping[str, str]) -> dict[str, str]:
    """The releases of the engines' packages: ``{"clickhouse": "chdb 4.4.0, chdb-core 26.9.0"}``."""
    return {name: ", ".join(f"{package} {version(package)}" for package in _used(name)) for name in names}


def _lacking(packages: Iterable[str]) -> list[str]:
    """The packages that are not there, by the names of their modules."""
    modules = dict.fromkeys(_MODULES.get(package, package) for package in packages)
    return [module for module in modules if find_spec(module) is None]


def _used(name: str) -> tuple[str, ...]:
    return NEEDS[name] + tuple(package for package in _CAN_USE.get(name, ()) if find_spec(package))
