"""polars, pandas and a plain Python loop on a day of hour files."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.day_answer import CODES, DEPTH, MAIN_PAGE, UNKNOWN, day_answer, files_of, prefixes
from bench.engines import Answer, Engine, Task

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

_COLUMNS = ("code", "title", "number", "zero")


def _polars(task: Task, answers: list[Answer]) -> None:
    import polars as pl

    desktop, number = pl.col("code") == CODES[0], pl.col("number")
    hours = [
        _polars_lines(file).select(
            "title",
            pl.lit(hour).alias("hour"),
            pl.when(desktop).then(number).otherwise(0).alias("desktop"),
            pl.when(desktop).then(0).otherwise(number).alias("mobile"),
        )
        for hour, file in enumerate(files_of(task.source))
    ]
    lines = pl.concat(hours).collect(engine="streaming")
    totals = _polars_rules(lines.group_by("title").agg(pl.col("desktop", "mobile").sum()))
    ranked = totals.filter(pl.col("rule").is_null())
    top = ranked.sort(["views", "name"], descending=[True, False]).head(DEPTH)
    hourly: dict[str, dict[int, int]] = defaultdict(dict)
    for name, hour, views in (
        lines.join(top.select("title", "name"), on="title")
        .group_by("name", "hour")
        .agg((pl.col("desktop") + pl.col("mobile")).sum())
        .iter_rows()
    ):
        hourly[name][hour] = views
    least = ranked.filter(pl.col("views") == pl.col("views").min())
    answers.append(
        day_answer(
            totals.group_by("rule").agg(pl.col("views").sum(), pl.len()).rows(),
            top.select("name", "desktop", "mobile").rows(),
            hourly,
            (least["views"][0], len(least)),
            least["name"].sort().head(DEPTH),
        )
    )


def _polars_lines(file: Path) -> pl.LazyFrame:
    import polars as pl

    kinds = dict(zip(_COLUMNS, (pl.String, pl.String, pl.UInt32, pl.String), strict=True))
    lines = pl.scan_csv(
        file, separator=" ", quote_char=None, has_header=False, schema=kinds, empty_string_is_null=False
    )
    return lines.filter(pl.col("code").is_in(CODES))


def _polars_rules(totals: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    title, name = pl.col("title"), pl.col("name")
    wrapped = title.str.starts_with('"') & title.str.ends_with('"')
    inside = title.str.slice(1, title.str.len_chars() - 2).str.replace_all(r'\\(["\\])', "$1")
    rule = (
        pl.when(name.is_in(UNKNOWN))
        .then(pl.lit("unknown-title"))
        .when(name.str.extract("^([^:]*):").str.to_lowercase().is_in(prefixes()))
        .then(pl.lit("other-namespace"))
        .when(name == MAIN_PAGE)
        .then(pl.lit("main-page"))
    )
    named = totals.with_columns(pl.when(wrapped).then(inside).otherwise(title).alias("name"))
    return named.with_columns(rule.alias("rule"), (pl.col("desktop") + pl.col("mobile")).alias("views"))


def _pandas(task: Task, answers: list[Answer]) -> None:
    import pandas as pd

    parts = [_pandas_lines(file).assign(hour=hour) for hour, file in enumerate(files_of(task.source))]
    lines = pd.concat(parts, ignore_index=True)
    desktop = lines["number"].where(lines["code"] == CODES[0], 0)
    lines = lines.assign(desktop=desktop, mobile=lines["number"] - desktop)
    totals = lines.groupby("title", sort=False)[["desktop", "mobile"]].sum().reset_index()
    totals = _pandas_rules(totals.assign(views=totals["desktop"] + totals["mobile"]))
    ranked = totals[totals["rule"] == ""]
    top = ranked.sort_values(["views", "name"], ascending=[False, True]).head(DEPTH)
    of_top = lines.merge(top[["title", "name"]], on="title").groupby(["name", "hour"])["number"].sum()
    hourly: dict[str, dict[int, int]] = defaultdict(dict)
    for (name, hour), views in of_top.items():
        hourly[name][hour] = views
    least = ranked[ranked["views"] == ranked["views"].min()]
    by_rule = totals.groupby("rule")["views"].agg(["sum", "count"]).itertuples()
    answers.append(
        day_answer(
            [(row[0] or None, row[1], row[2]) for row in by_rule],
            list(top[["name", "desktop", "mobile"]].itertuples(index=False)),
            hourly,
            (int(least["views"].iloc[0]), len(least)),
            least["name"].sort_values().head(DEPTH),
        )
    )


def _pandas_lines(file: Path) -> pd.DataFrame:
    import pandas as pd

    frame = pd.read_csv(
        file,
        sep=" ",
        quoting=csv.QUOTE_NONE,
        engine="c",
        header=None,
        names=_COLUMNS,
        usecols=_COLUMNS[:3],
        na_filter=False,
        compression="gzip",
    )
    return frame[frame["code"].isin(CODES)]


def _pandas_rules(totals: pd.DataFrame) -> pd.DataFrame:
    title = totals["title"]
    wrapped = title.str.startswith('"') & title.str.endswith('"')
    inside = title[wrapped].str.slice(1, -1).str.replace(r'\\(["\\])', r"\1", regex=True)
    name = title.mask(wrapped, inside)
    prefix = name.str.extract("^([^:]*):", expand=False).str.lower()
    rule = name.where(name == MAIN_PAGE, "").where(name != MAIN_PAGE, "main-page")
    rule = rule.mask(prefix.isin(prefixes()), "other-namespace").mask(name.isin(UNKNOWN), "unknown-title")
    return totals.assign(name=name, rule=rule)


def _python_loop(task: Task, answers: list[Answer]) -> None:
    place = {code.encode(): position for position, code in enumerate(CODES)}
    totals: dict[bytes, list[int]] = defaultdict(lambda: [0, 0])
    hours: list[dict[bytes, int]] = []
    for file in files_of(task.source):
        hour: dict[bytes, int] = defaultdict(int)
        with gzip.open(file) as text:
            for line in text:
                code, title, number, _zero = line.split(b" ")
                if code in place:
                    views = int(number)
                    totals[title][place[code]] += views
                    hour[title] += views
        hours.append(hour)
    answers.append(_looped_answer(totals, hours))


def _looped_answer(totals: dict[bytes, list[int]], hours: list[dict[bytes, int]]) -> Answer:
    from worker.pageviews import unquote

    excluded = frozenset(prefixes())
    sums: dict[str | None, list[int]] = defaultdict(lambda: [0, 0])
    ranked = []
    for written, (desktop, mobile) in totals.items():
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
        {name: {place: hour.get(written, 0) for place, hour in enumerate(hours)} for *_, name, _, _, written in top},
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


def _first(_task: Task, answers: list[Answer]) -> Answer:
    return answers[0]


def _no_answer_yet(_task: Task) -> list[Any]:
    return []


ENGINES = {
    "polars": Engine(_polars, _first, _no_answer_yet),
    "pandas": Engine(_pandas, _first, _no_answer_yet),
    "python loop": Engine(_python_loop, _first, _no_answer_yet),
}
