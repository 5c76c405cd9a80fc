"""HTTP: one file to disk, or one small document into memory; whole, of one version, and politely.

A file grows as ``NAME.part`` beside ``NAME.part.json``, which names the version the part belongs to, and gets its
final name when it is complete. A part, also one that a killed process left, is resumed with Range and If-Range
(RFC 9110, sections 13.1.5 and 14.2). Each connection closes with its transfer, so that none outlives its budget.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import os
import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import requests
import urllib3

from models.errors import CorruptFile, SourceRefused, UncountableFile, UsageError
from worker.budget import Budget, hold_file
from worker.client import Http
from worker.partial_file import PartialFile, Version, plain
from worker.patience import (
    PATIENT,
    Interrupted,
    Retries,
    causes,
    interrupted_by,
    is_forbidden,
    persist,
    refusal,
    seconds_to_wait,
)
from worker.source import redirected, without_credentials
from worker.watch import Watch

_CHUNK_BYTES = 1 << 20
_HEAD_BYTES = 512
_MAX_REDIRECTS = 3
_OK, _PARTIAL, _NO_SUCH_RANGE = 200, 206, 416
_REDIRECTS = (301, 302, 303, 307, 308)
_CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-\d{1,15}/(?:(\d{1,15})|\*)", re.ASCII)
_GZIP = b"\x1f\x8b"
_LOOKS = {b"<!doctype html": "HTML", b"<html": "HTML", b"<": "XML", b"{": "JSON", b"bzh": "bzip2", b"pk": "a zip file"}


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A complete file on disk. ``url`` is without credentials; ``sha256`` is of the bytes as they came."""

    path: Path
    url: str
    size: int
    etag: str | None
    last_modified: str | None
    sha256: str


def discard(into: Path) -> None:
    """Remove a file and whatever part of it there is; waits for a fetch of it that is under way."""
    with hold_file(into):
        PartialFile(into).discard()
        into.unlink(missing_ok=True)


def fetch(
    http: Http, url: str, into: Path, *, budget: Budget, retries: Retries = PATIENT, limit_bytes: float = math.inf
) -> Downloaded:
    """Fetch one file to exactly ``into``, which it replaces in one step when it is complete.

    It is fetched anew even if ``into`` exists: whether an older file will do is the caller's to know. Another fetch of
    the same ``into`` is waited for; who goes on to read the file should do both inside ``hold_file``, or another
    worker may replace or discard it in between. The budget is held during each attempt, not during the waits.

    Raises:
        FileNotThere: 404 or 410.
        SourceRefused: any other 4xx, a redirect to another host, or a Wikimedia host without a contact.
        SourceUnreachable: no answer, a cut connection, 429 or 5xx, after every retry.
        CorruptFile: what came is shorter than announced after every retry, or no gzip though the URL ends in ``.gz``.
        UncountableFile: it is longer than ``limit_bytes``, or announced to be; nothing of it stays.
        OSError: the disk is full or cannot be written; what is complete stays.
    """
    with hold_file(into):
        part = PartialFile(into)
        known = part.version()
        if known is None or known.url != without_credentials(url):
            part.discard()
        version = persist(url, partial(_transfer, http, url, part, retries, limit_bytes), budget, retries, part.size)
        return _finish(url, part, version, into)


def fetch_small(http: Http, url: str, *, limit_bytes: int, budget: Budget, retries: Retries = PATIENT) -> bytes:
    """Fetch one document into memory, as its bytes came.

    Raises:
        CorruptFile: the document is longer than ``limit_bytes``. Otherwise as ``fetch``.
    """

    def attempt(seconds: float) -> bytes:
        body = bytearray()
        with _answer(http, url, {}, retries, seconds) as (_, chunks):
            for chunk in chunks:
                body += chunk
                if len(body) > limit_bytes:
                    raise CorruptFile(f"{without_credentials(url)} is longer than {limit_bytes} bytes.")
        return bytes(body)

    body = persist(url, attempt, budget, retries)
    if fault := _not_gzip(url, body[:_HEAD_BYTES]):
        raise CorruptFile(fault)
    return body


def ask(http: Http, url: str, *, budget: Budget, retries: Retries) -> None:
    """Ask for a file's headers, to learn whether the source answers this client at all; the file may well be missing.

    Raises:
        SourceRefused: the source refuses this client, or is Wikimedia's and there is no contact.
        SourceUnreachable: nobody answers.
    """

    def attempt(seconds: float) -> None:
        with http.watching(seconds) as watch, _send(http, "HEAD", url, {}, retries, watch) as response:
            if is_forbidden(response.status_code):
                raise refusal(url, response.status_code, 0)

    persist(url, attempt, budget, retries)


def _transfer(http: Http, url: str, part: PartialFile, retries: Retries, limit_bytes: float, seconds: float) -> Version:
    known, offset = part.version(), part.size()
    if known and known.total:
        # The last byte is asked for again, so that a complete part, too, is checked against its source.
        offset = min(offset, known.total - 1)
    headers = {"Range": f"bytes={offset}-", "If-Range": known.validator} if known and offset else {}
    with _answer(http, url, headers, retries, seconds) as (response, chunks):
        if known is None or response.status_code == _OK:
            version = part.begin(_version(url, response))
        else:
            version = _resume(part, known, offset, response)
        with part.path.open("ab") as file:
            _check_length(part, version, version.total or 0, limit_bytes)
            for chunk in chunks:
                file.write(chunk)
                _check_length(part, version, file.tell(), limit_bytes)
    size = part.size()
    if version.total is None or size == version.total:
        return version
    if size > version.total:
        part.discard()
    raise Interrupted(f"{version.total} bytes were announced, and {size} came", ended_early=True)


