"""The world that rankings are measured on, and the ranking that is timed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT))  # the benchmark is no part of the installed application

from bench.engines import Task  # noqa: E402 found only now

DAYS = 2


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A small world's directory, and what it tells of itself."""
    directory = tmp_path_factory.mktemp("world")
    command = [sys.executable, "-m", "bench.rank_world", str(directory), "--scale", "0.0005", "--days", str(DAYS)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return directory, json.loads(done.stdout)


def test_the_views_of_articles_are_those_of_titles_that_mean_one(world):
    """What is told of the first day is what its tallies have for titles of articles, and not all that they have."""
    import polars as pl

    directory, made = world
    assert len(made["article_views"]) == DAYS
    tallies = pl.read_parquet(directory / "tallies" / "*.parquet").with_columns(
        views=pl.col("desktop") + pl.col("mobile")
    )
    known = tallies.join(pl.read_parquet(directory / "titles.parquet"), on="title", how="semi")
    assert made["article_views"][0] == known["views"].sum() < tallies["views"].sum()
    assert made["article_views"][1] != made["article_views"][0]


def test_a_ranking_that_is_timed_ends_as_a_worker_ends_it(world, tmp_path, monkeypatch):
    """The day's views are those that were drawn; once it is ranked, room is given back within the run."""
    from bench import rank_wikiq

    directory, made = world
    engine, task = rank_wikiq.ENGINES["wikiq"], Task(directory, tmp_path / "scratch", 2)
    stored, gave = engine.prepare(task), []
    monkeypatch.setattr(rank_wikiq, "give_room_back", lambda database: gave.append((database, len(stored.rankings))))
    parts = engine.run(task, stored)
    assert gave == [(stored.context.engine, 1)]
    assert set(parts) == {"ranking", "giving room back"}
    assert engine.answer(task, stored)["article_views"] == made["article_views"][0]
