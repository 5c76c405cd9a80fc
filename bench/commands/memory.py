"""``python -m bench memory``: what a worker, a ranking and the database grow to, hour by hour and day by day.

The memory of an index build is measured by ``bench index``.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bench.page import Row

HELP = "peak memory of counting and ranking, and the size of the database"
COUNT_MB, RANK_MB, BEFORE_MB, AFTER_MB = 600, 1_500, 250, 60
FLAT = 1.1
"""Counting, and the week's ranking, may take so many times as much with more days as with one."""
LINES, SMALL_LINES = 5_200_000, 20_000
SCALE, SMALL_SCALE = 1.0, 0.0005
DAYS, SMALL_DAYS = (1, 3, 7), (1, 2)


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lines", type=int, default=LINES, help="lines of each hour file")
    parser.add_argument("--hours", type=int, default=24, help="how many hours of each day are counted")
    parser.add_argument("--days", type=_numbers, default=DAYS, help="of a week, how many days are counted")
    parser.add_argument("--scale", type=float, default=SCALE, help="how large a part of English Wikipedia is ranked")
    parser.add_argument("--seed", type=int, default=7, help="another one gives other hours and another wiki")
    parser.add_argument("--part", choices=("hours", "week"), help="measure only this")
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="DIR",
        default=argparse.SUPPRESS,
        help="leave what is generated there, and take it from there",
    )
    parser.add_argument("--small", action="store_true", default=argparse.SUPPRESS, help="a size that takes seconds")


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    import tempfile

    from bench.generated import kept
    from bench.memory import measure_hours, measure_week

    lines, scale, days = arguments.lines, arguments.scale, arguments.days
    if arguments.small:
        lines, scale, days = SMALL_LINES, SMALL_SCALE, SMALL_DAYS
    found: dict[str, Any] = {}
    with kept(arguments.keep) as generated, tempfile.TemporaryDirectory(dir=generated, prefix="scratch-") as name:
        scratch = Path(name)
        if arguments.part != "week":
            found["hours"] = measure_hours(generated, scratch, lines, arguments.hours, arguments.seed)
        if arguments.part != "hours":
            found["week"] = measure_week(generated, scratch, scale, days, arguments.seed)
    return {**found, "holds": all(part["holds"] for part in found.values())}


def report(result: dict[str, Any]) -> str:
    lines = [f"{row.measured}: {row.result} ({row.target})" for row in rows(result)]
    return "\n".join([*lines, f"all counted, no view lost: {'yes' if result['holds'] else 'NO'}"])


def rows(result: dict[str, Any]) -> list[Row]:
    return [*_of_hours(result.get("hours")), *_of_week(result.get("week"))]


def _of_hours(found: dict[str, Any] | None) -> list[Row]:
    if found is None:
        return []
    by_day = found["peaks_mb"]
    ends = [max(peaks) for peaks in by_day]
    before, after = found["before"]["file"] / 1e6, found["after"]["file"] / 1e6
    hours, first = len(by_day[0]), by_day[0][0]
    counted = f"peak memory of a worker that counts {len(by_day)} days of {hours} hours"
    days = ", ".join(str(number) for number in range(1, len(ends) + 1))
    return [
        _limited(f"{counted}, {first:,.0f} MB after the first hour", max(ends), COUNT_MB),
        _flat(f"the same after {days} days", ends, "the first day's end"),
        _limited(f"the database with {hours} hours of a day, not ranked", before, BEFORE_MB),
        _limited("the database once that day is ranked", after, AFTER_MB),
    ]


def _of_week(found: dict[str, Any] | None) -> list[Row]:
    if found is None:
        return []
    weeks = found["week_peaks_mb"]
    peaks, days = list(weeks.values()), ", ".join(weeks)
    return [
        _limited("peak memory of ranking a day by articles, the largest", max(found["day_peaks_mb"]), RANK_MB),
        _limited("peak memory of ranking a week by articles", max(peaks), RANK_MB),
        _flat(f"the same with {days} days counted", peaks, "the first"),
    ]


def _limited(what: str, megabytes: float, limit: int) -> Row:
    return Row(what, f"{megabytes:,.0f} MB", f"≤ {limit:,} MB", megabytes <= limit)


def _flat(what: str, peaks: list[float], first: str) -> Row:
    return Row(what, f"{_listed(peaks)} MB", f"flat: ≤ {FLAT} × {first}", max(peaks) <= FLAT * peaks[0])


def details(result: dict[str, Any]) -> str:
    told = {"hours": _told_of_hours, "week": _told_of_week}
    return "\n\n".join(tell(result[part]) for part, tell in told.items() if part in result)


def _told_of_hours(found: dict[str, Any]) -> str:
    before, after = (f"{found[when]['file'] / 1e6:,.0f} MB" for when in ("before", "after"))
    by_day = found["peaks_mb"]
    return (
        f"Hours of {found['lines']:,} lines; one process counts the same files as {len(by_day)} days. Its peak after "
        f"each hour of the first: {_listed(by_day[0])} MB; of ranking that day by its logged titles: "
        f"{found['rank_peak_mb']:,.0f} MB. A database of that day alone has {before} before and {after} after the "
        f"ranking. Each day was given the {found['views']['written']:,} views that the files have."
    )


def _told_of_week(found: dict[str, Any]) -> str:
    return (
        f"A wiki of {found['scale']:g} of English Wikipedia's size, {found['sizes']['titles_of_a_day']:,} titles a "
        f"day: ranking its days by articles took {_listed(found['day_peaks_mb'])} MB, each in a process of its own."
    )


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(sorted(int(number) for number in text.split(",")))


def _listed(peaks: list[float]) -> str:
    return ", ".join(f"{peak:,.0f}" for peak in peaks)
