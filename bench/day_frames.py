"""polars and pandas on a day of hour files. polars has threads; pandas has none, so processes read its files."""

from __future__ import annotations

import csv
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.day_answer import CODES, DEPTH, MAIN_PAGE, UNKNOWN, day_answer, files_of, prefixes
from bench.engines import Answer, Engine, Task
from bench.processes import Spread, Used, of_others, spread_over, used_since

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


def _pandas(task: Task, spread: Spread) -> Mapping[str, float]:
    import pandas as pd

    hours, used = zip(*spread.processes.map(_pandas_hour, files_of(task.source)), strict=True)
    views = pd.concat([views.assign(hour=hour) for hour, views in enumerate(hours)], ignore_index=True)
    del hours  # they are in memory a second time now
    totals = views.groupby("title", sort=False)[["desktop", "mobile"]].sum().reset_index()
    totals = _pandas_rules(totals.assign(views=totals["desktop"] + totals["mobile"]))
    ranked = totals[totals["rule"] == ""]
    top = ranked.sort_values(["views", "name"], ascending=[False, True]).head(DEPTH)
    of_top = views.merge(top[["title", "name"]], on="title")
    hourly: dict[str, dict[int, int]] = defaultdict(dict)
    for row in of_top.itertuples():
        hourly[row.name][row.hour] = row.desktop + row.mobile
    least = ranked[ranked["views"] == ranked["views"].min()]
    by_rule = totals.groupby("rule")["views"].agg(["sum", "count"]).itertuples()
    spread.answers.append(
        day_answer(
            [(row[0] or None, row[1], row[2]) for row in by_rule],
            list(top[["name", "desktop", "mobile"]].itertuples(index=False)),
            hourly,
            (int(least["views"].iloc[0]), len(least)),
            least["name"].sort_values().head(DEPTH),
        )
    )
    return of_others(used)


def _pandas_hour(file: Path) -> tuple[pd.DataFrame, Used]:
    """The views of each title in one hour."""
    import pandas as pd
    from isal import igzip

    began = time.process_time()
    with igzip.open(file) as text:
        lines = pd.read_csv(
            text,
            sep=" ",
            quoting=csv.QUOTE_NONE,
            engine="c",
            header=None,
            names=_COLUMNS,
            usecols=_COLUMNS[:3],
            na_filter=False,
        )
    lines = lines[lines["code"].isin(CODES)]
    desktop = lines["number"].where(lines["code"] == CODES[0], 0)
    views = pd.DataFrame({"title": lines["title"], "desktop": desktop, "mobile": lines["number"] - desktop})
    return views.groupby("title", sort=False).sum().reset_index(), used_since(began)


def _pandas_rules(totals: pd.DataFrame) -> pd.DataFrame:
    title = totals["title"]
    wrapped = title.str.startswith('"') & title.str.endswith('"')
    inside = title[wrapped].str.slice(1, -1).str.replace(r'\\(["\\])', r"\1", regex=True)
    name = title.mask(wrapped, inside)
    prefix = name.str.extract("^([^:]*):", expand=False).str.lower()
    rule = name.where(name == MAIN_PAGE, "").where(name != MAIN_PAGE, "main-page")
    rule = rule.mask(prefix.isin(prefixes()), "other-namespace").mask(name.isin(UNKNOWN), "unknown-title")
    return totals.assign(name=name, rule=rule)


def _first(_task: Task, answers: list[Answer]) -> Answer:
    return answers[0]


def _no_answer_yet(_task: Task) -> list[Any]:
    return []


ENGINES = {
    "polars": Engine(_polars, _first, _no_answer_yet),
    "pandas": Engine(_pandas, Spread.answer, spread_over("pandas")),
}
