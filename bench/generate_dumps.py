"""The five dumps of an invented wiki, as large a part of English Wikipedia's as wanted, and the truth about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import polars as pl

from bench.links import Links, LinkTruth, draw_links, no_links
from bench.sqlfile import COMPLETED, RAW, RAW_BYTES, quoted, write_dump
from bench.titles import chance
from bench.wiki import PAGES_AT_A_TIME, Kind, Leads, Wiki
from cli.demosite.pages import Content
from cli.demosite.sqltext import Table
from cli.demosite.tables import sql_tables

_POOL = 1 << 14


def write_dumps(rng: np.random.Generator, wiki: Wiki, directory: Path) -> tuple[LinkTruth, Mapping[str, int]]:
    """Write ``{table}.sql.gz`` for each table; gives what the links add up to, and the unpacked sizes in bytes."""
    tables = {table.name: table for table in sql_tables(Content((), (), (), ()), COMPLETED.date())}
    truth = no_links(wiki)
    rows = {
        "page": _page_rows(rng, wiki),
        "redirect": _redirect_rows(wiki),
        "linktarget": _linktarget_rows(rng, wiki),
        "categorylinks": _categorylink_rows(rng, wiki, truth),
        "page_props": _page_props_rows(rng, wiki),
    }
    sizes = {name: _write(directory, tables[name], texts) for name, texts in rows.items()}
    return truth, sizes


def _write(directory: Path, table: Table, rows: Iterator[pl.Series]) -> int:
    return write_dump(directory / f"{table.name}.sql.gz", table, rows)


def _row(*pieces: pl.Expr | str) -> pl.Expr:
    parts = [pl.lit(piece) if isinstance(piece, str) else piece.cast(pl.String) for piece in pieces]
    commas = [pl.lit(",")] * len(parts)
    return pl.concat_str([part for pair in zip(commas, parts, strict=True) for part in pair][1:]).alias("row")


def _page_rows(rng: np.random.Generator, wiki: Wiki) -> Iterator[pl.Series]:
    touched = _times(rng, "%Y%m%d%H%M%S")
    for begin, end in _parts(len(wiki.ids)):
        frame = pl.DataFrame(
            {
                "id": wiki.ids[begin:end],
                "namespace": wiki.namespaces[begin:end],
                "title": wiki.titles(begin, end),
                "redirect": (wiki.kinds[begin:end] == Kind.REDIRECT).astype(np.int8),
                "random": rng.random(end - begin).round(12),
                "touched": touched.gather(rng.integers(0, len(touched), end - begin)),
                "latest": rng.integers(10**8, 13 * 10**8, end - begin),
                "length": rng.geometric(1 / 6_000, end - begin),
            }
        ).filter(pl.Series(wiki.kinds[begin:end] != Kind.GONE))
        time = quoted(pl.col("touched"))
        row = _row(
            pl.col("id"),
            pl.col("namespace"),
            quoted(pl.col("title")),
            pl.col("redirect"),
            "0",
            pl.col("random"),
            time,
            time,
            pl.col("latest"),
            pl.col("length"),
            "'wikitext'",
            "NULL",
        )
        yield frame.select(row)["row"]


def _redirect_rows(wiki: Wiki) -> Iterator[pl.Series]:
    ids = wiki.ids[wiki.kinds == Kind.REDIRECT]
    for begin, end in _parts(len(ids)):
        titles, lead = wiki.redirect_targets(begin, end), pl.col("leads")
        frame = pl.DataFrame({"id": ids[begin:end], "title": titles, "leads": wiki.leads[begin:end]})
        namespace = pl.when(lead == Leads.OTHER_NAMESPACE).then(4).otherwise(0)
        interwiki = pl.when(lead == Leads.OTHER_WIKI).then(pl.lit("'de'")).otherwise(pl.lit("''"))
        row = _row(pl.col("id"), namespace, quoted(pl.col("title")), interwiki, "''")
        yield frame.filter(lead != Leads.NOWHERE).select(row)["row"]


def _linktarget_rows(rng: np.random.Generator, wiki: Wiki) -> Iterator[pl.Series]:
    for begin, end in _parts(len(wiki.target_ids)):
        first, last = np.searchsorted(wiki.target_rows, [begin, end])
        places = wiki.target_rows[first:last] - begin
        # Targets elsewhere are mostly pages that exist, seven in ten of them articles.
        titles = wiki.articles.gather(rng.integers(0, len(wiki.articles), end - begin))
        namespaces = rng.choice([0, 2, 3, 4, 6, 10], end - begin, p=[0.7, 0.08, 0.1, 0.05, 0.04, 0.03])
        namespaces[places] = 14
        kept = np.ones(end - begin, dtype=np.bool_)
        kept[places] = wiki.targeted[first:last]
        frame = pl.DataFrame(
            {
                "id": wiki.target_ids[begin:end],
                "namespace": namespaces,
                "title": titles.scatter(places, wiki.categories[first:last]),
            }
        ).filter(pl.Series(kept))
        yield frame.select(_row(pl.col("id"), pl.col("namespace"), quoted(pl.col("title"))))["row"]


def _categorylink_rows(rng: np.random.Generator, wiki: Wiki, truth: LinkTruth) -> Iterator[pl.Series]:
    times, tails, prefixes = _times(rng, "%Y-%m-%d %H:%M:%S"), _collation_tails(rng), _prefixes(rng, wiki)
    types = pl.Series([{Kind.CATEGORY: "'subcat'", Kind.FILE: "'file'"}.get(kind, "'page'") for kind in Kind])
    target_ids = wiki.target_ids[wiki.target_rows]
    for links in draw_links(rng, wiki):
        truth.add(wiki, links)
        frame = pl.DataFrame(
            {
                "id": wiki.ids[links.places],
                "key": _sort_keys(wiki, links),
                # All of a page's links mostly have one sort key, and were mostly made in one edit.
                "tail": tails.gather(links.places * 7919 % _POOL),
                "time": times.gather((links.places * 31 + chance(rng, 0.3, len(links.places))) % _POOL),
                "prefix": prefixes.gather(links.places * 17 % _POOL),
                "type": types.gather(wiki.kinds[links.places]),
                "target": target_ids[links.categories],
            }
        )
        key = pl.concat_str(quoted(pl.col("key")).str.strip_suffix("'"), "tail", pl.lit("'"))
        time, prefix = quoted(pl.col("time")), quoted(pl.col("prefix"))
        row = _row(pl.col("id"), key, time, prefix, pl.col("type"), "2", pl.col("target"))
        yield frame.select(row)["row"]


def _sort_keys(wiki: Wiki, links: Links) -> pl.Series:
    """What a link's sort key begins with, which is much like its page's title in capitals."""
    if not len(links.places):
        return pl.Series("key", [], dtype=pl.String)
    begin, end = int(links.places[0]), int(links.places[-1]) + 1
    keys = wiki.titles(begin, end).str.to_uppercase().str.slice(0, 60)
    return keys.gather(links.places - begin)


def _page_props_rows(rng: np.random.Generator, wiki: Wiki) -> Iterator[pl.Series]:
    hiding = np.zeros(len(wiki.kinds), dtype=np.bool_)
    hiding[np.flatnonzero(wiki.kinds == Kind.CATEGORY)] = wiki.hidden[wiki.paged]
    for begin, end in _parts(len(wiki.ids)):
        kinds = wiki.kinds[begin:end]
        numbers = rng.integers(1, 130_000_000, end - begin)
        frame = pl.DataFrame({"id": wiki.ids[begin:end], "number": numbers, "title": wiki.titles(begin, end)})
        article = kinds == Kind.ARTICLE
        described = article | (kinds == Kind.CATEGORY) & chance(rng, 0.4, end - begin)
        item = pl.concat_str(pl.lit("'Q"), "number", pl.lit("'"))
        names = {
            "hiddencat": (hiding[begin:end], pl.lit("''")),
            "page_image_free": (article & chance(rng, 0.4, end - begin), quoted(pl.col("title") + ".jpg")),
            "wikibase-shortdesc": (
                article & chance(rng, 0.8, end - begin),
                quoted(pl.lit("About ") + pl.col("title")),
            ),
            "wikibase_item": (described, item),
        }
        parts = [
            frame.filter(pl.Series(chosen)).select("id", name=pl.lit(name), value=value)
            for name, (chosen, value) in names.items()
        ]
        rows = pl.concat(parts).sort("id", maintain_order=True)
        yield rows.select(_row(pl.col("id"), quoted(pl.col("name")), pl.col("value"), "NULL"))["row"]


def _parts(rows: int) -> Iterator[tuple[int, int]]:
    for begin in range(0, rows, PAGES_AT_A_TIME):
        yield begin, min(rows, begin + PAGES_AT_A_TIME)


def _times(rng: np.random.Generator, pattern: str) -> pl.Series:
    seconds = pl.Series(rng.integers(1_100_000_000, 1_790_000_000, _POOL) * 1_000_000)
    return seconds.cast(pl.Datetime("us")).dt.strftime(pattern)


def _collation_tails(rng: np.random.Generator) -> pl.Series:
    r"""What ICU's sort keys end in: levels parted by 0x01, of bytes of any value; already escaped for mysqldump."""
    escaped = {0: "\\0", 10: "\\n", 13: "\\r", 26: "\\Z", 34: '\\"', 39: "\\'", 92: "\\\\"}
    letters = [escaped.get(byte, chr(byte) if byte < RAW_BYTES else chr(RAW + byte % 64)) for byte in range(256)]
    lengths = rng.integers(3, 14, _POOL).tolist()
    return pl.Series(["\1" + "".join(letters[b] for b in rng.integers(0, 256, length)) for length in lengths])


def _prefixes(rng: np.random.Generator, wiki: Wiki) -> pl.Series:
    """Sort keys that editors wrote: six in ten links have none."""
    names = wiki.articles.gather(rng.integers(0, len(wiki.articles), _POOL))
    names = names.str.replace(r"^([^_]+)_([^_]+).*", "$2, $1")
    return names.zip_with(pl.Series(chance(rng, 0.4, _POOL)), pl.Series([""]).new_from_index(0, _POOL))
