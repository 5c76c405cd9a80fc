"""Looking up what a path below the served directory means, and nginx's listing of a directory."""

from __future__ import annotations

import datetime as dt
from html import escape
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

from cli.demosite.file_bytes import file_bytes
from cli.demosite.reply import Reply, ServedFile

_TYPES = {".gz": "application/gzip", ".json": "application/json", ".html": "text/html"}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NAME_WIDTH = 50
"""nginx's autoindex cuts longer names, in the text but not in the link."""


def locate(root: Path, path: str) -> Path | None:
    """The existing file or directory that a decoded path names, unless it lies outside the resolved root."""
    try:
        found = (root / path.lstrip("/")).resolve(strict=True)
    except (OSError, ValueError):
        return None
    return found if found.is_relative_to(root) else None


def served_file(path: Path) -> ServedFile:
    """An existing file. Its strong ETag is made of its time and size, as nginx does, but to the nanosecond."""
    about = path.stat()
    content_type = _TYPES.get(path.suffix, "application/octet-stream")
    return ServedFile(file_bytes(path), f'"{about.st_mtime_ns:x}-{about.st_size:x}"', about.st_mtime, content_type)


def listing(folder: Path, path: str) -> Reply:
    """A directory's HTML index as nginx writes it: directories first, then files with their exact sizes."""
    entries = sorted(folder.iterdir(), key=lambda entry: (entry.is_file(), entry.name))
    title = f"Index of /{escape(path)}"
    lines = ['<a href="../">../</a>', *map(_line, entries)]
    page = (
        f"<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<h1>{title}</h1><hr><pre>"
        + "\r\n".join(lines)
        + "\r\n</pre><hr></body>\r\n</html>\r\n"
    )
    return Reply(HTTPStatus.OK, (("Content-Type", "text/html"),), page.encode())


def _line(entry: Path) -> str:
    about = entry.stat()
    name = entry.name if entry.is_file() else f"{entry.name}/"
    shown = name if len(name) <= _NAME_WIDTH else f"{name[: _NAME_WIDTH - 3]}..>"
    size = str(about.st_size) if entry.is_file() else "-"
    link = f'<a href="{quote(name)}">{escape(shown)}</a>'
    return f"{link}{' ' * (_NAME_WIDTH + 1 - len(shown))}{_date(about.st_mtime)} {size:>19}"


def _date(seconds: float) -> str:
    moment = dt.datetime.fromtimestamp(seconds, dt.UTC)
    return f"{moment.day:02d}-{_MONTHS[moment.month - 1]}-{moment:%Y %H:%M}"
