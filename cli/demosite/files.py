"""A demo site's hour files, laid out and written as on https://dumps.wikimedia.org/other/pageviews/.

Beside each ``pageviews-{stamp}.gz`` lies ``projectviews-{stamp}``, with the same hour's views per domain code.
"""

from __future__ import annotations

import gzip
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import cycle, islice
from pathlib import Path

from cli.demosite.content import DemoSite, Row
from cli.demosite.runs import write_runs
from models.hour import PUBLICATION_DELAY, Hour

MALFORMED_LINES = 4
"""How many malformed lines a site has unless asked otherwise."""

_MALFORMED = (b"en Lost_Field 7", b"en Torn Title 7 0", b"en Wordy_Count many 0", b"")
_MALFORMED_HOUR = 5


class Era(StrEnum):
    """How values are quoted: as Spark's CSV writer does since February 2023, or not at all as before."""

    SPARK = "spark"
    UNQUOTED = "unquoted"


def write_site(site: DemoSite, directory: Path, *, era: Era = Era.SPARK, malformed: int = MALFORMED_LINES) -> None:
    """Write the hour files and the dump runs below a directory; the same site always gives the same bytes.

    ``malformed`` lines, which no truth knows of, go into the file of ``malformed_hour(site)``.
    """
    for hour, rows in site.hours.items():
        broken = malformed_lines(malformed) if hour == malformed_hour(site) else ()
        _write_hour(directory, hour, rows, broken, era)
    write_runs(site, directory)


def malformed_hour(site: DemoSite) -> Hour:
    """The hour whose file has the malformed lines."""
    return Hour(site.first_day, _MALFORMED_HOUR)


def malformed_lines(count: int) -> tuple[bytes, ...]:
    """As many lines as asked, by turns with three fields, with five, with a word for a count, and blank."""
    return tuple(islice(cycle(_MALFORMED), count))


def hour_lines(rows: Iterable[Row], *, era: Era = Era.SPARK) -> list[bytes]:
    """The rows as lines ``domain_code page_title count 0``, without their LF."""
    write = quoted if era is Era.SPARK else bytes
    return [b"%b %b %d 0" % (write(row.code.encode()), write(row.title), row.views) for row in rows]


def projectviews_lines(rows: Iterable[Row], *, era: Era = Era.SPARK) -> list[bytes]:
    """Lines ``domain_code - total 0``, sorted by code."""
    totals: Counter[str] = Counter()
    for row in rows:
        totals[row.code] += row.views
    return hour_lines([Row(code, b"-", views) for code, views in sorted(totals.items())], era=era)


def quoted(value: bytes) -> bytes:
    r"""Write a value as Spark's CSV writer does: ``"`` calls for quotes, within which ``\`` escapes it and itself."""
    if not value:
        return b'""'
    if b'"' not in value:
        return value
    return b'"%b"' % value.replace(b"\\", b"\\\\").replace(b'"', b'\\"')


def _write_hour(directory: Path, hour: Hour, rows: Sequence[Row], broken: Sequence[bytes], era: Era) -> None:
    path = directory / hour.path
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = hour_lines(rows, era=era)
    first_english = next((n for n, row in enumerate(rows) if row.code == "en"), 0)
    lines[first_english + 1 : first_english + 1] = broken
    path.write_bytes(gzip.compress(_text(lines), mtime=0))
    totals = path.with_name(f"projectviews-{hour.stamp}")
    totals.write_bytes(_text(projectviews_lines(rows, era=era)))
    published = (hour.end + PUBLICATION_DELAY).timestamp()
    for written in (path, totals):
        os.utime(written, (published, published))


def _text(lines: Sequence[bytes]) -> bytes:
    return b"".join(b"%b\n" % line for line in lines)
