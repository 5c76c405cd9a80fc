"""Dumps that cannot be had, or are not what was announced: nothing of them is kept, and all is told."""

from __future__ import annotations

import errno
import gzip
import logging
from dataclasses import replace
from pathlib import Path

import pytest
from dump_site_samples import EARLY, describe, file_of, small_site, text_of
from indexing_samples import (
    PAGE,
    assert_built,
    assert_not_had,
    folder,
    read,
    register,
    replaced,
    snapshot,
    standing,
)
from store_samples import EN, leftovers

from cli.demosite.faults import Corrupt, Cut, Fault, HtmlPage, NotFound, Refused, Truncated, Unavailable
from models.dump_run import DumpState, DumpTable
from worker import indexing
from worker.indexing import CORRUPT_TRIES, build, tables_to_read
from worker.store import snapshots
from worker.store.database import writing


@pytest.fixture
def site(tmp_path):
    """A served site with one finished run of a small wiki."""
    with small_site(tmp_path / "small", EARLY) as served:
        yield served


@pytest.fixture
def on_database(database_url, settings, open_hasty_context):
    """A context on SQLite, and one on PostgreSQL."""
    return open_hasty_context(replace(settings, database_url=database_url))


@pytest.mark.parametrize("announced", [{"sha1": "a" * 40}, {"sha1": None, "md5": "b" * 32}, {"size": 7}])
def test_another_file_than_announced(context, site, announced):
    """A file whose size or checksum differs is fetched anew, three times in all; then it has failed."""
    describe(folder(site), PAGE, **announced)
    register(context, site)
    read(context, PAGE)
    assert_not_had(context, DumpState.FAILED, "announced")
    assert site.requests[f"enwiki/20240101/{file_of(folder(site), PAGE).name}"] == CORRUPT_TRIES == 3


@pytest.mark.parametrize("kind", [Corrupt(), Truncated(), Truncated(0.0), HtmlPage(), Cut(20)])
def test_damage_that_passes(context, site, kind):
    """A file that is damaged twice on its way is read the third time."""
    register(context, site)
    site.misbehave(Fault("*-page.sql.gz", kind, times=2))
    read(context)
    build(context, EN, EARLY)
    assert_built(context)


def test_a_cut_gzip_with_the_announced_checksum(context, site):
    """A file that lies damaged at its source is fetched once: another copy would be no better."""
    replaced(site, PAGE, gzip.compress(text_of(PAGE))[:-9])
    register(context, site)
    read(context, PAGE)
    assert_not_had(context, DumpState.FAILED, "enwiki-20240101-page.sql.gz")
    assert len(site.log) == 1


def test_no_gzip_with_the_announced_checksum(context, site):
    """So is one that is no gzip at all, but that is seen before its checksum."""
    replaced(site, PAGE, b"INSERT INTO `page` VALUES (1);\n")
    register(context, site)
    read(context, PAGE)
    assert_not_had(context, DumpState.FAILED, "no gzip file")


def test_a_truncated_text(context, site, monkeypatch):
    """A dump that ends in the middle of a statement leaves nothing of the rows that came before."""
    many = [(number, 0, b"Page_%d" % number, 0) for number in range(1, 5000)]
    text = text_of(PAGE, many)
    replaced(site, PAGE, gzip.compress(text[: len(text) - 500]))
    register(context, site)
    small = indexing.table_columns
    monkeypatch.setattr(indexing, "table_columns", lambda *of: small(*of, chunk_rows=100))
    read(context, PAGE)
    assert_not_had(context, DumpState.FAILED, "page")


def test_an_unknown_shape(context, site):
    """A table that lacks a column is named with it."""
    columns = ("page_id", "page_namespace", "page_name", "page_is_redirect")
    replaced(site, PAGE, gzip.compress(text_of(PAGE, columns=columns)))
    register(context, site)
    read(context, PAGE)
    assert_not_had(context, DumpState.FAILED, "no column page_title")


def test_another_table_under_its_name(context, site):
    """A file of another table is no dump of this one."""
    replaced(site, PAGE, gzip.compress(text_of(DumpTable.REDIRECT)))
    register(context, site)
    read(context, PAGE)
    assert_not_had(context, DumpState.FAILED, "page")


@pytest.mark.parametrize(
    ("kind", "state", "words"),
    [
        (NotFound(), DumpState.MISSING, "404"),
        (Refused(), DumpState.REFUSED, "403"),
        (Unavailable(), DumpState.UNREACHABLE, "503"),
    ],
)
def test_a_table_that_cannot_be_had(context, site, kind, state, words):
    """Its trouble is the snapshot's; the other tables are read, and once it can be had it alone is fetched."""
    register(context, site)
    site.misbehave(Fault("*-page.sql.gz", kind))
    read(context)
    assert_not_had(context, state, words)
    assert tables_to_read(context, EN, EARLY) == (PAGE,)
    with writing(context.engine) as session:
        snapshots.forget_snapshot_troubles(session)
    site.behave()
    site.forget()
    read(context)
    assert len(site.log) == 1
    build(context, EN, EARLY)
    assert_built(context)


def test_a_full_disk(context, site, monkeypatch):
    """A disk that is full is a failure that says so; with room again the table is read."""
    register(context, site)
    real = Path.open

    def full(path, mode="r", *more, **options):
        if "a" in mode and path.name.endswith(".part"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, mode, *more, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        read(context, PAGE)
    assert standing(context).state is DumpState.FAILED
    assert "No space left on device" in standing(context).reason
    read(context, PAGE)
    assert standing(context).state is DumpState.DONE
    assert leftovers(context) == []


def test_a_directory_that_cannot_be_written(context, site, tmp_path):
    """So is a data directory in which nothing can be made."""
    register(context, site)
    (tmp_path / "file").write_text("")
    read(replace(context, settings=replace(context.settings, data_dir=tmp_path / "file" / "below")), PAGE)
    assert_not_had(context, DumpState.FAILED, "Not a directory")


def test_a_file_that_vanishes(context, site, monkeypatch):
    """A file that somebody removes between its download and its reading has failed, and is fetched anew later."""
    register(context, site)
    unpack = indexing.unpack

    def vanished(path):
        path.unlink()
        return unpack(path)

    with monkeypatch.context() as patch:
        patch.setattr(indexing, "unpack", vanished)
        read(context, PAGE)
    assert_not_had(context, DumpState.FAILED, "No such file")
    read(context)
    build(context, EN, EARLY)
    assert_built(context)


def test_a_late_trouble(context, site):
    """A failure that is noted after another worker has read the table, or built the index, changes nothing."""
    register(context, site)
    read(context)
    indexing.note_trouble(context, EN, EARLY, PAGE, DumpState.FAILED, "too late")
    assert (snapshot(context).state, standing(context).reason) == (DumpState.WAITING, None)
    build(context, EN, EARLY)
    for table in (PAGE, None):
        indexing.note_trouble(context, EN, EARLY, table, DumpState.FAILED, "too late")
    assert_built(context)


def test_reasons_that_no_database_would_take(on_database, site, caplog):
    """A reason of any length and any characters can be kept."""
    register(on_database, site)
    with caplog.at_level(logging.ERROR):
        indexing.note_trouble(on_database, EN, EARLY, PAGE, DumpState.FAILED, "\0\x1b[2J" + "x" * 100_000)
    assert 0 < len(standing(on_database).reason) < 2_000
