"""What an interrupted download leaves behind, and what becomes of it."""

from __future__ import annotations

import gzip
import hashlib
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from fetch_samples import (  # noqa: F401 fixtures
    CONTENT,
    NAME,
    ROOT,
    downloaded_file,
    folder_with,
    get,
    leave_part,
    left_in,
    ranges,
    site_of_one_file,
)

from cli.demosite.faults import (
    Fault,
    Slow,
)
from cli.demosite.site import Site
from worker.budget import hold_file
from worker.fetch import Downloaded, discard


def test_killed_download_is_resumed(site: Site, into: Path) -> None:
    """After SIGKILL in mid-transfer another process asks for the rest alone, and the file is whole."""
    big = gzip.compress(random.Random(2).randbytes(2_000_000))
    folder_with(site.root, big)
    site.misbehave(Fault("*", Slow(1_000_000), times=1))
    program = f"""
from contextlib import nullcontext
from pathlib import Path
from worker.client import open_http
from worker.fetch import fetch
fetch(open_http(None, "0"), {site.url + "/" + NAME!r}, Path({str(into)!r}), budget=nullcontext)
"""
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT) as process:
        part = Path(f"{into}.part")
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not (part.exists() and part.stat().st_size > 300_000):
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    had = part.stat().st_size
    assert 300_000 < had < len(big)
    get(site, into)
    assert ranges(site) == [None, f"bytes={had}-"]
    assert into.read_bytes() == big


def test_complete_part_is_checked_and_named(site: Site, into: Path) -> None:
    """A process killed between the last byte and the final name costs one byte more, not the whole file."""
    version = get(site, into)
    leave_part(into, version.url, CONTENT, etag=version.etag)
    site.forget()
    get(site, into)
    assert ranges(site) == [f"bytes={len(CONTENT) - 1}-"]
    assert into.read_bytes() == CONTENT


def test_part_that_is_too_long_is_cut_back(site: Site, into: Path) -> None:
    """Bytes beyond the announced length do not get into the file."""
    version = get(site, into)
    leave_part(into, version.url, CONTENT + b"more", etag=version.etag)
    get(site, into)
    assert into.read_bytes() == CONTENT


@pytest.mark.parametrize(
    "sidecar",
    [
        None,
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b"[" * 100_000,
        b"\xff",
        b'{"url": "URL", "etag": null, "last_modified": null, "total": 5}',
        b'{"url": "URL", "etag": 5, "last_modified": null, "total": 5}',
        b'{"url": "URL", "etag": "\\"a\\"", "last_modified": null, "total": "5"}',
        b'{"url": "URL", "etag": "a\\nb", "last_modified": null, "total": 5}',
        b'{"url": "URL", "etag": "\\"a\\"", "last_modified": null, "total": 5, "more": 1}',
        b'{"url": "http://127.0.0.1/other.gz", "etag": "\\"a\\"", "last_modified": null, "total": 5}',
    ],
)
def test_part_of_unknown_origin_is_discarded(site: Site, into: Path, sidecar: bytes | None) -> None:
    """A part whose version cannot be told, or that is of another URL, is not gone on with."""
    leave_part(into, "", b"\x1f\x8bold")
    beside = Path(f"{into}.part.json")
    beside.unlink()
    if sidecar is not None:
        beside.write_bytes(sidecar.replace(b"URL", f"{site.url}/{NAME}".encode()))
    get(site, into)
    assert ranges(site) == [None]
    assert into.read_bytes() == CONTENT


def test_discard_leaves_nothing(site: Site, into: Path) -> None:
    """File, part and sidecar go; discarding what is not there is no error."""
    get(site, into)
    leave_part(into, "http://127.0.0.1/x", b"part")
    discard(into)
    discard(into)
    assert left_in(into.parent) == set()


def test_full_disk_leaves_what_is_complete(site: Site, into: Path) -> None:
    """When no more can be written, OSError comes, the older file stays, and the next attempt goes on."""
    into.parent.mkdir()
    into.write_bytes(b"older")
    program = f"""
import resource
from contextlib import nullcontext
from pathlib import Path
from worker.client import open_http
from worker.fetch import fetch
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    fetch(open_http(None, "0"), {site.url + "/" + NAME!r}, Path({str(into)!r}), budget=nullcontext)
except OSError as error:
    print(error.strerror)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "File too large\n"
    assert len(site.log) == 1
    assert into.read_bytes() == b"older"
    get(site, into)
    assert ranges(site) == [None, "bytes=5000-"]
    assert into.read_bytes() == CONTENT


def test_two_fetches_of_one_file_take_turns(site: Site, into: Path) -> None:
    """Two threads that want the same file at the same place transfer one after the other, and both have it."""
    site.misbehave(Fault("*", Slow(50_000)))
    done: list[Downloaded] = []
    threads = [threading.Thread(target=lambda: done.append(get(site, into))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.sha256 for one in done] == [hashlib.sha256(CONTENT).hexdigest()] * 2
    assert (len(site.log), site.most_at_once) == (2, 1)


def test_holder_may_fetch_and_discard(site: Site, into: Path) -> None:
    """Who holds the file fetches, reads and discards it without waiting for itself."""
    with hold_file(into):
        get(site, into)
        discard(into)
    assert left_in(into.parent) == set()
