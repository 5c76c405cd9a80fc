"""What hour files can hold, as hypothesis strategies, and the conversions between frames and plain dicts."""

from __future__ import annotations

import datetime as dt
import gzip
from collections.abc import Iterable

import oracle
import polars as pl
from hypothesis import settings
from hypothesis import strategies as st

from models.hour import FIRST_DAY, Hour
from models.project import Project, parse_project
from worker.day import HOURLY
from worker.tally import SCHEMA, tally_of

LAW = settings(max_examples=50, deadline=None)
SLOW_LAW = settings(max_examples=16, deadline=None)

LANGUAGES = ("en", "de", "nl", "aa", "simple", "be-tarask", "zh-min-nan", "zh-classical", "roa-rup", "cbk-zam")
FAMILIES = ("wikipedia", "wikibooks", "wiktionary", "wikinews", "wikiquote", "wikisource", "wikiversity", "wikivoyage")
NAMES = (
    "en.wikipedia",
    "de.wikivoyage",
    "nl.wikipedia",
    "www.wikisource",
    "en.wikisource",
    "commons.wikimedia",
    "www.wikidata",
    "www.mediawiki",
    "www.wikifunctions",
)
PROJECTS = tuple(parse_project(name) for name in NAMES)

CODES = tuple(code.encode() for project in PROJECTS for code in (*project.desktop_codes, *project.mobile_codes) if code)
NEAR_CODES = (b"EN", b"e", b"enn", b"en.", b".en", b"en.M", b"en.m.m", b"en.zero.m", b'"en', b'en"', b"\xff", b"en\0")

HOSTILE_TITLES = (
    b"-",
    b"_",
    b'"',
    b'""',
    b'"Heroes"',
    b'"A"_and_"B"',
    b'"Weird_Al"_Yankovic',
    b"C++",
    b"AC/DC\\",
    b'\\"',
    b"tab\there",
    b"return\r",
    b"nul\0",
    b"next\xc2\x85line",
    b"no-break\xc2\xa0space",
    b"line\xe2\x80\xa8separator",
    b"ideographic\xe3\x80\x80space",
    b"\xef\xbf\xbd",
    b"latin1_Caf\xe9",
    b"Talk:\xff",
    b"cut_\xe2\x80",
    b"100%_Caf%C3%A9",
    b"Main_Page",
    b"main__Page_",
    b"Mission:_Impossible",
    b"Help!",
    b"Talk:X",
    b"user__TALK:x",
    b"x" * 10_000,
    b'"' * 5_000,
    b'\\"' * 5_000,
)
GOOD_COUNTS = (b"0", b"1", b"7", b"007", b"100000000", b"9" * 9)
BAD_COUNTS = (
    b"",
    b"+5",
    b"-5",
    b"5.0",
    b"5,0",
    b"0x5",
    b"5e3",
    b"1" * 16,
    b"0" * 16,
    b"1" * 40,
    b"\xd9\xa5",
    b"5\r",
    b"/",
    b":",
)


def hours() -> st.SearchStrategy[Hour]:
    """Hours of files that can exist, with the borders of months, years and leap days in favour."""
    borders = [
        dt.date(2015, 12, 31),
        dt.date(2016, 2, 28),
        dt.date(2016, 2, 29),
        dt.date(2100, 2, 28),
        dt.date(2024, 1, 1),
    ]
    days = st.one_of(st.dates(FIRST_DAY, dt.date(2199, 12, 31)), st.sampled_from(borders))
    return st.builds(Hour, days, st.one_of(st.integers(0, 23), st.sampled_from([0, 22, 23])))


def projects() -> st.SearchStrategy[Project]:
    return st.sampled_from(PROJECTS)


def fields(max_size: int = 20) -> st.SearchStrategy[bytes]:
    """Any bytes but the two that cut."""
    return st.binary(max_size=max_size).map(lambda field: field.translate(None, b" \n"))


def titles() -> st.SearchStrategy[bytes]:
    """Page titles as hostile bytes; few enough that some occur twice."""
    quotes = st.text('"\\ab_', max_size=6).map(str.encode)
    prefixed = st.text("_:-TtalkßaA", max_size=8).map(str.encode)
    return st.one_of(st.sampled_from(HOSTILE_TITLES), quotes, prefixed, fields(), st.sampled_from([b"A", b"B", b"C"]))


