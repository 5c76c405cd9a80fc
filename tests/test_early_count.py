"""An hour file that is counted while it is fetched: the same count, and none where the bytes were not the file's."""

from __future__ import annotations

import gzip
import hashlib
import threading
import time
from contextlib import contextmanager, suppress
from functools import partial
from itertools import pairwise

import pytest
from counting_samples import HOUR, assert_counted, counted
from hypothesis import given, settings
from hypothesis import strategies as st

from cli.demosite.faults import ChangingETag, Cut, Fault, Slow
from models.errors import CorruptFile
from models.project import parse_project
from worker import counting, early_count
from worker.pageviews import count_views
from worker.partial_file import PartialFile

EN = parse_project("en.wikipedia")
TEXT = b"".join(b"en Title_%d %d 0\n" % (number, number % 7 + 1) for number in range(3_000))
PACKED = gzip.compress(TEXT, mtime=0)
COUNT = partial(count_views, projects=[EN])


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """No transfer is so quick that nothing is counted early."""
    monkeypatch.setattr(early_count, "HEAD_START", 0.0)


def sha256(content):
    return hashlib.sha256(content).hexdigest()


@contextmanager
def growing(into, count=COUNT, cores=2):
    """A file that is appended to by hand, and its early count."""
    with early_count.early_count(into, count, threading.Semaphore(cores)) as early:

        def append(content):
            with PartialFile(into).path.open("ab") as file:
                file.write(content)

        yield early, append


def plain(found):
    return found.lines, found.malformed, found.tallies[EN].rows()


def waited(holds):
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, len(PACKED)), max_size=6))
def test_the_same_count(tmp_path_factory, cuts):
    """In whatever pieces a file comes, its early count is that of the whole."""
    into = tmp_path_factory.mktemp("early") / "file.gz"
    places = [0, *sorted(cuts), len(PACKED)]
    with growing(into) as (early, append):
        for begin, end in pairwise(places):
            append(PACKED[begin:end])
        assert plain(early.of(sha256(PACKED))) == plain(COUNT([TEXT]))


def test_it_is_counted_before_its_end(tmp_path):
    """What has come is looked at while the rest is on its way."""
    looked = threading.Event()

    def count(blocks):
        first = next(blocks)
        looked.set()
        return COUNT([first, *blocks])

    text = TEXT * 100  # more than a block, and many times what gzip holds back
    packed = gzip.compress(text, mtime=0)
    with growing(tmp_path / "file.gz", count) as (early, append):
        append(packed[:-100])
        assert looked.wait(20)
        append(packed[-100:])
        assert plain(early.of(sha256(packed))) == plain(COUNT([text]))


def test_no_core_is_held_while_nothing_comes(tmp_path):
    """Files that are counted otherwise need not wait for one that trickles in."""
    seen = []
    cores = threading.Semaphore(1)

    def count(blocks):
        seen.extend(cores.acquire(blocking=False) for _ in blocks)
        return COUNT([])

    with early_count.early_count(tmp_path / "file.gz", count, cores) as early:
        PartialFile(tmp_path / "file.gz").path.write_bytes(gzip.compress(TEXT * 100, mtime=0)[:-100])
        waited(lambda: seen)
        waited(lambda: cores.acquire(blocking=False))
        cores.release()
        assert early.of("") is None
    assert set(seen) == {False}


@pytest.mark.parametrize("content", [PACKED[:-1], PACKED + b"x", b"", b"no gzip at all", PACKED[:50] + PACKED])
def test_a_file_that_cannot_be_counted(tmp_path, content):
    """It has no early count; the whole file tells why."""
    with growing(tmp_path / "file.gz") as (early, append):
        append(content)
        assert early.of(sha256(content)) is None


def test_another_version(tmp_path):
    """If a transfer is begun anew with other bytes, what was counted until then is of no use."""
    into = tmp_path / "file.gz"
    other = gzip.compress(TEXT * 2, mtime=0)
    with growing(into) as (early, append):
        append(PACKED[:1000])
        waited(lambda: early._growing.sha256 == sha256(PACKED[:1000]))
        PartialFile(into).path.write_bytes(b"")
        append(other)
        assert early.of(sha256(other)) is None


def test_a_quick_transfer(tmp_path, monkeypatch):
    """A file that is there at once is left to be counted as a whole."""
    monkeypatch.setattr(early_count, "HEAD_START", 20.0)
    with growing(tmp_path / "file.gz", pytest.fail) as (early, append):
        append(PACKED)
        assert early.of(sha256(PACKED)) is None


def test_a_transfer_that_is_given_up(tmp_path):
    """Whatever ends the transfer ends the early count; nothing waits for bytes that never come."""
    begun = threading.active_count()
    with suppress(KeyError), growing(tmp_path / "file.gz") as (early, append):
        append(PACKED[:1000])
        waited(lambda: early._growing.sha256 == sha256(PACKED[:1000]))
        raise KeyError
    assert early._found is None
    assert threading.active_count() == begun


class TestAnHour:
    """``count_hour_file`` with a source that is slow, so that there is time to count early."""

    def slowly(self, site, *more):
        """A second for a file, after the given troubles."""
        rate = (site.root / HOUR.path).stat().st_size
        site.misbehave(*(Fault("*", kind, times=1) for kind in more), Fault("*", Slow(rate)))

    def test_is_not_counted_twice(self, context, site, demo, monkeypatch):
        """What was counted early is what is committed."""
        monkeypatch.setattr(counting, "read_blocks", pytest.fail)
        self.slowly(site)
        counted(context)
        assert_counted(context, demo)

    @pytest.mark.parametrize("kind", [Cut(after=3_000), ChangingETag()], ids=repr)
    def test_with_a_trouble_that_passes(self, context, site, demo, kind):
        """A transfer that is cut and resumed, or begun anew, is counted rightly."""
        self.slowly(site, kind)
        counted(context)
        assert_counted(context, demo)

    def test_whose_early_count_fails(self, context, site, demo, monkeypatch):
        """It is counted when it is there."""

        def fail(*_arguments):
            raise CorruptFile("no")

        monkeypatch.setattr(early_count, "blocks_of", fail)
        self.slowly(site)
        counted(context)
        assert_counted(context, demo)
