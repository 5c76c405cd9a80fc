"""A plain Python loop on a day of hour files: one for each file, in processes, and one over what those found."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from bench.day_answer import CODES, DEPTH, HOURS, MAIN_PAGE, UNKNOWN, day_answer, files_of, prefixes
from bench.engines import Answer, Engine, Task
from bench.processes import Spread, Used, of_others, spread_over, used_since

_Views = dict[bytes, int]
"""By title, as it is written."""


def _run(task: Task, spread: Spread) -> Mapping[str, float]:
    # Of each title first its views by code, then those by hour.
    totals: dict[bytes, list[int]] = defaultdict(lambda: [0] * (len(CODES) + HOURS))
    used = []
    for hour, (by_code, of_file) in enumerate(spread.processes.map(_hour, files_of(task.source))):
        for place, views in enumerate(by_code):
            for title, number in views.items():
                row = totals[title]
                row[place] += number
                row[len(CODES) + hour] += number
        used.append(of_file)
    spread.answers.append(_ranked(totals))
    return of_others(used)


def _hour(file: Path) -> tuple[list[_Views], Used]:
    """The views of each title in one hour, for each of the codes."""
    from isal import igzip

    began = time.process_time()
    by_code: dict[bytes, _Views] = {code.encode(): defaultdict(int) for code in CODES}
    wanted = tuple(code + b" " for code in by_code)
    with igzip.open(file) as text:
        for line in text:
            if line.startswith(wanted):
                code, title, number, _zero = line.split(b" ")
                by_code[code][title] += int(number)
    return list(by_code.values()), used_since(began)


def _ranked(totals: Mapping[bytes, list[int]]) -> Answer:
    from worker.pageviews import unquote

    excluded = frozenset(prefixes())
    sums: dict[str | None, list[int]] = defaultdict(lambda: [0, 0])
    ranked = []
    for written, (desktop, mobile, *_) in totals.items():
        name = unquote(written).decode()
        rule = _rule(name, excluded)
        sums[rule][0] += desktop + mobile
        sums[rule][1] += 1
        if rule is None:
            ranked.append((desktop + mobile, name, desktop, mobile, written))
    top = sorted(ranked, key=lambda row: (-row[0], row[1]))[:DEPTH]
    least = min(row[0] for row in ranked)
    tied = [row[1] for row in ranked if row[0] == least]
    return day_answer(
        [(rule, views, titles) for rule, (views, titles) in sums.items()],
        [(name, desktop, mobile) for _, name, desktop, mobile, _ in top],
        {name: dict(enumerate(totals[written][len(CODES) :])) for _, name, _, _, written in top},
        (least, len(tied)),
        sorted(tied)[:DEPTH],
    )


def _rule(name: str, excluded: frozenset[str]) -> str | None:
    prefix, colon, _ = name.partition(":")
    if name in UNKNOWN:
        return "unknown-title"
    if colon and prefix.lower() in excluded:
        return "other-namespace"
    return "main-page" if name == MAIN_PAGE else None


ENGINES = {"python loop": Engine(_run, Spread.answer, spread_over(__name__))}
