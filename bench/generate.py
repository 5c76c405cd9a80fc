"""Hour files like the real ones: as many lines, sorted by code and title, with their long tail of single views.

The real hours have 5 to 8 million lines in 45 to 77 MiB of gzip
(https://dumps.wikimedia.org/other/pageviews/readme.html). The hours of one day are different draws of the same titles:
most of the popular ones are in all of them, most of the others in one or two. With each further day some of the titles
that are seldom requested give way to others.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gzip
import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from bench.hour_titles import SCRIPTS, english_titles, titles, vocabulary
from models.hour import Hour, hours_of

FULL_LINES = 5_200_000
DAY = dt.date(2026, 11, 9)
FIRST_HOUR = Hour(DAY, 0)
ENGLISH_SHARE = 0.22
"""Of all lines, those of ``en`` and ``en.m`` together."""
POPULATION = 4.0
"""How many English titles there are for each line of an hour: a day has three to four times as many as an hour."""
_SPREAD = 2.5
"""Of the logarithm of how often a title is requested: half of an hour's lines have a single view."""
NEW_TITLES = 0.25
"""Of a day's English titles, those that were not there the day before."""
_SELDOM = 1.0
"""Who can expect fewer views in an hour, desktop and mobile together, may give way to another title."""
_MAIN_PAGE, _UNKNOWN = 0.02, 0.004
"""The main page's share of the views, and that of ``-``."""
_KEPT = 0.8
"""Of the lines of other wikis, those that an hour has."""
_CODES = {
    "latin": "ang az.m commons.m commons.m.m da de de.m de.m.d en.b en.d en.m.d en.q en.s en.voy es es.m eu fi fi.m id "
    "id.m it it.m m.wd nl nl.m no.m pl pl.m pt pt.m ro.m sco simple sq sw tl.m tr tr.m uz vi vi.m www.wd",
    "accented": "ca ca.m cs cs.m et eo fr fr.m fr.m.d hr.m hu hu.m is lt lv sk sk.m sl sv sv.m",
    "cyrillic": "be bg bg.m kk mk ru ru.m ru.m.d sr.m uk uk.m",
    "greek": "el el.m",
    "arabic": "ar ar.m arz fa fa.m ur.m",
    "hebrew": "he he.m",
    "han": "ja ja.m zh zh.m zh-yue",
    "kana": "ja.d ja.m.d ja.s",
    "hangul": "ko ko.m",
    "devanagari": "hi hi.m mr ne",
    "thai": "th th.m",
}
_TIMES = {10: ["ja.m"], 7: ["ja", "ru.m"], 6: ["zh.m", "es.m", "de.m"], 4: ["zh"], 3: ["es", "fr.m", "it.m", "ru"]}
_LARGE = {code: times for times, codes in _TIMES.items() for code in codes}
"""How many times as many lines as the other codes."""
_EMPTY, _QUOTED_NOTHING = 0.2, '""'


class _Codes(NamedTuple):
    """The lines of one stretch of codes: ``line`` is what stands before the number of views."""

    first: str
    line: pl.Series


@dataclass(frozen=True, slots=True)
class Population:
    """What the hours of a day are drawn from.

    ``english`` are titles in order, ``written`` is how they stand in a file; ``desktop`` and ``mobile`` are how many
    views each can expect in an hour.
    """

    seed: int
    english: pl.Series
    written: pl.Series
    desktop: npt.NDArray[np.float64]
    mobile: npt.NDArray[np.float64]
    others: tuple[_Codes, ...]


def write_hour(path: Path, lines: int = FULL_LINES, seed: int = 7) -> None:
    """Write an hour file of about that many lines; the same arguments give the same bytes."""
    _write_hour(path, populate(lines, seed), FIRST_HOUR)


def write_day(directory: Path, hours: tuple[Hour, ...], lines: int = FULL_LINES, seed: int = 7) -> None:
    """Write the files of some hours, of about that many lines each, under their own names."""
    _write_hours(directory, populate(lines, seed), hours)


def write_days(directory: Path, days: Sequence[dt.date], lines: int = FULL_LINES, seed: int = 7) -> list[int]:
    """Write the files of all hours of these days, with new titles every day; gives each day's views of English."""
    population, views = populate(lines, seed), []
    for number, day in enumerate(days):
        if number:
            population = next_day(population, day)
        views.append(_write_hours(directory, population, hours_of(day)))
    return views


def _write_hours(directory: Path, population: Population, hours: Sequence[Hour]) -> int:
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return sum(threads.map(lambda hour: _write_hour(directory / hour.file_name, population, hour), hours))


def populate(lines: int, seed: int) -> Population:
    """Invent all titles of a day whose hours have about that many lines."""
    rng = np.random.default_rng(seed)
    english = int(lines * ENGLISH_SHARE)
    known = pl.concat([english_titles(rng, int(english * POPULATION)), pl.Series(["Main_Page", "-"])]).unique().sort()
    desktop, mobile = _expected(rng, known, english)
    return Population(seed, known, _written(known), desktop, mobile, tuple(_others(rng, lines - english)))


