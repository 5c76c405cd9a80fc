"""The benchmark's own rules; that all of it runs and agrees is what ``python -m bench --small`` shows."""

from __future__ import annotations

import gzip
import re
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def commands():
    """The modules of the benchmarks, by name; they are no part of the installed application."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        yield {name: import_module(f"bench.commands.{name}") for name in ("sqldump",)}


def test_a_statement_to_a_line_holds_the_same_text(tmp_path, commands):
    """Dumps are laid out anew without a change to what they hold: only line breaks between rows are gone."""
    rewrite = import_module("bench.dump_files").rewrite
    text = b"-- x\nINSERT INTO `t` VALUES\n(1,'a'),\n(2,'b\\n),\\n(\\'');\nINSERT INTO `t` VALUES\n(3,NULL);\n"
    (tmp_path / "in.gz").write_bytes(gzip.compress(text))
    size = rewrite(tmp_path / "in.gz", tmp_path / "out.gz")
    written = gzip.decompress((tmp_path / "out.gz").read_bytes())
    assert written == (b"-- x\nINSERT INTO `t` VALUES (1,'a'),(2,'b\\n),\\n(\\'');\nINSERT INTO `t` VALUES (3,NULL);\n")
    assert size == len(written)


@pytest.mark.parametrize(("processor", "reached"), [(5.0, True), (4.9, False)])
def test_the_target_is_five_times_the_parser(commands, processor, reached):
    """Reading is fast enough from five times the published parser's speed on."""
    engines = {name: {"processor": taken} for name, taken in (("gunzip", 0.2), ("wikiq", 1.0), ("mwsql", processor))}
    [row] = commands["sqldump"].rows({"versions": {"mwsql": "1"}, "tables": {"page": {"engines": engines}}})
    assert row.reached is reached
    assert "5.0 × gunzip" in row.result


@pytest.mark.parametrize(("titles", "kept", "right"), [(9, 1, True), (8, 1, False), (9, 0, False)])
def test_an_index_is_right_whichever_way_it_is_made(commands, titles, kept, right):
    """Without SQL text the same titles are built as with it, and of every table something was kept."""
    build = {"stored": {"titles": 9}, "faults": []}
    read = {"scale": 0.1, "faults": [], "read": {"page": {"kept": kept}}, "build": build}
    built = {"scale": 0.1, "build": {**build, "stored": {"titles": titles}}}
    holds = import_module("bench.growth").holds
    assert holds([read], [built, {**built, "scale": 1.0}]) is right
    assert holds([{**read, "faults": ["a title is missing"]}], [built]) is False


def test_the_full_size_is_told_from_several_smaller_ones(commands):
    """What grows along a line is told at English Wikipedia's size, with its limit; of a single size nothing is."""
    growth = import_module("bench.growth")

    def measured(scale):
        grown = {"peak_mb": 100 + 1000 * scale, "seconds": 10 * scale}
        table = {**grown, "kept": 1, "unpacked": 1e9 * scale, "gunzip": scale}
        return {
            "scale": scale,
            "faults": [],
            "files": dict.fromkeys(("page", "redirect", "categorylinks"), 1e9 * scale),
            "generate": {"link_rows": 1e8 * scale},
            "read": {"page": table},
            "build": {**grown, "stored": {"titles": 450e6 * scale}, "columns": {"page": 2e9 * scale}, "faults": []},
            "rank": {**grown, "seconds": 3.0},
        }

    both = growth.summary([measured(0.1), measured(0.2)])
    full = {"build peak MB": 1100, "build seconds": 10, "stored MB": 450, "columns MB": 2000}
    more = {"ranking peak MB": 1100, "ranking seconds": 3, "reading peak MB": 1100, "reading seconds": 10}
    assert both["at_scale_1"] == pytest.approx(full | more)
    told = growth.report(both["results"])
    assert re.search("build peak MB .* 1,100 +under 4,000", told)
    assert re.search("stored MB .* 450 +under 600", told)
    assert growth.summary([measured(0.1)])["at_scale_1"] == {}
