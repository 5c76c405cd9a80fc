"""Reading the dumps of a run and building its index: whole or not at all, and once."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from dump_site_samples import EARLY, LATE, ROWS, describe, file_of, small_site
from indexing_samples import (
    PAGE,
    assert_built,
    assert_not_had,
    folder,
    read,
    register,
    snapshot,
    standing,
    stored,
)
from store_samples import EN

from models.dump_run import DumpState, DumpTable
from worker.indexing import build, tables_to_read


@pytest.fixture
def site(tmp_path):
    """A served site with one finished run of a small wiki."""
    with small_site(tmp_path / "small", EARLY) as served:
        yield served


@pytest.fixture
def on_database(database_url, settings, open_hasty_context):
    """A context on SQLite, and one on PostgreSQL."""
    return open_hasty_context(replace(settings, database_url=database_url))


def test_an_index(on_database, site):
    """Five tables, read and built, are the wiki's index; nothing else stays."""
    register(on_database, site)
    assert set(tables_to_read(on_database, EN, EARLY)) == set(DumpTable)
    read(on_database)
    kept = {found.table: found.kept for found in snapshot(on_database).tables}
    assert kept == {table: 1 if table is DumpTable.PAGE_PROPS else len(ROWS[table]) for table in DumpTable}
    build(on_database, EN, EARLY)
    assert_built(on_database)
    assert tables_to_read(on_database, EN, EARLY) == ()


def test_the_largest_first(context, site):
    """The tables are given in the order of their size, so that the longest download begins first."""
    register(context, site)
    sizes = [file_of(folder(site), table).stat().st_size for table in tables_to_read(context, EN, EARLY)]
    assert sizes == sorted(sizes, reverse=True)


def test_twice_is_once(context, site):
    """What is read is not fetched again, what is built is not built again."""
    register(context, site)
    read(context)
    read(context)
    build(context, EN, EARLY)
    before = stored(context), snapshot(context)
    site.forget()
    read(context)
    build(context, EN, EARLY)
    register(context, site)
    assert (stored(context), snapshot(context)) == before
    assert site.log == ()


def test_what_nobody_wants(context, site):
    """A run that was never asked for is neither fetched nor built."""
    read(context, run=LATE)
    build(context, EN, LATE)
    assert snapshot(context, LATE) is None
    assert site.log == ()


def test_not_before_all_five(context, site):
    """An index that lacks a table is not built."""
    register(context, site)
    read(context, *[table for table in DumpTable if table is not PAGE])
    build(context, EN, EARLY)
    assert snapshot(context).state is DumpState.WAITING
    assert tables_to_read(context, EN, EARLY) == (PAGE,)


def test_md5_alone(context, site):
    """Where there is no SHA-1 the MD5 decides, for and against."""
    describe(folder(site), PAGE, sha1=None)
    describe(folder(site), DumpTable.REDIRECT, sha1=None, md5="0" * 32)
    register(context, site)
    read(context)
    assert standing(context).state is DumpState.DONE
    assert_not_had(context, DumpState.FAILED, "MD5", DumpTable.REDIRECT)


def test_no_checksum_at_all(context, site):
    """Where neither is announced, size and gzip's own checksum decide."""
    describe(folder(site), PAGE, sha1=None, md5=None)
    register(context, site)
    read(context, PAGE)
    assert standing(context).state is DumpState.DONE


def test_two_threads_at_one_table(context, site):
    """Two that are told to read one table fetch it once."""
    register(context, site)
    threads = [threading.Thread(target=read, args=(context, PAGE)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert site.requests[f"enwiki/20240101/{file_of(folder(site), PAGE).name}"] == 1
    assert stored(context) == {("page", standing(context).attempt): 1}


def test_two_threads_at_one_index(context, site):
    """Two that are told to build one index build it once."""
    register(context, site)
    read(context)
    threads = [threading.Thread(target=build, args=(context, EN, EARLY)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert_built(context)
