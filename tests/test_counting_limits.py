"""An hour file that is too large for the rules or for the disk."""

from __future__ import annotations

import gzip
import os
import resource
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import pytest
from counting_samples import HOUR, assert_counted, assert_not_counted, counted
from store_samples import hour_row, leftovers

from cli.demosite.faults import Fault, Misbehaviour
from cli.demosite.server import serve
from models.tables import HourState
from worker import counting
from worker.hour_file import read_blocks


def test_a_text_that_is_too_long(context, monkeypatch):
    """A file that unpacks to more than the limit failed, with a reason that says so."""
    monkeypatch.setattr(counting, "read_blocks", partial(read_blocks, max_text_bytes=10_000))
    counted(context)
    assert "unpacks to more than" in assert_not_counted(context, HourState.FAILED).reason
    assert leftovers(context) == []


def test_a_download_that_is_too_long(context, monkeypatch, site, demo, demo_directory):
    """A file longer than any hour file is fetched once, no further than the limit, and had from another source."""
    monkeypatch.setattr(counting, "MAX_HOUR_BYTES", 1000)
    counted(context)
    assert "longer than 1000 bytes" in assert_not_counted(context, HourState.FAILED).reason
    assert len(site.log) == 1
    assert leftovers(context) == []
    monkeypatch.setattr(counting, "MAX_HOUR_BYTES", (demo_directory / HOUR.path).stat().st_size)
    site.misbehave(Fault("*", OneMore()))
    with serve(demo_directory) as other:
        both = replace(context, settings=replace(context.settings, sources=(site.url, other.url)))
        counted(both)
    assert_counted(both, demo)
    assert len(site.log) == 2


@dataclass(frozen=True)
class OneMore(Misbehaviour):
    """A byte more than there should be."""

    def bend_reply(self, reply, _request, /):
        body = bytes(reply.body) + b"x"
        kept = tuple(pair for pair in reply.headers if pair[0] != "Content-Length")
        return replace(reply, headers=(*kept, ("Content-Length", str(len(body)))), body=body)


def test_a_gzip_bomb(context, monkeypatch, tmp_path):
    """Twelve megabytes that unpack to more than 4 GiB are given up at 4 GiB, and are no hour file."""
    path = tmp_path / "bomb" / HOUR.path
    path.parent.mkdir(parents=True)
    lines = (b"x" * 999 + b"\n") * (64 << 10)
    path.write_bytes(gzip.compress(lines, mtime=0) * 69)
    monkeypatch.setattr(counting, "CORRUPT_TRIES", 1)
    with serve(tmp_path / "bomb") as bomb:
        counted(context, source=bomb.url)
    assert "4 GiB" in assert_not_counted(context, HourState.FAILED).reason
    assert leftovers(context) == []


@contextmanager
def small_file_system(directory):
    """Files in this directory find a full disk after some kilobytes; gives a way to make space."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", directory]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("only root may mount a file system")
    try:
        yield lambda: subprocess.run(["mount", "-o", "remount,size=16m", directory], check=True)
    finally:
        subprocess.run(["umount", directory], check=True)


@contextmanager
def small_files(_directory):
    """No file may grow past 1 MiB, as a quota would have it; gives a way to end that."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    try:
        yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, before)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize(("limited", "words"), [(small_file_system, "No space left"), (small_files, "too large")])
def test_a_full_disk(settings, open_hasty_context, tmp_path, limited, words):
    """An hour that finds no space failed, with the reason and without half a file; with space it is counted."""
    path = tmp_path / "site" / HOUR.path
    path.parent.mkdir(parents=True)
    text = b"".join(b"en %b 1 0\n" % os.urandom(512).hex().encode() for _ in range(3000))
    path.write_bytes(gzip.compress(text, 1))
    data_dir = tmp_path / "full"
    data_dir.mkdir()
    context = open_hasty_context(replace(settings, data_dir=data_dir))
    with limited(data_dir) as make_space, serve(tmp_path / "site") as large:
        receipt = counted(context, source=large.url)
        assert receipt.state == HourState.FAILED
        assert words in assert_not_counted(context, HourState.FAILED).reason
        assert leftovers(context) == []
        make_space()
        counted(context, source=large.url)
        assert hour_row(context.engine, HOUR).titles == 3000
        assert leftovers(context) == []


def test_a_directory_that_cannot_be_written(context):
    """Where nothing can be downloaded to, the hour failed with the reason; it is no error of the task."""
    context.settings.downloads_dir.write_text("in the way")
    receipt = counted(context)
    assert receipt.state == HourState.FAILED
    assert "could not be written" in assert_not_counted(context, HourState.FAILED).reason
