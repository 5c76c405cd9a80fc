"""The benchmark of index building, at a size small enough for every run of the tests."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
TABLES = {"page", "redirect", "linktarget", "categorylinks", "page_props"}


def python(module, *arguments):
    """What a module of the checkout prints; the benchmark is no part of the installed application."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def measured():
    """Two sizes, as one object."""
    return json.loads(python("bench", "index", "--scales", "0.0005,0.00025", "--columns", "0.00025", "--json"))


@pytest.fixture(scope="module")
def dumps(tmp_path_factory):
    """The directories of two wikis generated with the same arguments."""
    directories = [tmp_path_factory.mktemp("dumps") for _ in range(2)]
    for directory in directories:
        python("bench.steps", "generate", directory, "--scale", "0.0001")
    return directories


def test_the_smallest_index_is_what_was_written(measured):
    """The index of the smallest size holds exactly what the generator drew, and its day's views are right."""
    assert [result["scale"] for result in measured["results"]] == [0.00025, 0.0005]
    assert measured["results"][0]["faults"] == []
    assert measured["holds"]


def test_columns_without_text_give_the_same_titles(measured):
    """Without SQL text the same wiki is built: the titles take just as many bytes, and the links about as many."""
    [build], read = measured["from_columns"], measured["results"][0]["build"]["stored"]
    assert build["build"]["stored"]["titles"] == read["titles"]
    assert build["build"]["stored"]["members"] == pytest.approx(read["members"], rel=0.1)
    assert build["build"]["stored"]["hidden_members"] == pytest.approx(read["hidden_members"], rel=0.1)


def test_every_table_is_read_whole(measured):
    """Reading keeps at least a row of every table, out of text as long as the generator says it wrote."""
    for result in measured["results"]:
        assert set(result["read"]) == TABLES
        for table, read in result["read"].items():
            assert read["kept"] > 0
            assert read["unpacked"] == result["generate"]["unpacked"][table]


def test_lines_are_of_least_squares(measured):
    """The lines, and what they say of the full size, are those that numpy finds."""
    scales = [result["scale"] for result in measured["results"]]
    stored = [sum(result["build"]["stored"].values()) / 1e6 for result in measured["results"]]
    slope, constant = np.polyfit(scales, stored, 1)
    assert measured["lines"]["stored MB"]["slope"] == pytest.approx(slope)
    assert measured["at_scale_1"]["stored MB"] == pytest.approx(constant + slope)


def test_the_same_arguments_give_the_same_dumps(dumps):
    """Two generated wikis of one size and one seed are the same, byte by byte."""
    first, second = ({path.name: path.read_bytes() for path in place.glob("*.sql.gz")} for place in dumps)
    assert set(first) == {f"{table}.sql.gz" for table in TABLES}
    assert first == second


def test_numbers_are_in_proportion(dumps):
    """At a ten-thousandth there are a ten-thousandth of English Wikipedia's pages and category links, or nearly.

    A page is twice in a category less often the more categories there are, so the smallest wikis have fewer links.
    """
    texts = {table: gzip.decompress((dumps[0] / f"{table}.sql.gz").read_bytes()) for table in TABLES}
    rows = {table: len(re.findall(rb"^\(", text, re.MULTILINE)) for table, text in texts.items()}
    assert rows["page"] == pytest.approx(6_200, rel=0.01)
    assert rows["redirect"] == pytest.approx(1_100, rel=0.01)
    assert rows["categorylinks"] == pytest.approx(20_800, rel=0.1)
    assert all(text.rstrip().rpartition(b"\n")[2].startswith(b"-- Dump completed") for text in texts.values())
