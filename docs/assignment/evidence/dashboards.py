"""Time the dashboards' queries on three school years of 300,000 invented students, and rebuilding all of it.

Source files (Parquet, one per table and month, as an export of the monolith would be) are written first; then the
engine is built from them, which is what an ordinary rebuild does; then the queries are timed: warm, cold, with changes
arriving, and by several clients at once. What the engine holds is checked against what it was made from.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from pages import dashboards_tables, keep
from population import GROUP_SIZE, STUDENTS, Population
from trial import Trial

SMALL = GROUP_SIZE * 16


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=STUDENTS, help="a multiple of 125 (default: %(default)s)")
    parser.add_argument("--small", action="store_true", help=f"{SMALL} students and few runs: seconds")
    parser.add_argument("--seed", type=int, default=1, help="of the places that are asked for (default: 1)")
    parser.add_argument("--folder", type=Path, help="where files go, up to 15 GB (default: the system's temporary one)")
    parser.add_argument("--json", action="store_true", help="print one object instead of tables")
    parser.add_argument("--write", action="store_true", help="keep the result beside this script and in the pages")
    arguments = parser.parse_args()
    if arguments.write and (arguments.small or arguments.students != STUDENTS):
        parser.error("--write is for the full size: the answer quotes it")
    folder = Path(tempfile.mkdtemp(prefix="dashboards-", dir=arguments.folder))
    students = SMALL if arguments.small else arguments.students
    try:
        result = measure(Trial(Population(students), folder, arguments.seed, 0.05 if arguments.small else 1))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if arguments.write:
        keep("dashboards", result)
    sys.stdout.write((json.dumps(result) if arguments.json else dashboards_tables(result)) + "\n")
    return 0 if result["holds"] else 1


def measure(trial: Trial) -> dict[str, Any]:
    """Everything; ``holds``: no row lost or doubled, each report finds its rows, months add up to the rows' sums."""
    from engine import Engine
    from rebuild import counts, last_month, rebuild, sums_agree, write_sources, wrong_reports
    from reports import add_up
    from timing import at_once, changes_arriving, time_reports

    began = time.perf_counter()

    def tell(what: str) -> None:
        sys.stderr.write(f"{time.perf_counter() - began:6.0f} s  {what}\n")

    engine = Engine(trial.data)
    result: dict[str, Any] = {
        "students": trial.population.students,
        "rows": trial.population.rows(),
        "cores": os.cpu_count(),
        "engine": f"ClickHouse {engine.rows('SELECT version()')[0][0]} (chdb)",
    }
    tell("writing source files")
    result["source"] = write_sources(trial, engine)
    tell("rebuilding the engine from them")
    result["rebuild"] = rebuild(trial, engine)
    loaded = counts(engine)
    tell("queries, warm")
    result["warm"] = time_reports(trial, engine, cold=False)
    tell("queries, cold")
    result["cold"] = time_reports(trial, engine, cold=True)
    tell("queries while changes arrive")
    with changes_arriving(trial) as arrived:
        result["changing"] = time_reports(trial, engine, cold=False)
    result["changes"] = arrived
    result["refresh_month"] = round(sum(engine.run(sql) for sql in add_up(last_month(engine))), 3)
    tell("clients at once")
    result["clients"] = at_once(trial)
    tell("checking")
    result["wrong_reports"] = wrong_reports(trial, engine)
    complete = loaded == counts(engine) == trial.population.rows()
    result["holds"] = complete and not result["wrong_reports"] and sums_agree(trial, engine)
    engine.close()
    return result


if __name__ == "__main__":
    sys.exit(main())
