"""What an honest file server answers: a file whole, a part of it, or an error, as values.

Ranges after RFC 9110: one ``bytes=N-`` or ``bytes=N-M`` is served as 206, any other Range is ignored, and If-Range
compares strongly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from email.utils import formatdate
from http import HTTPStatus

from cli.demosite.file_bytes import FileBytes

_RANGE = re.compile(r"bytes=(\d+)-(\d*)", re.ASCII)

Headers = tuple[tuple[str, str], ...]
Content = bytes | FileBytes


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked for. ``path`` is decoded and has no leading slash, like ``Hour.path``.

    ``nth`` counts the requests of this path that met the same fault, from 1.
    """

    method: str
    path: str
    range: str | None = None
    if_range: str | None = None
    agent: str = ""
    nth: int = 1


@dataclass(frozen=True, slots=True)
class ServedFile:
    """A file as the server knows it. ``modified`` is in seconds since 1970."""

    content: Content
    etag: str
    modified: float
    content_type: str = "application/octet-stream"
    honours_if_range: bool = True

    @property
    def last_modified(self) -> str:
        return formatdate(self.modified, usegmt=True)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, and how it is sent.

    ``announced`` is a Content-Length other than the body's own; ``cut_after`` the number of body bytes after which
    the connection closes; ``rate`` is in bytes per second and ``stall`` in seconds before the first byte. With
    ``at_most``, ``past_limit`` is sent instead while that many transfers are running.
    """

    status: int
    headers: Headers = ()
    body: Content = b""
    announced: int | None = None
    cut_after: int | None = None
    rate: float | None = None
    stall: float = 0
    at_most: int | None = None
    past_limit: Reply | None = None

    @property
    def length(self) -> int:
        return len(self.body) if self.announced is None else self.announced

    @property
    def closes(self) -> bool:
        return self.announced is not None or self.cut_after is not None

    @property
    def is_transfer(self) -> bool:
        return self.status in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT)


def html_reply(status: int, title: str, headers: Headers = ()) -> Reply:
    """A short HTML page, as nginx writes it."""
    head, body = f"<head><title>{title}</title></head>", f"<body><center><h1>{title}</h1></center></body>"
    page = f"<html>\r\n{head}\r\n{body}\r\n</html>\r\n"
    return Reply(status, (("Content-Type", "text/html"), *headers), page.encode())


def error_reply(status: HTTPStatus, retry_after: int | str | None = None) -> Reply:
    """The page of an HTTP error, with a Retry-After in seconds or as a date."""
    headers = () if retry_after is None else (("Retry-After", str(retry_after)),)
    return html_reply(status, f"{int(status)} {status.phrase}", headers)


def file_reply(file: ServedFile, request: Request) -> Reply:
    """The file as 200, the asked part of it as 206, or 416."""
    size = len(file.content)
    headers = (
        ("Content-Type", file.content_type),
        ("Last-Modified", file.last_modified),
        ("ETag", file.etag),
        ("Accept-Ranges", "bytes"),
    )
    wanted = _wanted(file, request)
    if wanted is None:
        return Reply(HTTPStatus.OK, headers, file.content)
    first, last = wanted
    if first >= size:
        refused = error_reply(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
        return replace(refused, headers=(*refused.headers, ("Content-Range", f"bytes */{size}")))
    content_range = ("Content-Range", f"bytes {first}-{last}/{size}")
    return Reply(HTTPStatus.PARTIAL_CONTENT, (*headers, content_range), file.content[first : last + 1])


def _wanted(file: ServedFile, request: Request) -> tuple[int, int] | None:
    match = _RANGE.fullmatch(request.range or "")
    if match is None or not _is_same_version(file, request.if_range):
        return None
    end = len(file.content) - 1
    first, last = int(match[1]), min(end, int(match[2])) if match[2] else end
    return None if match[2] and int(match[2]) < first else (first, last)


def _is_same_version(file: ServedFile, if_range: str | None) -> bool:
    return if_range is None or not file.honours_if_range or if_range in (file.etag, file.last_modified)
