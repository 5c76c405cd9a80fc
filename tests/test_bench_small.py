"""The benchmarks of dumps, sizes and starts, at sizes that take seconds: what they compare, never how long it took."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def bench(name, *arguments):
    """What a benchmark measured."""
    command = [sys.executable, "-m", "bench", "--small", name, "--json", *arguments]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)


@pytest.fixture(scope="module")
def commands():
    """The modules of the benchmarks, by name; they are no part of the installed application."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        yield {name: import_module(f"bench.commands.{name}") for name in ("memory", "results", "sqldump")}


def check_page(command, result, number):
    """A benchmark tells of itself in so many lines of the page's table, with figures behind them."""
    rows = command.rows(result)
    assert len(rows) == number
    assert all(row.measured and row.result and row.target and "|" not in "".join(row[:3]) for row in rows)
    assert command.details(result)
    assert command.report(result)
    return rows


def test_dumps_are_read_alike(commands):
    """Every table gives wikiq the same rows and columns as the published parser, where that is installed."""
    result = bench("sqldump", "--rounds", "1")
    assert set(result["tables"]) == {"page", "categorylinks", "linktarget", "redirect"}
    engines = {"gunzip", "wikiq"} | ({"mwsql"} if find_spec("mwsql") else set())
    for found in result["tables"].values():
        assert set(found["engines"]) == engines
        assert found["rows"] > 0
    assert result["answers_equal"]
    check_page(commands["sqldump"], result, 4 if find_spec("mwsql") else 1)


def test_a_statement_to_a_line_holds_the_same_text(tmp_path, commands):
    """Dumps are laid out anew without a change to what they hold: only line breaks between rows are gone."""
    rewrite = import_module("bench.dump_files").rewrite
    text = b"-- x\nINSERT INTO `t` VALUES\n(1,'a'),\n(2,'b\\n),\\n(\\'');\nINSERT INTO `t` VALUES\n(3,NULL);\n"
    (tmp_path / "in.gz").write_bytes(gzip.compress(text))
    size = rewrite(tmp_path / "in.gz", tmp_path / "out.gz")
    written = gzip.decompress((tmp_path / "out.gz").read_bytes())
    assert written == (b"-- x\nINSERT INTO `t` VALUES (1,'a'),(2,'b\\n),\\n(\\'');\nINSERT INTO `t` VALUES (3,NULL);\n")
    assert size == len(written)


def test_commands_show_what_is_stored(commands):
    """Every command ends well on a terminal, and the answers hold the article that was stored as the first."""
    result = bench("results", "--rounds", "1")
    assert set(result["commands"]) == {"results", "results --format json", "results --week", "status", "--help"}
    assert result["holds"]
    check_page(commands["results"], result, 1)


def test_sizes_are_of_counted_hours(commands):
    """Every hour is counted, a worker's peaks never fall, and the database has a size before and after the ranking."""
    result = bench("memory", "--part", "hours", "--hours", "2")
    hours = result["hours"]
    assert hours["states"] == ["counted", "counted"]
    assert hours["peaks_mb"] == sorted(hours["peaks_mb"])
    assert all(hours[when]["file"] > 0 for when in ("before", "after"))
    assert result["holds"]
    check_page(commands["memory"], result, 3)


def test_weeks_are_of_ranked_days(commands):
    """One and then two days are ranked, each time with the week, which has the views of its days."""
    result = bench("memory", "--part", "week", "--days", "1,2")
    assert len(result["week"]["day_peaks_mb"]) == 2
    assert list(result["week"]["week_peaks_mb"]) == ["1", "2"]
    assert result["holds"]
    check_page(commands["memory"], result, 3)


@pytest.mark.parametrize(("processor", "reached"), [(5.0, True), (4.9, False)])
def test_the_target_is_five_times_the_parser(commands, processor, reached):
    """Reading is fast enough from five times the published parser's speed on."""
    engines = {name: {"processor": taken} for name, taken in (("gunzip", 0.2), ("wikiq", 1.0), ("mwsql", processor))}
    [row] = commands["sqldump"].rows({"versions": {"mwsql": "1"}, "tables": {"page": {"engines": engines}}})
    assert row.reached is reached
    assert "5.0 × gunzip" in row.result


def test_what_is_measured_already_is_not_measured_again(tmp_path):
    """With a directory to keep results in, a second run of everything tells the first one's figures."""
    command = [sys.executable, "-m", "bench", "--small", "--only", "sqldump", "--keep", str(tmp_path)]
    first, second = (subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True) for _ in range(2))
    assert "sqldump …" in first.stderr
    assert second.stderr == ""
    assert second.stdout == first.stdout != ""
