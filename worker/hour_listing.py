"""A folder's listing: which hour files a source has there, and how large they are.

Servers write listings in different ways: nginx gives sizes in bytes (https://nginx.org/en/docs/http/ngx_http_autoindex_module.html),
Apache and others round them to ``55M``. A listing is written by strangers: of all its text only names that could be
ours and the sizes behind them are taken, as values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from models.errors import BadDate
from models.hour import Hour, hour_of_stamp

_NAME = re.compile(rb"pageviews-(\d{8}-\d{6})\.gz")
_HREF = re.compile(rb"""\shref\s*=\s*["']?([^"'\s]*)""", re.IGNORECASE)
_SIZE = re.compile(rb"\d:\d\d(?::\d\d)?\s+(\d{1,15}(?:\.\d{1,3})?)\s?([KMGT]?)(?:i?B)?(?!\S)", re.IGNORECASE)
_FACTOR = {b"": 1, b"K": 1 << 10, b"M": 1 << 20, b"G": 1 << 30, b"T": 1 << 40}
_MAX_BYTES = 1 << 40
_REACH = 400
"""Bytes behind a link in which its size is looked for."""


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file as a listing tells of it. ``size`` in bytes, None where none is given; ``exact`` unless it is rounded."""

    size: int | None
    exact: bool


def folder_of(hour: Hour) -> str:
    """The folder of an hour's file below a source, with its slash: ``other/pageviews/2024/2024-01/``."""
    return f"{hour.path.rpartition('/')[0]}/"


def listed_files(listing_html: bytes) -> Mapping[Hour, ListedFile]:
    """The hour files that a listing links to; of several links to the same name the first counts."""
    found: dict[Hour, ListedFile] = {}
    for name, behind in _links(listing_html):
        if (match := _NAME.fullmatch(name)) and (hour := _hour(match[1].decode())):
            found.setdefault(hour, _file(behind))
    return found


def _links(html: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The last part of each link's address, and the text between its end and the next link."""
    name: bytes | None = None
    behind = b""
    for piece in html.split(b"<"):
        tag, _, text = piece.partition(b">")
        if tag[:2].lower() in (b"a ", b"a\t", b"a\n", b"a\r"):
            if name is not None:
                yield name, behind
            match = _HREF.search(tag)
            name, behind = match[1].rpartition(b"/")[2] if match else None, b""
        elif len(behind) < _REACH:
            behind += b" " + text[:_REACH]
    if name is not None:
        yield name, behind


def _file(behind: bytes) -> ListedFile:
    match = _SIZE.search(behind)
    if match is None:
        return ListedFile(None, exact=False)
    unit = match[2].upper()
    size = round(float(match[1]) * _FACTOR[unit]) if unit or b"." in match[1] else int(match[1])
    return ListedFile(size, exact=not unit) if size <= _MAX_BYTES else ListedFile(None, exact=False)


def _hour(stamp: str) -> Hour | None:
    try:
        return hour_of_stamp(stamp)
    except BadDate:
        return None
