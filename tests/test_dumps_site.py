"""The dumps site's names, listings and status documents."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from dumps_samples import NAME, status_with
from hypothesis import given
from hypothesis import strategies as st

from models.dump_run import DumpFile
from models.errors import CorruptFile
from models.hour import Hour
from worker.dumps_site import finished_file, hour_url, listed_runs


@pytest.mark.parametrize("source", ["https://dumps.wikimedia.org", "https://dumps.wikimedia.org/"])
def test_hour_lies_under_the_end_of_its_hour(source: str) -> None:
    """The last hour of a year lies in next year's January folder."""
    url = "https://dumps.wikimedia.org/other/pageviews/2024/2024-01/pageviews-20240101-000000.gz"
    assert hour_url(source, Hour(dt.date(2023, 12, 31), 23)) == url


NGINX = b"""<html><head><title>Index of /enwiki/</title></head><body><h1>Index of /enwiki/</h1><hr><pre>
<a href="../">../</a>
<a href="20240101/">20240101/</a>       03-Jan-2024 10:00       -
<a href="20240201/">20240201/</a>       03-Feb-2024 10:00       -
<a href="latest/">latest/</a>           03-Feb-2024 10:00       -
</pre></body></html>"""
APACHE = b"""<table><tr><th><a href="?C=N;O=D">Name</a></th></tr>
<tr><td><A HREF='/mirror/enwiki/20231220/'>20231220/</A></td></tr><tr><td><a href="./20240101/">20240101/</a></td>
<tr><td><a href="20231220/">again</a></td></tr></table>"""


@pytest.mark.parametrize(
    ("listing", "runs"),
    [
        (NGINX, ("20240201", "20240101")),
        (APACHE, ("20240101", "20231220")),
        (b'<a href="20240230/">', ()),
        (b'<a href="00000101/">', ()),
        (b'<a href="202401011/"> <a href="2024010/"> <a href="20240101"> <a href="x20240101/">', ()),
        (b'<a href="20240101/../../secret/"> 20240101/ <a name="20240101/">', ()),
        ('<a href="٢٠٢٤٠١٠١/">'.encode(), ()),
        (b"", ()),
    ],
)
def test_runs_are_read_from_listings(listing: bytes, runs: tuple[str, ...]) -> None:
    """Only links to folders of eight digits that are a real date count, each once, the newest first."""
    assert listed_runs(listing) == runs


@given(st.lists(st.dates(), unique=True), st.binary())
def test_every_run_is_found(dates: list[dt.date], noise: bytes) -> None:
    """Whatever else a listing holds, the runs linked in it are found in descending order."""
    links = b"".join(b'<a href="%s/">' % date.isoformat().replace("-", "").encode() for date in dates)
    found = listed_runs(noise.replace(b"href", b"") + b'">' + links)
    assert list(found) == [date.isoformat().replace("-", "") for date in sorted(dates, reverse=True)]


@pytest.mark.parametrize("piece", [b"href=", b"href= ", b'<a href="', b"<a href=x/"])
def test_a_hostile_listing_takes_no_time(piece: bytes) -> None:
    """Two megabytes of anything are read in one pass: the test's own time limit would notice more."""
    assert listed_runs(piece * (2_000_000 // len(piece)) + b"<") == ()


def test_finished_file_is_read() -> None:
    """A job that is done gives its file with size and checksums."""
    assert finished_file(status_with(), "namespaces", "enwiki") == (NAME, 7, "a" * 40, "b" * 32)


def test_missing_checksum_is_none() -> None:
    """A checksum that was not published is None."""
    assert finished_file(status_with(sha1=None), "namespaces", "enwiki") == DumpFile(NAME, 7, None, "b" * 32)


@pytest.mark.parametrize("status", ["in-progress", "waiting", "failed", "skipped", "Done", ""])
def test_unfinished_job_has_no_file(status: str) -> None:
    """Only "done" is done."""
    assert finished_file(status_with(status), "namespaces", "enwiki") is None


def test_unfinished_job_needs_no_files() -> None:
    """A job that is still running lists no files, and one that the wiki does not have is not listed at all."""
    running = b'{"jobs": {"namespaces": {"status": "in-progress"}}}'
    assert finished_file(running, "namespaces", "enwiki") is None
    assert finished_file(running, "pagetable", "enwiki") is None


@pytest.mark.parametrize(
    "name",
    [
        "dewiki-20240101-siteinfo.json.gz",
        "enwiki",
        "enwiki-../../../etc/passwd",
        "enwiki-a/b.gz",
        "/enwiki-a.gz",
        "enwiki-..gz",
        "enwiki-a.gz\n",
        "enwiki-%2e%2e.gz",
        "enwiki-a b.gz",
        "",
    ],
)
def test_strange_file_names_are_refused(name: str) -> None:
    """A name that is not of this database, or could leave its folder, is CorruptFile."""
    with pytest.raises(CorruptFile, match="enwiki"):
        finished_file(status_with(name=name), "namespaces", "enwiki")


@pytest.mark.parametrize("about", [{"size": -1}, {"size": "7"}, {"size": True}, {"sha1": "abc"}, {"md5": 5}])
def test_strange_sizes_and_checksums_are_refused(about: dict[str, Any]) -> None:
    """A size that is no number of bytes, or a checksum of another shape, is CorruptFile."""
    with pytest.raises(CorruptFile, match="sound"):
        finished_file(status_with(**about), "namespaces", "enwiki")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"jobs": []}',
        b'{"jobs": {"namespaces": 5}}',
        b'{"jobs": {"namespaces": {}}}',
        b'{"jobs": {"namespaces": {"status": "done"}}}',
        b'{"jobs": {"namespaces": {"status": "done", "files": {}}}}',
        b'{"jobs": {"namespaces": {"status": "done", "files": {"a": 1, "b": 2}}}}',
        b'{"jobs": {"namespaces": {"status": "done", "files": {"enwiki-a": null}}}}',
        b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_broken_status_is_corrupt(text: bytes) -> None:
    """Whatever is no dump status is CorruptFile, never another error."""
    with pytest.raises(CorruptFile, match="cannot be read"):
        finished_file(text, "namespaces", "enwiki")
