"""The dashboards' queries, timed: warm, cold, while changes arrive, by several clients at once."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from random import Random

from engine import Engine, forget
from figures import percentile, spread
from invented import attendance, scores
from reports import all_reports
from trial import Trial

CLIENTS = 8
CHANGES_PER_BATCH, BATCH_EVERY = 250, 0.5  # of each of two tables: 1,000 changes a second


def time_reports(trial: Trial, engine: Engine, *, cold: bool) -> dict[str, dict[str, float]]:
    """Spread of seconds per report; ``cpu`` is the median of the processor's seconds, which other work leaves alone."""
    random = Random(trial.seed)
    if cold:
        os.sync()  # the system can only forget what is on the disk
    result = {}
    for report in all_reports():
        taken, worked = [], []
        for _ in range(trial.runs(report.cold_runs if cold else report.runs)):
            if cold:
                forget(engine, trial.data)
            before = time.process_time()
            taken.append(engine.run(report.sql(trial.population, random)))
            worked.append(time.process_time() - before)
        result[report.name] = spread(taken) | {"cpu": round(percentile(worked, 0.5), 3)}
    return result


@contextmanager
def changes_arriving(trial: Trial) -> Iterator[dict[str, float]]:
    """A thread that writes changed rows of the last month, all over the districts, as long as the block lasts.

    Yields:
        How many ``rows`` it wrote in how many ``seconds``, once the block has ended.
    """
    stop, arrived = threading.Event(), {"rows": 0, "seconds": 0.0}
    month = trial.population.months[-1]

    def work() -> None:
        engine, began = Engine(trial.data), time.monotonic()
        version = 0
        # By the clock, so that what an insert takes is no pause of its own.
        while not stop.wait(max(0.0, began + version * BATCH_EVERY - time.monotonic())):
            version += 1
            for rows in (attendance(trial.population, month), scores(trial.population, month)):
                engine.run(f"INSERT INTO school.{rows.table.name} {rows.changed(CHANGES_PER_BATCH, version)}")
                arrived["rows"] += CHANGES_PER_BATCH
        arrived["seconds"] = round(time.monotonic() - began, 1)
        engine.close()

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(work)
        try:
            yield arrived
        finally:
            stop.set()
            writing.result()


def at_once(trial: Trial) -> dict[str, float]:
    """Clients that each ask for one small report after the other: nine students, classes or teachers to a district."""
    small, large = all_reports()[:3], all_reports()[3:6]

    def work(number: int) -> list[float]:
        engine, random = Engine(trial.data), Random(trial.seed * 1000 + number)
        taken = []
        for turn in range(trial.runs(25)):
            chosen = random.choice(large if turn % 10 == 0 else small)
            taken.append(engine.run(chosen.sql(trial.population, random)))
        engine.close()
        return taken

    begin = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        taken = [seconds for of_one in pool.map(work, range(CLIENTS)) for seconds in of_one]
    elapsed = time.perf_counter() - begin
    return spread(taken) | {"clients": CLIENTS, "per_second": round(len(taken) / elapsed, 1)}
