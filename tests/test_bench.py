"""The dumps that the benchmark of index building generates."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TABLES = {"page", "redirect", "linktarget", "categorylinks", "page_props"}


def python(module, *arguments):
    """What a module of the checkout prints; the benchmark is no part of the installed application."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def dumps(tmp_path_factory):
    """The directories of two wikis generated with the same arguments."""
    directories = [tmp_path_factory.mktemp("dumps") for _ in range(2)]
    for directory in directories:
        python("bench.steps", "generate", directory, "--scale", "0.0001")
    return directories


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
