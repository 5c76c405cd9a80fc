"""What lies where below a source, and reading what is there.

Everything read here was written by strangers. Paths are built from our own words, dates and checked names only.
"""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import io
import json
import re
import zlib
from typing import Any

from models.dump_run import DumpFile
from models.errors import CorruptFile, FileNotThere
from models.hour import Hour
from worker.budget import Budget
from worker.client import Http
from worker.fetch import fetch_small
from worker.patience import Retries

MAX_DOCUMENT_BYTES = 10 << 20
MAX_FILE_BYTES = 1 << 40
RUNS_TRIED = 12
# It takes each address whole, so that a page of nothing but beginnings is still read in one pass.
_LINK = re.compile(rb"""\bhref\s*=\s*["']?([^"'<>\s]*)""", re.IGNORECASE)
_RUN = re.compile(rb"(?:.*/)?(\d{4})(\d{2})(\d{2})/", re.DOTALL)
_SHA1 = re.compile(r"[0-9a-f]{40}")
_MD5 = re.compile(r"[0-9a-f]{32}")


def hour_url(source: str, hour: Hour) -> str:
    """Where an hour's pageviews lie."""
    return f"{source.rstrip('/')}/{hour.path}"


def listed_runs(listing_html: bytes) -> tuple[str, ...]:
    """The dump runs (``20160801``) that a directory listing links to, newest first."""
    found = {match.groups() for link in _LINK.findall(listing_html) if (match := _RUN.fullmatch(link))}
    return tuple(sorted((b"".join(date).decode() for date in found if _is_date(*map(int, date))), reverse=True))


def finished_file(dumpstatus: bytes, job: str, database: str) -> DumpFile | None:
    """The one file of a job, if the run's dumpstatus.json calls that job done.

    Raises:
        CorruptFile: the document is not what a dumpstatus.json is, or its file has not the name of this database.
    """
    try:
        entry = json.loads(dumpstatus)["jobs"].get(job)
        if entry is None or entry["status"] != "done":
            return None
        [(name, about)] = entry["files"].items()
        size, sha1, md5 = about["size"], about.get("sha1"), about.get("md5")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise CorruptFile(f"The dump status of {database} cannot be read.") from None
    if not re.fullmatch(rf"{re.escape(database)}-[A-Za-z0-9._-]+", name, re.ASCII) or ".." in name:
        raise CorruptFile(f"The dump status of {database} names a file that is not its own.")
    if type(size) is not int or not 0 <= size <= MAX_FILE_BYTES or not _is_hex(_SHA1, sha1) or not _is_hex(_MD5, md5):
        raise CorruptFile(f"The dump status of {database} gives no sound size or checksum.")
    return DumpFile(name, size, sha1, md5)


def fetch_siteinfo(
    http: Http, source: str, database: str, *, budget: Budget, retries: Retries
) -> tuple[bytes, dt.date] | None:
    """A wiki's siteinfo, as JSON text, from the newest run that has finished it, and that run's date.

    A run whose status or file is missing or damaged is passed over for the one before it. None where the source has
    no dumps of this wiki, or none that is finished.

    Raises:
        CorruptFile: no run's siteinfo is sound, and at least one is damaged.
        SourceError: as ``worker.fetch.fetch_small``.
    """

    def read(path: str) -> bytes:
        url = f"{source.rstrip('/')}/{database}/{path}"
        return fetch_small(http, url, limit_bytes=MAX_DOCUMENT_BYTES, budget=budget, retries=retries)

    damage = None
    try:
        runs = listed_runs(read(""))
    except FileNotThere:
        return None
    for run in runs[:RUNS_TRIED]:
        try:
            if file := finished_file(read(f"{run}/dumpstatus.json"), "namespaces", database):
                return unpacked(file, read(f"{run}/{file.name}")), dt.date.fromisoformat(run)
        except FileNotThere:
            continue
        except CorruptFile as error:
            damage = damage or error
    if damage:
        raise damage
    return None


def unpacked(file: DumpFile, packed: bytes) -> bytes:
    """The text in a gzip file, checked against what was announced, of at most 10 MiB.

    Raises:
        CorruptFile: size, checksum or gzip itself is wrong, or there is more text.
    """
    known = (("sha1", file.sha1), ("md5", file.md5))
    algorithm, checksum = next(((kind, value) for kind, value in known if value), ("md5", None))
    if len(packed) != file.size or checksum not in (
        None,
        hashlib.new(algorithm, packed, usedforsecurity=False).hexdigest(),
    ):
        raise CorruptFile(f"{file.name} is not the file that was announced.")
    try:
        text = gzip.GzipFile(fileobj=io.BytesIO(packed)).read(MAX_DOCUMENT_BYTES + 1)
    except (EOFError, OSError, zlib.error):
        raise CorruptFile(f"{file.name} cannot be unpacked.") from None
    if len(text) > MAX_DOCUMENT_BYTES:
        raise CorruptFile(f"{file.name} unpacks to more than {MAX_DOCUMENT_BYTES >> 20} MiB.")
    return text


def _is_date(year: int, month: int, day: int) -> bool:
    try:
        dt.date(year, month, day)
    except ValueError:
        return False
    return True


def _is_hex(shape: re.Pattern[str], value: Any) -> bool:  # noqa: ANN401 - anything may stand in a stranger's JSON
    return value is None or (isinstance(value, str) and shape.fullmatch(value) is not None)
