"""What the benchmark of reading dumps makes of its rounds."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT))  # the benchmark is no part of the installed application

from bench import sqldump  # noqa: E402 found only now
from bench.commands import sqldump as command  # noqa: E402

ONE, OTHER = {"rows": "2", "id": "a"}, {"rows": "2", "id": "b"}


def test_times_are_the_least_and_memory_is_the_most():
    """A peak is what was needed at worst, a time what it takes undisturbed."""
    rounds = [
        {"seconds": 1.0, "processor": 0.9, "peak_mb": 80.0},
        {"seconds": 2.0, "processor": 0.8, "peak_mb": 95.0},
        {"seconds": 3.0, "processor": 1.0, "peak_mb": 70.0},
    ]
    assert sqldump.best(rounds) == {"seconds": 1.0, "processor": 0.8, "peak_mb": 95.0}


@pytest.mark.parametrize(
    ("columns", "verdict"),
    [
        ({"wikiq": [ONE, ONE], "mwsql": [ONE]}, True),
        ({"wikiq": [ONE, ONE], "mwsql": [OTHER]}, False),
        ({"wikiq": [ONE, OTHER], "mwsql": [ONE]}, False),
        ({"wikiq": [ONE, OTHER]}, False),
        ({"wikiq": [ONE, ONE]}, None),
    ],
)
def test_one_engine_alone_is_equal_to_nothing(columns, verdict):
    """Columns are equal if two engines read them so; that one reads them so each time shows nothing."""
    assert sqldump.equal(columns) is verdict


@pytest.mark.parametrize(
    ("tables", "verdict"),
    [([True, True], True), ([True, None], None), ([None, False], False), ([True, False], False)],
)
def test_a_difference_in_one_table_is_one_of_all(tables, verdict):
    """All columns are equal if those of each table are."""
    assert sqldump.equal_in_all(tables) is verdict


@pytest.mark.parametrize(
    ("packages", "verdict", "text"),
    [
        ({}, None, "NOTHING TO COMPARE WITH is installed"),
        ({"mwsql": "1.0"}, True, "All columns are equal. Measured: mwsql 1.0."),
    ],
)
def test_what_was_not_compared_is_not_called_equal(tmp_path, monkeypatch, packages, verdict, text):
    """Without the published parser nobody says that the columns are right, for all rounds of wikiq's."""

    def told(module, *arguments):
        if module == "bench.dump_files":
            return dict.fromkeys(sqldump.TABLES, 100)
        figures = {"seconds": 1.0, "processor": 1.0, "peak_mb": 1.0}
        return {**figures, "columns": None if arguments[0] == "gunzip" else ONE}

    monkeypatch.setattr(sqldump, "_told", told)
    monkeypatch.setattr(sqldump, "_installed", lambda: packages)
    for table in sqldump.TABLES:
        (tmp_path / f"{table}.sql.gz").write_bytes(b"1")
    result = sqldump.measure(tmp_path, 0.1, 7, rounds=2)
    assert result["answers_equal"] is verdict
    for page in (command.report(result), command.details(result)):
        assert text in page
        assert ("All columns are equal" in page) is bool(packages)