def _check_length(part: PartialFile, version: Version, size: int, limit_bytes: float) -> None:
    if size > limit_bytes:
        part.discard()
        raise UncountableFile(f"{version.url} is longer than {limit_bytes} bytes, or announced to be.")


def _version(url: str, response: requests.Response) -> Version:
    etag, modified = (plain(response.headers.get(name)) for name in ("ETag", "Last-Modified"))
    return Version(without_credentials(url), etag, modified, response.raw.length_remaining)


def _resume(part: PartialFile, known: Version, offset: int, response: requests.Response) -> Version:
    """The known version, if the answer goes on with it exactly where the part ends."""
    headers = response.headers
    if response.status_code == _NO_SUCH_RANGE:
        part.discard()
        if part.range_refused:
            raise CorruptFile(f"{known.url} has fewer bytes than it announces.")
        part.range_refused = True
        raise Interrupted("it has fewer bytes than it announces", ended_early=True)
    match = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
    start, total = (int(text) if text else None for text in match.groups()) if match else (None, None)
    expected = (offset, known.total, known.etag, known.last_modified)
    offered = (start, total, plain(headers.get("ETag")), plain(headers.get("Last-Modified")))
    if match is None or any(None not in pair and pair[0] != pair[1] for pair in zip(expected, offered, strict=True)):
        part.discard()
        raise Interrupted("the file changed while it was being fetched")
    os.truncate(part.path, offset)
    return replace(known, total=total if known.total is None else known.total)


def _finish(url: str, part: PartialFile, version: Version, into: Path) -> Downloaded:
    with part.path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        file.seek(0)
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if fault := _not_gzip(url, head):
        part.discard()
        raise CorruptFile(fault)
    size = part.size()
    part.path.replace(into)
    part.sidecar.unlink()
    return Downloaded(into, version.url, size, version.etag, version.last_modified, sha256)


@contextmanager
def _answer(
    http: Http, url: str, headers: Mapping[str, str | None], retries: Retries, seconds: float
) -> Iterator[tuple[requests.Response, Iterator[bytes]]]:
    """An answer and its body's chunks, all of which take no longer than so many seconds."""
    place = url
    with http.watching(seconds) as watch:
        for _ in range(_MAX_REDIRECTS + 1):
            with _send(http, "GET", place, headers, retries, watch) as response:
                if response.status_code not in _REDIRECTS:
                    expected = (_OK, _PARTIAL, _NO_SUCH_RANGE) if headers else (_OK,)
                    if response.status_code not in expected:
                        raise refusal(url, response.status_code, _asked_wait(response, retries))
                    yield response, _chunks(response, watch)
                    return
                place = redirected(place, response.headers.get("Location", ""))
    raise SourceRefused(f"{without_credentials(url)} redirects more than {_MAX_REDIRECTS} times.")


def _asked_wait(response: requests.Response, retries: Retries) -> float:
    asked, date = (response.headers.get(name, "") for name in ("Retry-After", "Date"))
    return min(seconds_to_wait(asked, date, dt.datetime.now(dt.UTC)), retries.retry_after_max)


def _send(
    http: Http, method: str, url: str, headers: Mapping[str, str | None], retries: Retries, watch: Watch
) -> requests.Response:
    """Ask, and read the answer's head."""
    watch.check()
    timeout = (retries.connect_timeout, retries.read_timeout)
    try:
        with _connecting(url):
            response = http.request(method, url, headers=headers, stream=True, allow_redirects=False, timeout=timeout)
    except (Interrupted, SourceRefused):
        watch.check()
        raise
    try:
        watch.check()  # or its head may have been cut short
    except Interrupted:
        response.close()
        raise
    return response


@contextmanager
def _connecting(url: str) -> Iterator[None]:
    """Turn what requests raises into errors of ours."""
    try:
        yield
    except (requests.exceptions.InvalidURL, urllib3.exceptions.LocationValueError, UnicodeError):
        raise UsageError(f"{without_credentials(url)} has no host that could be asked.") from None
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes(error)):
            raise SourceRefused(f"{without_credentials(url)} shows no valid certificate.") from None
        raise interrupted_by(error) from None


def _chunks(response: requests.Response, watch: Watch) -> Iterator[bytes]:
    try:
        while chunk := response.raw.read1(_CHUNK_BYTES, decode_content=False):
            yield chunk
            watch.check()
    except urllib3.exceptions.HTTPError as error:
        watch.check()
        raise interrupted_by(error) from None
    # A body that was cut short from here must not pass for one that ended.
    watch.check()


def _not_gzip(url: str, head: bytes) -> str | None:
    shown = without_credentials(url)
    if head.startswith(_GZIP) or not shown.endswith(".gz"):
        return None
    text = head.lstrip().lower()
    look = next((name for start, name in _LOOKS.items() if text.startswith(start)), "unknown bytes")
    return f"{shown} is no gzip file; it looks like {look if head else 'an empty file'}."
