"""Files, rows and a server for the tests of the demo site."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import http.client
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import strategies as st

from cli.demosite.content import DemoSite, Row, demo_site
from cli.demosite.files import (
    write_site,
)
from cli.demosite.server import serve
from cli.demosite.site import Site
from models.hour import hours_of

MONDAY = dt.date(2024, 1, 1)
AGENT = "test/1 (https://example.org; test@example.org) raw"
CONTENT = gzip.compress(bytes(range(256)) * 40, mtime=0) + b"tail" * 4000
NAME = "folder/file.gz"
VALUES = st.lists(
    st.one_of(st.sampled_from([b'"', b"\\", b'\\"', b'""', b"_", b"\x80", "\u2028".encode()]), st.binary(max_size=3)),
    max_size=8,
).map(lambda parts: b"".join(parts).replace(b" ", b"_").replace(b"\n", b"_"))
CODES = st.sampled_from(["", "en", "en.m", "commons.m.m", "de"])
ROWS = st.lists(st.builds(Row, CODES, VALUES, st.integers(1, 10**8)), max_size=20)


def unquoted(field: bytes) -> bytes:
    """Take one field's quotes off, a byte at a time."""
    if not field.startswith(b'"'):
        return field
    value, rest = bytearray(), list(field[1:])
    while (byte := rest.pop(0)) != ord('"'):
        value.append(rest.pop(0) if byte == ord("\\") else byte)
    assert not rest, field
    return bytes(value)


def parsed(lines: list[bytes]) -> list[Row]:
    rows = []
    for line in lines:
        code, title, views, zero = line.split(b" ")
        assert zero == b"0"
        rows.append(Row(unquoted(code).decode(), unquoted(title), int(views)))
    return rows


def lines_of(path: Path) -> list[bytes]:
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    assert text.endswith(b"\n")
    return text.split(b"\n")[:-1]


def digests(folder: Path) -> dict[str, tuple[str, float]]:
    return {
        path.relative_to(folder).as_posix(): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime)
        for path in folder.rglob("*")
        if path.is_file()
    }


def day_counts(site: DemoSite, day: dt.date, codes: tuple[str, ...]) -> Counter[bytes]:
    counts: Counter[bytes] = Counter()
    for hour in hours_of(day):
        for row in site.hours[hour]:
            if row.code in codes:
                counts[row.title] += row.views
    return counts


def title_hours(site: DemoSite, day: dt.date, title: bytes, codes: tuple[str, ...] = ("en", "en.m")) -> list[int]:
    return [
        sum(row.views for row in site.hours[hour] if row.title == title and row.code in codes) for hour in hours_of(day)
    ]


@pytest.fixture(scope="module", name="week")
def demo_week() -> DemoSite:
    return demo_site(MONDAY)


@pytest.fixture(scope="module", name="written")
def written_site(tmp_path_factory: pytest.TempPathFactory) -> tuple[DemoSite, Path]:
    """The four days before a year's end, and where they were written."""
    site = demo_site(dt.date(2023, 12, 28), days=4)
    folder = tmp_path_factory.mktemp("site")
    write_site(site, folder)
    return site, folder


@pytest.fixture(scope="module", name="folder")
def folder_of_one_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory to serve, with a neighbour that must stay private."""
    root = tmp_path_factory.mktemp("served") / "root"
    (root / "folder" / "zoo").mkdir(parents=True)
    (root / NAME).write_bytes(CONTENT)
    (root / "folder" / 'odd "name" & more.txt').write_bytes(b"")
    (root.parent / "secret.txt").write_text("secret")
    (root / "link.txt").symlink_to(root.parent / "secret.txt")
    return root


@pytest.fixture(scope="module", name="server")
def one_server(folder: Path):
    with serve(folder) as site:
        yield site


@pytest.fixture(name="site")
def untroubled_site(server: Site) -> Site:
    """The running server, honest and with an empty log."""
    server.behave()
    server.forget()
    return server


def connected(site: Site) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", int(site.url.rpartition(":")[2]), timeout=5)


def ask(site: Site, path: str = NAME, method: str = "GET", **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    with closing(connected(site)) as connection:
        connection.request(method, f"/{path}", headers={"User-Agent": AGENT} | names)
        response = connection.getresponse()
        return response, response.read()
