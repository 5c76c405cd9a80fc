"""Days of hour files through ``wikiq enqueue``: without a broker, and through Redis with a worker."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.generated import kept, site_directory
from bench.site import CONNECTIONS, serving
from bench.system import home

FIRST_DAY = dt.date(2024, 1, 1)
FULL_LINES = 5_200_000
WEEK = 7


@dataclass(frozen=True, slots=True)
class Load:
    """A site's directory and what is in it: files by name with their bytes, each day's views of English Wikipedia."""

    site: Path
    days: int
    files: dict[str, int]
    views: tuple[int, ...]

    @property
    def span(self) -> tuple[str, ...]:
        """The days, as commands are told them."""
        last = FIRST_DAY + dt.timedelta(days=self.days - 1)
        span = ("--week", "--start", str(FIRST_DAY)) if self.days == WEEK else (str(FIRST_DAY), str(last))
        return (*span, "--log-titles")


@contextmanager
def generated(days: int, lines: int | None = None, keep: Path | None = None) -> Iterator[Load]:
    """A site of hour files.

    Args:
        days: how many, of 24 files each.
        lines: of each file, about; without it each has a single one.
        keep: where it is left, and taken from if it is there; without it it is removed at the end.
    """
    with kept(keep) as directory:
        site, about = site_directory(directory, FIRST_DAY, days, lines)
        yield Load(site, days, about["files"], tuple(about["views"]))


def carry_out(
    load: Load,
    *,
    broker_url: str | None = None,
    workers: int = 1,
    concurrency: int = 1,
    rate: float | None = None,
    one_cpu_each: bool = False,
) -> dict[str, Any]:
    """Count and rank everything; with a broker so many workers of so many processes each count, and one ranks.

    Workers that count may be held to one CPU each, the first to the first.

    Returns:
        ``seconds`` of the command; of these ``start`` before the first transfer, ``counting`` from there to the last
        commit of an hour, and ``tail`` after the last byte was sent; ``cpu`` seconds of the command itself; the most
        memory of a process that counts and of one that ranks, ``peak_mb`` and ``rank_peak_mb``; the ``answers`` of days
        and week; how many hours are ``counted``; what the server has ``seen``.
    """
    peaks: dict[str, float] = {}
    with (
        serving(load.site, rate=rate, connections=CONNECTIONS) as served,
        home(served.url, broker_url) as place,
    ):
        with place.workers(workers, concurrency, peaks, one_cpu_each=one_cpu_each) if broker_url else nullcontext():
            ran = place.run("enqueue", *load.span, "--quiet", *(("--wait",) if broker_url else ()))
        answers, (counted, last_commit) = _answers(place.answers(*load.span)), place.counted()
    seen = served.seen
    return {
        "seconds": ran.seconds,
        "start": seen["first"] - (ran.ended - ran.seconds),
        "counting": last_commit - seen["first"],
        "tail": ran.ended - seen["last"],
        "cpu": ran.cpu,
        "peak_mb": peaks.get("count", ran.peak_mb),
        "rank_peak_mb": peaks.get("rank", ran.peak_mb),
        "answers": answers,
        "counted": counted,
        "seen": seen,
    }


def agrees(run: dict[str, Any], load: Load) -> bool:
    """Whether every hour was fetched and counted once, within three connections, with all its views."""
    seen = run["seen"]
    expected = [*load.views, *([sum(load.views)] if load.days == WEEK else [])]
    return (
        run["counted"] == len(load.files)
        and seen["hours"] == dict.fromkeys(sorted(load.files), 1)
        and seen["most_at_once"] <= CONNECTIONS
        and seen["refused"] == 0
        and [answer["views"]["project"] for answer in run["answers"]] == expected
    )


def told(run: dict[str, Any]) -> dict[str, Any]:
    """What a result says of a run: its figures."""
    figures = {key: value for key, value in run.items() if key not in ("answers", "seen")}
    seen = run["seen"]
    return figures | {
        "most_at_once": seen["most_at_once"],
        "refused": seen["refused"],
        "fetched": len(seen["hours"]),
        "answers": len(run["answers"]),
    }


def _answers(found: Any) -> list[dict[str, Any]]:  # noqa: ANN401 JSON
    """The days' answers, then the week's."""
    if isinstance(found, list):
        return found
    days = found.pop("days", None)
    return [*days, found] if days else [found]
