"""What processes and the database grow to. Every step is a process of its own (bench/memory_steps.py)."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.generated import day_directory, world_directory
from bench.site import serving

DAY = dt.date(2026, 11, 9)
"""Of the hours that bench/generate.py writes, and the first of those of bench/rank_world.py."""
_WEEK = 7


def measure_hours(generated: Path, scratch: Path, lines: int, hours: int, seed: int) -> dict[str, Any]:
    """A worker that counts a day's hours from a server, then the ranking of that day by its titles."""
    site, data = scratch / "site", scratch / "day"
    _lay_out(day_directory(generated, lines, seed), site)
    arguments = ("--day", str(DAY), "--hours", str(hours))
    with serving(site) as served:
        counted = _step("count", data, *arguments, "--source", served.url)
    before = _step("size", data)
    ranked = _step("rank", data, "--day", str(DAY), "--universe", "logged titles")
    return {
        "lines": lines,
        "peaks_mb": counted["peaks_mb"],
        "states": counted["states"],
        "rank_peak_mb": ranked["peak_mb"],
        "before": before,
        "after": _step("size", data),
        "holds": set(counted["states"]) == {"counted"} and ranked["project_views"] > 0,
    }


def measure_week(generated: Path, scratch: Path, scale: float, counted: tuple[int, ...], seed: int) -> dict[str, Any]:
    """Days and weeks ranked by articles, while so many of the week's days are counted, each number in its turn."""
    world, sizes = world_directory(generated, scale, _WEEK, seed)
    data = scratch / "week"
    shutil.copytree(world / "data", data)
    day_peaks, week_peaks, ranked = [], {}, 0
    for days in counted:
        _step("only", data, "--day", str(DAY), "--days", str(days), "--whole", str(world / "data"))
        for number in range(ranked, days):
            found = _step("rank", data, "--day", str(DAY + dt.timedelta(days=number)))
            day_peaks.append((found["peak_mb"], found["article_views"]))
        week = _step("rank", data, "--day", str(DAY), "--week")
        week_peaks[str(days)] = week["peak_mb"]
        ranked = days
    peaks, views = zip(*day_peaks, strict=True)
    return {
        "scale": scale,
        "sizes": sizes,
        "day_peaks_mb": list(peaks),
        "week_peaks_mb": week_peaks,
        "holds": week["article_views"] == sum(views),
    }


def _lay_out(files: Path, site: Path) -> None:
    """The day's files under the paths that they have on the dumps site."""
    from models.hour import hours_of

    for hour in hours_of(DAY):
        place = site / hour.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.hardlink_to(files / hour.file_name)


def _step(name: str, data: Path, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.memory_steps", name, str(data), *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)  # noqa: S603 our own module
    report: dict[str, Any] = json.loads(done.stdout)
    sys.stderr.write(f"  {name}: {report['peak_mb']:,.0f} MB\n")
    return report