def next_day(population: Population, day: dt.date) -> Population:
    """The same, but a quarter of the English titles are new: each takes the place of one that is seldom requested."""
    rng = np.random.default_rng([population.seed, day.toordinal()])
    seldom = population.desktop + population.mobile < _SELDOM
    gone = seldom & (rng.random(len(seldom)) < NEW_TITLES / seldom.mean())
    stay = population.english.filter(~gone)
    new = english_titles(rng, int(gone.sum() * 1.2) + 10)
    new = new.filter(~new.is_in(population.english.implode()))
    new = new.gather(np.sort(rng.permutation(len(new))[: int(gone.sum())]))
    english = pl.concat([stay, new])
    order = english.arg_sort().to_numpy()
    places = np.concatenate((np.flatnonzero(~gone), np.flatnonzero(gone)))[order]
    known = english.gather(order)
    return replace(
        population,
        english=known,
        written=_written(known),
        desktop=population.desktop[places],
        mobile=population.mobile[places],
    )


def _expected(
    rng: np.random.Generator, known: pl.Series, lines: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    views = np.exp(rng.normal(0, _SPREAD, len(known)))
    views[(known == "Main_Page").to_numpy()] = views.sum() * _MAIN_PAGE
    views[(known == "-").to_numpy()] = views.sum() * _UNKNOWN
    mobile = rng.beta(3, 2, len(known))
    parts = views * (1 - mobile), views * mobile
    low, high = 1e-4, 10.0
    for _ in range(40):
        scale = (low * high) ** 0.5
        expected = sum(float(-np.expm1(-part * scale).sum()) for part in parts)
        low, high = (scale, high) if expected < lines else (low, scale)
    return parts[0] * scale, parts[1] * scale


def _others(rng: np.random.Generator, lines: int) -> Iterator[_Codes]:
    """The lines of all other codes, in the three stretches that English leaves; the empty code's come first."""
    by_code = dict(sorted(_by_code(rng, lines)))
    for first, last in pairwise(("", "en", "en.m", "\x7f")):
        yield _Codes(first, pl.concat([text for code, text in by_code.items() if first <= code < last]))


def _by_code(rng: np.random.Generator, lines: int) -> Iterator[tuple[str, pl.Series]]:
    sizes = {script: {code: _LARGE.get(code, 1.0) for code in codes.split()} for script, codes in _CODES.items()}
    sizes["latin"][""] = _EMPTY
    unit = lines / _KEPT / sum(sum(of_script.values()) for of_script in sizes.values())
    for script, of_script in sizes.items():
        numbers = [max(1, round(unit * size)) for size in of_script.values()]
        known = vocabulary(rng, SCRIPTS[script], max(1_000, min(100_000, sum(numbers) // 8)))
        drawn = titles(rng, known, sum(numbers))
        whose = rng.permutation(np.repeat(np.arange(len(numbers)), numbers))
        for place, code in enumerate(of_script):
            yield code, f"{code or _QUOTED_NOTHING} " + drawn.gather(np.flatnonzero(whose == place))


def _written(known: pl.Series) -> pl.Series:
    """Titles as the writer quotes them: one with a quotation mark is wrapped, and those and backslashes are escaped."""
    title = pl.col("title")
    escaped = title.str.replace_all(r'(["\\])', r"\${1}")
    wrapped = pl.when(title.str.contains('"', literal=True)).then(pl.format('"{}"', escaped)).otherwise(title)
    return known.to_frame("title").select(wrapped.alias("title"))["title"]


def _write_hour(path: Path, population: Population, hour: Hour) -> int:
    """Gives the hour's views of English."""
    rng = np.random.default_rng([population.seed, hour.day.toordinal(), hour.hour])
    text, of_english = io.BytesIO(), 0
    english = {"en": population.desktop, "en.m": population.mobile}
    for first, others in population.others:
        if first in english:
            drawn = rng.poisson(english[first])
            of_english += int(drawn.sum())
            _write(text, first + " " + population.written, drawn)
        views = np.minimum(rng.zipf(2.2, len(others)), 50_000) * (rng.random(len(others)) < _KEPT)
        _write(text, others, views)
    path.write_bytes(_gzip(text.getbuffer()))
    return of_english


def _gzip(text: memoryview) -> bytes:
    """Packed by libdeflate, where it is installed: as small as by zlib, in a fifth of the time."""
    if find_spec("deflate") is None:
        return gzip.compress(text, compresslevel=6, mtime=0)
    import deflate

    return bytes(deflate.gzip_compress(text, 6))


def _write(text: io.BytesIO, lines: pl.Series, views: npt.NDArray[np.int64]) -> None:
    frame = pl.DataFrame({"line": lines, "views": views}).filter(pl.col("views") > 0).with_columns(zero=pl.lit(0))
    frame.write_csv(text, include_header=False, separator=" ", quote_style="never")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.generate", description="Write hour files of one day.")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--hours", type=int, default=1, help="how many, from the first one on")
    parser.add_argument("--lines", type=int, default=FULL_LINES, help="of each, about")
    parser.add_argument("--seed", type=int, default=7, help="another one gives another day")
    arguments = parser.parse_args()
    hours = hours_of(DAY)[: arguments.hours]
    write_day(arguments.directory, hours, arguments.lines, arguments.seed)
    files = {hour.file_name: (arguments.directory / hour.file_name).stat().st_size for hour in hours}
    sys.stdout.write(json.dumps(files) + "\n")


if __name__ == "__main__":
    main()
