"""The engines of a day: what their processes used, and what is within the time that is taken."""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT))  # the benchmark is no part of the installed application

from bench.commands import day  # noqa: E402 found only now
from bench.engines import Task  # noqa: E402
from bench.generate import DAY, write_day  # noqa: E402
from bench.processes import Used, of_others, started  # noqa: E402
from models.hour import hours_of  # noqa: E402


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A directory of a day's hour files."""
    directory = tmp_path_factory.mktemp("day")
    write_day(directory, hours_of(DAY), 1_000)
    return directory


def test_a_process_is_as_large_as_it_ever_was():
    """Processor seconds add up; of each process the largest peak counts, and the own one is told elsewhere."""
    used = [Used(1, 1.0, 100.0), Used(2, 2.0, 50.0), Used(1, 4.0, 120.0), Used(1, 8.0, 110.0), Used(os.getpid(), 9, 9)]
    assert of_others(used) == {"processor": 15.0, "peak_mb": 170.0}
    assert of_others(used[-1:]) == {"processor": 0, "peak_mb": 0}


def is_imported(module):
    """Whether this process has imported a module."""
    return module in sys.modules


def test_processes_are_up_before_anything_is_timed():
    """There are as many as asked for, and each of them has imported the module."""
    with started(2, "bench.day_loop") as processes:
        assert len(processes._processes) == 2
        assert list(processes.map(is_imported, ["bench.day_loop"] * 4)) == [True] * 4


def test_the_room_of_a_day_is_given_back_within_its_time(files, tmp_path):
    """The parts of wikiq's run are counting, ranking and giving room back, and no page is free after them."""
    from bench.day_wikiq import ENGINES

    engine, task = ENGINES["wikiq, one process"], Task(files, tmp_path, 2)
    opened = engine.prepare(task)
    parts = engine.run(task, opened)
    with closing(sqlite3.connect(tmp_path / "wikiq.sqlite")) as database:
        assert database.execute("PRAGMA freelist_count").fetchone() == (0,)
    assert {"counting", "ranking", "giving room back"} <= set(parts)
    assert engine.answer(task, opened)["project_views"] > 0


@pytest.mark.parametrize("small", [False, True])
def test_the_same_tools_do_the_same_at_every_size(monkeypatch, tmp_path, small):
    """None is left out where it takes long; the slow ones have one round then."""
    given = {}

    def compare(engines, *_, **options):
        given.update(engines=set(engines), **options)
        return {}

    monkeypatch.setattr("bench.turns.compare", compare)
    monkeypatch.setattr("bench.generated.day_directory", lambda *_: tmp_path)
    day.measure(argparse.Namespace(small=small, lines=10, rounds=2, seed=7, keep=tmp_path))
    assert given["engines"] == set(day.ENGINES) >= {"pandas", "python loop"}
    assert set(given["once"]) == {"pandas", "python loop"}
