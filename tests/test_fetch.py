"""One file over HTTP, from servers that answer."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from fetch_samples import (  # noqa: F401 fixtures
    CONTENT,
    NAME,
    QUICK,
    Answer,
    WithHeaders,
    downloaded_file,
    get,
    get_small,
    left_in,
    site_of_one_file,
)

from cli.demosite.faults import (
    Fault,
    TooMany,
)
from cli.demosite.site import Site
from models.errors import FileNotThere, SourceError, SourceRefused, SourceUnreachable
from worker.client import open_http
from worker.fetch import fetch


def test_file_arrives_whole(site: Site, into: Path) -> None:
    """The file lies where it was wanted, byte for byte, with its facts, and nothing else but a lock lies beside it."""
    done = get(site, into)
    assert into.read_bytes() == CONTENT
    assert (done.path, done.url, done.size) == (into, f"{site.url}/{NAME}", len(CONTENT))
    assert done.sha256 == hashlib.sha256(CONTENT).hexdigest()
    answer = requests.head(done.url, headers={"User-Agent": "test"}, timeout=5)
    assert (done.etag, done.last_modified) == (answer.headers["ETag"], answer.headers["Last-Modified"])
    assert left_in(into.parent) == {"x.gz"}


def test_older_file_is_replaced(site: Site, into: Path) -> None:
    """An older file of that name stays until the new one is complete."""
    into.parent.mkdir()
    into.write_bytes(b"older")
    site.misbehave(Fault("*", Answer(404)))
    with pytest.raises(FileNotThere):
        get(site, into)
    assert into.read_bytes() == b"older"
    site.behave()
    get(site, into)
    assert into.read_bytes() == CONTENT


def test_gzip_is_not_unpacked_by_http(site: Site, into: Path) -> None:
    """A Content-Encoding that calls the file's own gzip a transfer's does not change its bytes."""
    site.misbehave(Fault("*", WithHeaders((("Content-Encoding", "gzip"),))))
    get(site, into)
    assert into.read_bytes() == CONTENT
    assert get_small(site) == CONTENT


def test_empty_file_that_is_no_gzip_is_had(site: Site, into: Path) -> None:
    """A text file may be empty, and needs no gzip magic."""
    (site.root / "empty.txt").write_bytes(b"")
    assert get(site, into, name="empty.txt").size == 0
    assert get_small(site, "empty.txt") == b""


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_passing_failures_are_tried_again(site: Site, into: Path, status: int) -> None:
    """An overloaded or broken source is asked again, and two failures are forgotten when the third attempt works."""
    site.misbehave(Fault("*", Answer(status), times=2))
    get(site, into)
    assert [entry.status for entry in site.log] == [status, status, 200]
    site.misbehave(Fault("*", Answer(status), times=2))
    assert get_small(site) == CONTENT


@pytest.mark.parametrize("status", [429, 500, 503])
def test_patience_ends(site: Site, into: Path, status: int) -> None:
    """After every retry the source counts as unreachable, with its last answer as the reason."""
    site.misbehave(Fault("*", Answer(status)))
    with pytest.raises(SourceUnreachable, match=rf"/other/x\.gz cannot be had: the source answers {status}\."):
        get(site, into)
    assert len(site.log) == 3
    assert left_in(into.parent) == set()


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (404, FileNotThere, "404"),
        (410, FileNotThere, "410"),
        (401, SourceRefused, "User-Agent policy asks to set WIKIQ_CONTACT"),
        (403, SourceRefused, "User-Agent policy asks to set WIKIQ_CONTACT"),
        (451, SourceRefused, "User-Agent policy asks to set WIKIQ_CONTACT"),
        (400, SourceRefused, "status 400"),
        (418, SourceRefused, "status 418"),
        (416, SourceRefused, "status 416"),
        (206, SourceRefused, "status 206"),
        (204, SourceRefused, "status 204"),
        (304, SourceRefused, "status 304"),
    ],
)
def test_final_answers_are_not_asked_twice(
    site: Site, into: Path, status: int, error: type[SourceError], words: str
) -> None:
    """What will not pass is an error at once: the file is not there, or this client is not wanted."""
    site.misbehave(Fault("*", Answer(status, body=b"")))
    with pytest.raises(error, match=words):
        get(site, into)
    with pytest.raises(error, match=words):
        get_small(site)
    assert len(site.log) == 2


def test_retry_after_is_honoured(site: Site, into: Path) -> None:
    """Who asks for a second gets a second, though the backoff alone would be shorter."""
    site.misbehave(Fault("*", TooMany(retry_after=1), times=1))
    get(site, into)
    first, second = site.log
    assert second.at - first.at >= 1


@pytest.mark.parametrize("retry_after", [86_400, "Fri, 31 Dec 2100 23:59:59 GMT", "soon"])
def test_retry_after_is_bounded(site: Site, into: Path, retry_after: int | str) -> None:
    """A day, a century or nonsense does not keep the fetch waiting longer than its own limit."""
    site.misbehave(Fault("*", TooMany(retry_after=retry_after), times=1))
    began = time.monotonic()
    get(site, into, replace(QUICK, retry_after_max=0.1))
    assert time.monotonic() - began < 5


def test_budget_is_held_for_each_attempt_alone(site: Site, into: Path) -> None:
    """Each attempt takes a connection before its request and gives it back before the next wait."""
    held: list[tuple[str, int]] = []

    @contextmanager
    def budget() -> Iterator[None]:
        held.append(("take", len(site.log)))
        try:
            yield
        finally:
            held.append(("give", len(site.log)))

    site.misbehave(Fault("*", Answer(503), times=2))
    fetch(open_http(None, "0"), f"{site.url}/{NAME}", into, budget=budget, retries=QUICK)
    assert held == [("take", 0), ("give", 1), ("take", 1), ("give", 2), ("take", 2), ("give", 3)]
