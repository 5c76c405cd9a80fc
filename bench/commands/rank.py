"""``python -m bench rank``: 24 stored tallies to the ranking of a day's articles, two cores.

At scale 1 the invented wiki has English Wikipedia's 7 million articles, and 40 million visible memberships.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bench import ratios
from bench.page import Row

HELP = "24 stored tallies to the ranking of a day's articles, two cores"
ENGINES = {"wikiq": "bench.rank_wikiq", "clickhouse": "bench.rank_sql", "duckdb": "bench.rank_sql"}
WEEK = {"wikiq, a week": "bench.rank_wikiq"}
OTHERS = ("clickhouse", "duckdb")
SMALL_SCALE = 0.002
TARGET, PEAK_MB = 1.2, 1_500


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--scale", type=float, default=1.0, help="how large a part of English Wikipedia")
    parser.add_argument("--days", type=int, choices=(1, 7), default=1, help="7: rank a week, too, for its memory")
    parser.add_argument("--rounds", type=int, default=2, help="the best of so many rankings")
    parser.add_argument("--seed", type=int, default=7, help="another one gives another wiki")
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="DIR",
        default=argparse.SUPPRESS,
        help="leave the invented wiki there, and take it from there",
    )
    parser.add_argument("--small", action="store_true", default=argparse.SUPPRESS, help="a size that takes seconds")


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    from bench.generated import kept, world_directory
    from bench.turns import compare

    scale, rounds = (SMALL_SCALE, 0) if arguments.small else (arguments.scale, arguments.rounds)
    engines = ENGINES | (WEEK if arguments.days > 1 else {})
    with kept(arguments.keep) as directory:
        source, sizes = world_directory(directory, scale, arguments.days, arguments.seed)
        result = compare(engines, source, directory / "scratch", threads=2, rounds=rounds, once=tuple(WEEK))
    return {**result, "sizes": sizes}


def report(result: dict[str, Any]) -> str:
    return ratios.text(result)


def rows(result: dict[str, Any]) -> list[Row]:
    millions = {name: f"{result['sizes'][name] / 1e6:.3g} million {name}" for name in ("articles", "memberships")}
    what = f"24 tallies to a ranked day with {millions['articles']} and {millions['memberships']}, two cores"
    found = ratios.times_best(result, OTHERS)
    target = f"≤ {TARGET} × the best of the others"
    if found is None:
        speed = Row(what, "nothing to compare with is installed", target, reached=False)
    else:
        speed = Row(what, ratios.against(result, found[1]), target, found[0] <= TARGET)
    peak = result["peak_mb"]["wikiq"]
    return [speed, Row("peak memory of that ranking", f"{peak:,.0f} MB", f"≤ {PEAK_MB:,} MB", peak <= PEAK_MB)]


def details(result: dict[str, Any]) -> str:
    sizes = result["sizes"]
    return (
        f"{sizes['articles']:,} articles, {sizes['redirects']:,} redirects, {sizes['memberships']:,} memberships, "
        f"{sizes['titles_of_a_day']:,} titles. wikiq ranks from the tallies and the index in its database, commits "
        "the answer and gives back the room that the tallies took; the others read Parquet files of the same tallies, "
        "of titles with the article each means, and of memberships. Titles are generated in MediaWiki's own form, so "
        f"looking them up is all the others have to do; wikiq makes sure of it.\n\n{ratios.markdown(result)}"
    )
