"""What was seen, in Prometheus' words: the one module that knows its client library.

Totals that are read off the ledger are gauges, not counters: an hour that is counted anew replaces its figures, and a
counter that went down would look like one that began again from nothing (docs/decisions/0015).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest, make_wsgi_app, write_to_textfile
from prometheus_client.core import GaugeMetricFamily

from models.answer import Verdict
from models.dump_run import DumpState
from models.tables import HourState
from models.version import VERSION
from worker.metrics import BrokerFigures, Metrics
from worker.store.figures import DatabaseFigures
from worker.store.late import STUCK, UNRANKED, Kind

Look = Callable[[], Metrics]
Samples = Iterable[tuple[tuple[str, ...], float]]
"""Values, each with its labels' values."""


@dataclass(frozen=True, slots=True)
class _Family:
    """A metric: what it is called, what it means, its labels, and how its samples are read off what was seen."""

    name: str
    meaning: str
    labels: tuple[str, ...]
    samples: Callable[[Metrics], Samples]

    def empty(self) -> GaugeMetricFamily:
        return GaugeMetricFamily(f"wikiq_{self.name}", self.meaning, labels=self.labels)

    def filled(self, metrics: Metrics) -> GaugeMetricFamily:
        family = self.empty()
        for labels, value in self.samples(metrics):
            family.add_metric(labels, value)
        return family


class _Collector:
    """Looks anew at each scrape."""

    def __init__(self, look: Look) -> None:
        self._look = look

    def collect(self) -> Iterator[GaugeMetricFamily]:
        metrics = self._look()
        return (family.filled(metrics) for family in FAMILIES)

    def describe(self) -> Iterator[GaugeMetricFamily]:
        return (family.empty() for family in FAMILIES)


def text(look: Look) -> str:
    """One scrape in Prometheus' text format."""
    return generate_latest(_registry(look)).decode()


def write_textfile(look: Look, path: Path) -> None:
    """Replace the file by one scrape, in one step.

    Raises:
        OSError: it cannot be written; it is as it was.
    """
    write_to_textfile(str(path), _registry(look))


def wsgi_app(look: Look) -> Callable[..., Iterable[bytes]]:
    """Answers each GET with a scrape, in the format that is asked for, for any path."""
    return make_wsgi_app(_registry(look))


def _registry(look: Look) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(_Collector(look))
    return registry


def _of_database(samples: Callable[[DatabaseFigures], Samples]) -> Callable[[Metrics], Samples]:
    return lambda metrics: () if metrics.database is None else samples(metrics.database)


def _of_broker(samples: Callable[[BrokerFigures], Samples]) -> Callable[[Metrics], Samples]:
    return lambda metrics: () if metrics.broker is None else samples(metrics.broker)


def _broker_up(metrics: Metrics) -> Samples:
    if metrics.broker is not None or "broker" in metrics.away:
        yield (), metrics.broker is not None


def _hours(found: DatabaseFigures) -> Samples:
    return _with_zeros(found.hours, HourState)


def _indexes(found: DatabaseFigures) -> Samples:
    return _with_zeros(found.indexes, DumpState)


def _with_zeros(numbers: Mapping[tuple[str, str], int], states: Iterable[str]) -> Samples:
    # A series that is there only sometimes cannot be compared with what it was.
    zeros = {(project, str(state)): 0 for project, _ in numbers for state in states}
    return sorted({**zeros, **numbers}.items())


def _answers(found: DatabaseFigures) -> Samples:
    for project, universe, period in sorted({kind[:3] for kind in found.answers.numbers}):
        for verdict in (*Verdict, UNRANKED, STUCK):
            kind = Kind(project, universe, period, verdict)
            yield kind, found.answers.numbers.get(kind, 0)


def _newest_days(found: DatabaseFigures) -> Samples:
    for standing, days in (("asked", found.answers.newest_asked), ("complete", found.answers.newest_complete)):
        for (project, universe), day in days.items():
            end = dt.datetime.combine(day, dt.time(), dt.UTC) + dt.timedelta(days=1)
            yield (project, universe, standing), end.timestamp()


FAMILIES = (
    _Family("build_info", "Which wikiq this is.", ("version",), lambda _: [((VERSION,), 1)]),
    _Family(
        "database_up",
        "Whether the database answered in time; if not, everything that is read from it is absent.",
        (),
        lambda metrics: [((), metrics.database is not None)],
    ),
    _Family(
        "broker_up",
        "Whether Redis answered in time; absent where no broker is set.",
        (),
        _broker_up,
    ),
    _Family(
        "hour_files",
        "Hour files that were asked for, by what became of them, once for each project.",
        ("project", "state"),
        _of_database(_hours),
    ),
    _Family(
        "answers",
        "Days and weeks that were asked for, by verdict; unranked: not yet or out of date; stuck: and will stay so.",
        ("project", "universe", "period", "verdict"),
        _of_database(_answers),
    ),
    _Family(
        "newest_day_timestamp_seconds",
        "End of the newest day that was asked for, and of the newest that is ranked and complete, in unix time.",
        ("project", "universe", "standing"),
        _of_database(_newest_days),
    ),
    _Family(
        "indexes",
        "Indexes of wikis at dump runs that were asked for, by what became of them.",
        ("project", "state"),
        _of_database(_indexes),
    ),
    _Family(
        "index_bytes",
        "Size of the stored indexes.",
        ("project",),
        _of_database(lambda found: [((project,), size) for project, size in sorted(found.index_bytes.items())]),
    ),
    _Family(
        "counted_files",
        "Hour files that are counted, each once, whatever number of projects it is counted for.",
        (),
        _of_database(lambda found: [((), found.counted.files)]),
    ),
    _Family(
        "counted_bytes",
        "Compressed size of the counted files.",
        (),
        _of_database(lambda found: [((), found.counted.size)]),
    ),
    _Family(
        "counted_lines",
        "Lines of the counted files.",
        (),
        _of_database(lambda found: [((), found.counted.lines)]),
    ),
    _Family(
        "phase_seconds",
        "Time the counted files took, by phase: waited (for a connection), downloading, counting, storing.",
        ("phase",),
        _of_database(lambda found: [((phase,), seconds) for phase, seconds in found.seconds.items()]),
    ),
    _Family(
        "last_done_timestamp_seconds",
        "When an hour was last counted, an answer ranked, a dump's table read, an index built, in unix time.",
        ("work",),
        _of_database(
            lambda found: [((work,), moment.timestamp()) for work, moment in found.last_done.items() if moment]
        ),
    ),
    _Family(
        "queue_messages",
        "Messages that wait for a worker.",
        ("queue",),
        _of_broker(lambda found: [((queue,), number) for queue, number in found.messages.items()]),
    ),
    _Family(
        "in_flight_tasks",
        "Tasks that workers hold, by the queues that those workers take from.",
        ("queues",),
        _of_broker(lambda found: [(("-".join(group),), held.tasks) for group, held in found.in_flight.items()]),
    ),
    _Family(
        "oldest_in_flight_seconds",
        "Time since the oldest task in flight was handed to a worker; 0 where none is.",
        ("queues",),
        _of_broker(
            lambda found: [(("-".join(group),), held.oldest_seconds) for group, held in found.in_flight.items()]
        ),
    ),
    _Family(
        "leases",
        "Connections to a source that the fleet uses (held), and downloads that wait for one (waiting).",
        ("source", "state"),
        _of_broker(
            lambda found: [
                ((lease.source, state), number)
                for lease in found.leases
                for state, number in (("held", lease.held), ("waiting", lease.waiting))
            ]
        ),
    ),
)
