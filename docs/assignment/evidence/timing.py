"""The dashboards' queries, timed: warm, cold, while changes arrive, by several clients at once."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from engine import Engine, forget
from figures import percentile, spread
from invented import attendance, scores
from reports import all_reports
from trial import Trial

CLIENTS = 8
CHANGES_PER_BATCH = 250  # of each of two tables, twice a second: 1,000 changes a second


def time_reports(trial: Trial, engine: Engine, *, cold: bool, share: float = 1) -> dict[str, dict[str, float]]:
    """Spread of seconds per report; ``cpu`` is the median of the processor's seconds, which other work leaves alone."""
    random = Random(trial.seed)
    if cold:
        os.sync()  # the system can only forget what is on the disk
    result = {}
    for report in all_reports():
        taken, worked = [], []
        for _ in range(trial.runs((report.cold_runs if cold else report.runs) * share)):
            if cold:
                forget(engine, trial.data)
            before = time.process_time()
            taken.append(engine.run(report.sql(trial.population, random)))
            worked.append(time.process_time() - before)
        result[report.name] = spread(taken) | {"cpu": round(percentile(worked, 0.5), 3)}
    return result


@contextmanager
def changes_arriving(trial: Trial) -> Iterator[list[int]]:
    """A thread that writes changed rows of the last month, all over the districts, as long as the block lasts."""
    stop, count = threading.Event(), [0]
    month = trial.population.months[-1]

    def work() -> None:
        engine = Engine(trial.data)
        version = 0
        while not stop.wait(0.5):
            version += 1
            for rows in (attendance(trial.population, month), scores(trial.population, month)):
                engine.run(f"INSERT INTO school.{rows.table.name} {rows.changed(CHANGES_PER_BATCH, version)}")
                count[0] += CHANGES_PER_BATCH
        engine.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield count
    finally:
        stop.set()
        thread.join()


def at_once(trial: Trial) -> dict[str, float]:
    """Clients that each ask for one small report after the other: nine students, classes or teachers to a district."""
    small, large = all_reports()[:3], all_reports()[3:6]
    taken: list[float] = []

    def work(number: int) -> None:
        engine, random = Engine(trial.data), Random(trial.seed * 1000 + number)
        for turn in range(trial.runs(25)):
            chosen = random.choice(large if turn % 10 == 0 else small)
            taken.append(engine.run(chosen.sql(trial.population, random)))
        engine.close()

    begin = time.perf_counter()
    threads = [threading.Thread(target=work, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - begin
    return spread(taken) | {"clients": CLIENTS, "per_second": round(len(taken) / elapsed, 1)}