def codes() -> st.SearchStrategy[bytes]:
    """Domain codes as written: of our projects, plain and quoted, and others."""
    quoted = st.sampled_from(CODES).map(lambda code: b'"%b"' % code)
    return st.one_of(
        st.sampled_from(CODES), st.sampled_from([b"en", b'""']), quoted, st.sampled_from(NEAR_CODES), fields(4)
    )


def lines() -> st.SearchStrategy[bytes]:
    """Well-formed lines of both quoting eras, and every kind of malformed one."""
    counts = st.one_of(st.sampled_from(GOOD_COUNTS), st.integers(0, 10**9 - 1).map(lambda n: str(n).encode()))
    last = st.sampled_from([b"0", b"0", b"0", b"", b"7", b"0\r", b'""'])
    written = st.one_of(titles(), titles().map(oracle.spark))
    good = st.builds(lambda *line: b" ".join(line), codes(), written, counts, last)
    uncounted = st.builds(lambda *line: b" ".join(line), codes(), written, st.sampled_from(BAD_COUNTS), last)
    wrong_width = st.lists(fields(6), max_size=7).filter(lambda line: len(line) != 4).map(b" ".join)
    return st.one_of(good, good, good, uncounted, wrong_width, st.just(b""))


def hour_texts(max_lines: int = 25) -> st.SearchStrategy[bytes]:
    """An hour file's text, in no order, perhaps with rows that repeat and without its last line break."""
    return st.builds(
        lambda rows, repeated, end: b"\n".join(rows + rows[:repeated]) + end,
        st.lists(lines(), max_size=max_lines),
        st.integers(0, 2),
        st.sampled_from([b"\n", b""]),
    )


def packed_files() -> st.SearchStrategy[bytes]:
    """Files as they may arrive: gzip of anything, cut, followed by garbage, with a byte changed, or no gzip at all."""
    text, byte = hour_texts(4), st.integers(0, 255)
    return st.one_of(
        st.binary(max_size=80),
        st.binary(max_size=80).map(zipped),
        st.builds(lambda text, end: zipped(text)[:end], text, st.integers(0, 200)),
        st.builds(lambda text, garbage: zipped(text) + garbage, text, st.binary(max_size=20)),
        st.builds(lambda text, place, byte: _replaced(zipped(text), place, byte), text, byte, byte),
    )


def tallies(max_titles: int = 12) -> st.SearchStrategy[dict[bytes, tuple[int, int]]]:
    """Plain tallies; sums of them may pass 32 bits, and no title is without views."""
    views = st.one_of(st.integers(0, 3), st.sampled_from([50, 950, 1_000, 5_000, 10_000, 2**32 - 1, 2**53]))
    both = st.tuples(views, views).filter(any)
    return st.dictionaries(titles(), both, max_size=max_titles)


def rows_frame(rows: Iterable[tuple[bytes, int, int]]) -> pl.DataFrame:
    """Rows of the tally's schema, in the given order, repeats and all."""
    return pl.DataFrame(list(rows), schema=SCHEMA, orient="row")


def frame(tally: oracle.Tally) -> pl.DataFrame:
    return tally_of(rows_frame((title, *views) for title, views in tally.items()))


def hourly(tally: pl.DataFrame, hour: int) -> pl.DataFrame:
    """A tally's rows as those of an hour of the day."""
    return tally.with_columns(pl.lit(hour, dtype=pl.UInt8).alias("hour")).select(HOURLY.names())


def plain(tally: pl.DataFrame) -> dict[bytes, tuple[int, int]]:
    """The frame as a dict, after a check that it is a tally: its schema, one row per title, sorted by bytes."""
    assert tally.schema == SCHEMA
    found = [row[0] for row in tally.iter_rows()]
    assert found == sorted(set(found))
    return {title: (desktop, mobile) for title, desktop, mobile in tally.iter_rows()}


def zipped(*members: bytes) -> bytes:
    return b"".join(gzip.compress(member, mtime=0) for member in members)


def _replaced(packed: bytes, place: int, byte: int) -> bytes:
    changed = bytearray(packed)
    changed[place % len(packed)] = byte
    return bytes(changed)
