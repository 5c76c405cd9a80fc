"""What processes and the database grow to. Every step is a process of its own (bench/memory_steps.py)."""

from __future__ import annotations

import datetime as dt
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.child import told
from bench.generated import day_directory, world_directory
from bench.site import serving

DAY = dt.date(2026, 11, 9)
"""Of the hours that bench/generate.py writes, and the first of those of bench/rank_world.py."""
COUNTED_DAYS = 3
"""The worker counts the same files as so many days, to see whether it grows with them."""
_WEEK = 7


def measure_hours(generated: Path, scratch: Path, lines: int, hours: int, seed: int) -> dict[str, Any]:
    """A worker that counts some days' hours from a server, then the ranking of the first day by its titles."""
    files, site, first_day = day_directory(generated, lines, seed), scratch / "site", scratch / "first-day"
    days = [DAY + dt.timedelta(days=number) for number in range(COUNTED_DAYS)]
    _lay_out(files, site, days)
    of_day = ("--day", str(DAY), "--hours", str(hours))
    arguments = (*of_day, "--days", str(COUNTED_DAYS), "--first-day", str(first_day))
    with serving(site) as served:
        counted = _step("count", scratch / "days", *arguments, "--source", served.url)
    before = _step("size", first_day)
    ranked = _step("rank", first_day, "--day", str(DAY), "--universe", "logged titles")
    written = _step("views", files, *of_day)["views"]
    return {
        "lines": lines,
        "peaks_mb": counted["peaks_mb"],
        "states": counted["states"],
        "rank_peak_mb": ranked["peak_mb"],
        "before": before,
        "after": _step("size", first_day),
        "views": {"written": written, "counted": counted["views"], "ranked": ranked["project_views"]},
        "holds": all_counted(counted["states"], written, [*counted["views"], ranked["project_views"]]),
    }


def all_counted(states: Sequence[str], written: int, found: Sequence[int]) -> bool:
    """Whether every hour is counted, and each day and its ranking have the views that are in a day's files."""
    return set(states) == {"counted"} and set(found) == {written}


def measure_week(generated: Path, scratch: Path, scale: float, counted: tuple[int, ...], seed: int) -> dict[str, Any]:
    """Days and weeks ranked by articles, while so many of the week's days are counted, each number in its turn."""
    world, made = world_directory(generated, scale, _WEEK, seed)
    drawn = views_drawn(made)
    data = scratch / "week"
    shutil.copytree(world / "data", data)
    day_peaks: list[float] = []
    of_days: list[int] = []
    week_peaks, of_weeks = {}, {}
    for days in counted:
        _step("only", data, "--day", str(DAY), "--days", str(days), "--whole", str(world / "data"))
        for number in range(len(of_days), days):
            found = _step("rank", data, "--day", str(DAY + dt.timedelta(days=number)))
            day_peaks.append(found["peak_mb"])
            of_days.append(found["article_views"])
        week = _step("rank", data, "--day", str(DAY), "--week")
        week_peaks[str(days)], of_weeks[days] = week["peak_mb"], week["article_views"]
    return {
        "scale": scale,
        "sizes": made,
        "day_peaks_mb": day_peaks,
        "week_peaks_mb": week_peaks,
        "holds": as_drawn(drawn, of_days, of_weeks),
    }


def views_drawn(made: Mapping[str, Any]) -> Sequence[int]:
    """The views that were drawn for articles, day by day, as bench/rank_world.py tells them."""
    if "article_views" not in made:
        raise SystemExit("The world that was kept does not tell its articles' views; remove it, and it is made anew.")
    views: list[int] = made["article_views"]
    return views


def as_drawn(drawn: Sequence[int], of_days: Sequence[int], of_weeks: Mapping[int, int]) -> bool:
    """Whether days have the views that were drawn for articles, and weeks those of as many days as were counted."""
    weeks_right = all(views == sum(drawn[:days]) for days, views in of_weeks.items())
    return list(of_days) == list(drawn[: len(of_days)]) and weeks_right


def _lay_out(files: Path, site: Path, days: Sequence[dt.date]) -> None:
    """A day's files under the paths that some days' have on the dumps site."""
    from models.hour import hours_of

    for day in days:
        for file, hour in zip(hours_of(DAY), hours_of(day), strict=True):
            place = site / hour.path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.hardlink_to(files / file.file_name)


def _step(name: str, data: Path, *arguments: str) -> dict[str, Any]:
    report: dict[str, Any] = told("bench.memory_steps", name, str(data), *arguments)
    sys.stderr.write(f"  {name}: {report['peak_mb']:,.0f} MB\n")
    return report
