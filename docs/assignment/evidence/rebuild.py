"""Source files, the engine built from them, and what it must hold afterwards."""

from __future__ import annotations

import time
from pathlib import Path
from random import Random
from typing import Any

from engine import Engine
from invented import everything
from reports import Draw, add_up, added_attendance, added_scores, all_attendance, all_reports, all_scores
from tables import TABLES, create_all
from trial import Trial


def write_sources(trial: Trial, engine: Engine) -> dict[str, float]:
    trial.sources.mkdir()
    begin = time.perf_counter()
    for rows in everything(trial.population):
        into = f"INSERT INTO FUNCTION file('{trial.sources / rows.file}', 'Parquet')"
        engine.run(f"{into} {rows.all()} SETTINGS output_format_parquet_compression_method = 'lz4'")
    return {"seconds": round(time.perf_counter() - begin, 1), "bytes": _size(trial.sources)}


def rebuild(trial: Trial, engine: Engine) -> dict[str, float]:
    """Load every file, merge each partition into one part, add up the months."""
    begin, worked = time.perf_counter(), time.process_time()
    for sql in create_all():
        engine.run(sql)
    for rows in everything(trial.population):
        columns = ", ".join(rows.table.columns)
        engine.run(
            f"INSERT INTO school.{rows.table.name} ({columns}, version, deleted)"
            f" SELECT {columns}, version, deleted FROM file('{trial.sources / rows.file}', 'Parquet')"
            " SETTINGS min_insert_block_size_rows = 4000000, min_insert_block_size_bytes = 1000000000"
        )
    engine.run("SYSTEM RELOAD DICTIONARY school.cohorts")
    loaded = time.perf_counter()
    for each in TABLES:
        engine.run(f"OPTIMIZE TABLE school.{each.name} FINAL")
    merged = time.perf_counter()
    for sql in add_up():
        engine.run(sql)
    added = time.perf_counter()
    rows = sum(trial.population.rows().values())
    return {
        "load": round(loaded - begin, 1),
        "merge": round(merged - loaded, 1),
        "add_up": round(added - merged, 1),
        "seconds": round(added - begin, 1),
        "cpu": round(time.process_time() - worked, 1),
        "rows_per_second": round(rows / (added - begin)),
        "bytes": engine.value("SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'school'"),
    }


def counts(engine: Engine) -> dict[str, int]:
    """Rows of each table as a reader sees them: changed ones once."""
    return {each.name: engine.value(f"SELECT count() FROM school.{each.name} FINAL") for each in TABLES}


def sums_agree(trial: Trial, engine: Engine) -> bool:
    """Whether the reports from sums by month are, row by row, those from the rows."""

    def found(report: Draw) -> list[list[Any]]:
        return sorted(engine.rows(report(trial.population, Random(trial.seed))))

    return found(all_scores) == found(added_scores) and found(all_attendance) == found(added_attendance)


def wrong_reports(trial: Trial, engine: Engine) -> list[str]:
    """Names of the reports whose counts are not those of the arithmetic."""
    wrong = []
    for report in all_reports():
        rows = engine.rows(report.sql(trial.population, Random(trial.seed)))
        if sum(int(row[-1]) for row in rows) != report.facts(trial.population, Random(trial.seed)):
            wrong.append(report.name)
    return wrong


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def last_month(engine: Engine) -> str:
    """``YYYYMM`` of the latest attendance."""
    return str(engine.rows("SELECT toString(max(toYYYYMM(day))) FROM school.attendance")[0][0])
