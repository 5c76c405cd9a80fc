"""What the benchmark of index building checks, and that it finds what is not right."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT))  # the benchmark is no part of the installed application

from bench import growth  # noqa: E402 found only now
from bench.columns import table_frames  # noqa: E402
from bench.generate_dumps import write_dumps  # noqa: E402
from bench.links import no_links  # noqa: E402
from bench.wiki import invent  # noqa: E402
from models.dump_run import DumpTable  # noqa: E402
from worker.unpack import unpack  # noqa: E402
from worker.wiki.tables import table_columns  # noqa: E402

SCALE = 0.0002
LINKS = DumpTable.CATEGORYLINKS


def step(name, directory, *arguments):
    """What one step of ``bench index`` prints."""
    command = [sys.executable, "-m", "bench.steps", name, str(directory), *arguments]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def columns(tmp_path_factory):
    """The stored columns of a small wiki, no index built yet."""
    directory = tmp_path_factory.mktemp("columns")
    step("columns", directory, "--scale", str(SCALE))
    return directory


def invented():
    """A source of numbers as it is once the wiki is invented, and the wiki."""
    import numpy as np

    rng = np.random.default_rng(7)
    return rng, invent(rng, SCALE)


def test_columns_without_text_are_those_of_the_dumps(tmp_path):
    """The columns of all tables but the links, which are drawn anew, are those that reading the dumps gives."""
    import polars as pl

    write_dumps(*invented(), tmp_path)
    rng, wiki = invented()
    frames = table_frames(rng, wiki, no_links(wiki))
    assert set(frames) == set(DumpTable)
    for table in set(DumpTable) - {LINKS}:
        read = pl.concat(list(table_columns(table, unpack(tmp_path / f"{table.value}.sql.gz"))))
        assert pl.concat(list(frames[table])).equals(read), table


def test_an_index_of_columns_holds_what_was_drawn(columns, tmp_path):
    """Its figures are those of the invented wiki, and none of them is zero but that of repeated titles."""
    shutil.copytree(columns, tmp_path / "copy")
    assert step("build", tmp_path / "copy")["faults"] == []
    figures = json.loads((columns / "truth-figures.json").read_text())
    assert {name for name, number in figures.items() if not number} == {"repeated_titles"}


@pytest.mark.parametrize("figure", ["articles", "redirects", "memberships", "redirects_to_missing_pages"])
def test_an_index_with_other_figures_is_wrong(columns, tmp_path, figure):
    """One article, redirect, membership or lost redirect more than was drawn is told."""
    directory = tmp_path / "copy"
    shutil.copytree(columns, directory)
    figures = json.loads((directory / "truth-figures.json").read_text())
    (directory / "truth-figures.json").write_text(json.dumps({**figures, figure: figures[figure] - 1}))
    assert step("build", directory)["faults"] == [f"{figure}: {figures[figure]}, not {figures[figure] - 1}"]


def measured(scale, faults=(), titles=9):
    """What was measured of a build."""
    return {"scale": scale, "build": {"stored": {"titles": titles}, "faults": list(faults)}}


@pytest.mark.parametrize("scale", [0.1, 0.2, 1.0])
def test_a_fault_at_any_scale_is_told(scale):
    """Whether it was built from dumps or from columns, and however large it is, a wrong index is one."""
    faults = {0.1: (), 0.2: (), 1.0: ()} | {scale: ["articles: 2, not 3"]}
    dumps = [{**measured(size, faults[size]), "faults": [], "read": {"page": {"kept": 1}}} for size in (0.1, 0.2)]
    from_columns = [measured(1.0, faults[1.0])]
    assert growth.holds(dumps, from_columns) is False
    told = growth._verification(dumps, from_columns)
    assert f"at scale {scale:g}: articles: 2, not 3" in told
    assert "right" not in told


def test_what_is_right_is_told_with_its_scales():
    """Of the smallest wiki all was compared, of the others the figures."""
    dumps = [{**measured(size), "faults": [], "read": {"page": {"kept": 1}}} for size in (0.1, 0.2)]
    assert growth.holds(dumps, [measured(1.0)]) is True
    told = growth._verification(dumps, [measured(1.0)])
    assert told.startswith("The index of scale 0.1 holds what was written")
    assert "Those of 0.2, 1 have as many of everything as were drawn." in told
