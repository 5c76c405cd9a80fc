"""Engines that die between or within their turns, and engines that are not installed."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# The benchmark is no part of what is installed; behind it, so that the application's own modules are the installed.
sys.path.append(str(ROOT))

from bench import engines, ratios  # noqa: E402 found only now, as are these
from bench.turns import compare  # noqa: E402

FOUND = importlib.util.find_spec


@pytest.fixture
def take_turns(tmp_path, monkeypatch):
    """Rounds of the engines of a module, by their names; every package seems to be there but for some."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "tests")]))

    def run(module, *names, rounds=2, without=()):
        monkeypatch.setattr(engines, "find_spec", lambda name: None if name in without else FOUND("polars"))
        monkeypatch.setattr("bench.turns.versions", lambda names: dict.fromkeys(names, "1"))
        return compare(
            dict.fromkeys(names, module), tmp_path / "source", tmp_path / "scratch", threads=1, rounds=rounds
        )

    return run


def test_an_engine_that_is_killed_between_its_turns_has_failed(take_turns, capfd):
    """Of an engine that is gone when its turn comes it is told how it ended; the others go on and are compared."""
    found = take_turns("dying_engines", "wikiq", "duckdb", "polars")
    assert found["seconds"]["duckdb"] is None
    assert found["unequal"] == {"duckdb": ["it failed"]}
    assert found["answers_equal"] is False
    assert found["seconds"]["polars"] is not None
    assert "duckdb ended with -9 instead of an answer." in capfd.readouterr().err


def test_an_engine_that_is_killed_within_its_turn_has_failed(take_turns, capfd):
    """So it is told of one that dies while it works."""
    found = take_turns("dying_engines", "wikiq", "duckdb", "pandas", rounds=0)
    assert found["unequal"] == {"pandas": ["it failed"]}
    assert "pandas ended with -9 instead of an answer." in capfd.readouterr().err


def test_without_wikiq_there_is_nothing_to_compare(take_turns):
    """If wikiq is killed between its turns the comparison ends with one sentence."""
    with pytest.raises(SystemExit, match=r"^wikiq ended with -9 instead of an answer\.$"):
        take_turns("dying_engines", "wikiq", "clickhouse")


def test_an_engine_that_is_not_there_is_named(take_turns, capfd):
    """Which engine is left out, why, and how to have it, is told before anything is timed."""
    found = take_turns("engine_samples", "wikiq", "clickhouse", "pandas", "polars", without=("chdb", "pyarrow"))
    assert set(found["seconds"]) == {"wikiq", "polars"}
    lines = capfd.readouterr().err.splitlines()
    assert lines[:2] == [
        "clickhouse is left out: chdb is not installed; pip install '.[bench]'",
        "pandas is left out: pyarrow is not installed; pip install '.[bench]'",
    ]
    assert not any("left out" in line for line in lines[2:])


def test_an_engine_that_is_slower_without_a_package_is_named(monkeypatch):
    """Unpacking without libdeflate is another floor, so it is told."""
    monkeypatch.setattr(engines, "find_spec", lambda name: None if name == "deflate" else FOUND("polars"))
    assert engines.remarks(["wikiq", "gunzip"]) == ["gunzip does without deflate, which is not installed"]
    monkeypatch.setattr(engines, "find_spec", lambda _name: FOUND("polars"))
    assert engines.remarks(["wikiq", "gunzip"]) == []


@pytest.mark.parametrize("equal", [True, None, False])
def test_a_table_says_whether_answers_were_compared(equal):
    """Below the seconds stands whether the answers are equal, or that there was but one."""
    result = {"threads": 2, "rounds": 1, "parts": {"wikiq": {"x": 1}}, "versions": {}, "answers_equal": equal}
    text = " ".join(ratios.notes({**result, "unequal": {} if equal is not False else {"duckdb": ["views"]}}))
    assert ("All answers are equal." in text) is (equal is True)
    assert ("NOTHING TO COMPARE WITH" in text) is (equal is None)
    assert ("ANOTHER ANSWER" in text) is (equal is False)
