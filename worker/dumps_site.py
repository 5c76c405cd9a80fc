"""A source: the dumps site, or a mirror of it; its address, and what lies where below it.

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
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urljoin, urlsplit, urlunsplit

from models.errors import CorruptFile, FileNotThere, SourceRefused, UsageError
from models.hour import Hour

if TYPE_CHECKING:
    from worker.budget import Budget, Retries
    from worker.fetch import Http

MAX_DOCUMENT_BYTES = 10 << 20
RUNS_TRIED = 12
_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?|[0-9a-f:.]*:[0-9a-f:.]*", re.ASCII)
_NOT_IN_URLS = re.compile(r"[\x00-\x20\x7f\\]")
_WIKIMEDIA = re.compile(
    r"(.+\.)?((mediawiki|toolforge|wiki(books|data|functions|media|mediafoundation|news|pedia|quote|source|versity|voyage)"
    r"|wiktionary|wmcloud|wmflabs)\.org|w\.wiki)"
)
_RUN_LINK = re.compile(rb"""\bhref\s*=\s*["']?(?:[^"'<>\s]*/)?(\d{4})(\d{2})(\d{2})/["'\s>]""", re.IGNORECASE)
_SHA1 = re.compile(r"[0-9a-f]{40}")
_MD5 = re.compile(r"[0-9a-f]{32}")


class DumpFile(NamedTuple):
    """A file of a dump run as its dumpstatus.json announces it; ``size`` in bytes, the checksums in hexadecimal."""

    name: str
    size: int
    sha1: str | None
    md5: str | None


def parse_source(text: str) -> str:
    """Read a source's base URL: ``https://dumps.wikimedia.org``, a mirror with a path, a server on loopback.

    The answer has no trailing slash, and scheme and host in lower case. Plain http is for mirrors and loopback.

    Raises:
        UsageError: it is no http or https URL, has a query or fragment, or is a Wikimedia host without https.
    """
    url = text.strip()
    scheme, host, port = origin(url)
    parts = urlsplit(url)
    if parts.query or parts.fragment:
        raise UsageError(f"The source {without_credentials(url)} must not have a query or fragment.")
    if is_wikimedia(url) and scheme != "https":
        raise UsageError(f"Wikimedia's hosts are asked over https only: https://{host}.")
    user, at, _ = parts.netloc.rpartition("@")
    place = f"[{host}]" if ":" in host else host
    shown_port = "" if port == _PORTS[scheme] else f":{port}"
    return f"{scheme}://{user}{at}{place}{shown_port}{parts.path.rstrip('/')}"


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of an http or https URL: who answers it.

    Raises:
        UsageError: the text is no such URL, or one that two parsers could understand in two ways.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
        plain = parts.scheme in _PORTS and _HOST.fullmatch(host) and not _NOT_IN_URLS.search(url)
    except (ValueError, KeyError):
        plain = None
    if not plain:
        raise UsageError("A source is written like https://dumps.wikimedia.org; what is set is not.")
    return parts.scheme, host.removesuffix("."), port


def is_wikimedia(url: str) -> bool:
    """Whether Wikimedia answers this URL, so that its policies hold."""
    return _WIKIMEDIA.fullmatch(origin(url)[1]) is not None


def without_credentials(url: str) -> str:
    """The URL without user, password, query and fragment, as messages and records may show it.

    Raises:
        UsageError: it is no http or https URL.
    """
    origin(url)
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def redirected(url: str, location: str) -> str:
    """Where a redirect leads: to the same host and port, or to https on the same host.

    Raises:
        SourceRefused: it leads anywhere else.
    """
    here, shown = origin(url), without_credentials(url)
    try:
        place = urljoin(url, location)
        there = origin(place)
    except (ValueError, UsageError):
        raise SourceRefused(f"{shown} redirects to what is no http address.") from None
    if there != here and (here[0], *there[:2]) != ("http", "https", here[1]):
        raise SourceRefused(f"{shown} redirects to another place, {there[0]}://{there[1]}:{there[2]}.")
    return place


def hour_url(source: str, hour: Hour) -> str:
    """Where an hour's pageviews lie."""
    return f"{source.rstrip('/')}/{hour.path}"


def siteinfo_runs(listing_html: bytes) -> tuple[str, ...]:
    """The dump runs (``20160801``) that a directory listing links to, newest first."""
    found = {match.groups() for match in _RUN_LINK.finditer(listing_html)}
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
    if type(size) is not int or size < 0 or not _is_hex(_SHA1, sha1) or not _is_hex(_MD5, md5):
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
    from worker.fetch import fetch_small  # here, since fetching needs this module's rules for addresses

    def read(path: str) -> bytes:
        url = f"{source.rstrip('/')}/{database}/{path}"
        return fetch_small(http, url, limit_bytes=MAX_DOCUMENT_BYTES, budget=budget, retries=retries)

    damage = None
    try:
        runs = siteinfo_runs(read(""))
    except FileNotThere:
        return None
    for run in runs[:RUNS_TRIED]:
        try:
            if file := finished_file(read(f"{run}/dumpstatus.json"), "namespaces", database):
                return _unpacked(file, read(f"{run}/{file.name}")), dt.date.fromisoformat(run)
        except FileNotThere:
            continue
        except CorruptFile as error:
            damage = damage or error
    if damage:
        raise damage
    return None


def _unpacked(file: DumpFile, packed: bytes) -> bytes:
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
