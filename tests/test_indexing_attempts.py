"""Reading and building by several, some of whom died: what they left is taken for nothing, and goes."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import polars as pl
import pytest
from dump_site_samples import EARLY, FIGURES, file_of, small_site
from indexing_samples import (
    PAGE,
    assert_built,
    folder,
    read,
    register,
    snapshot,
    standing,
    stored,
)
from store_samples import EN

from models.dump_run import DumpTable
from worker import indexing
from worker.indexing import build
from worker.store import blocks, snapshots
from worker.store.database import writing
from worker.wiki.index import Part


@pytest.fixture
def site(tmp_path):
    """A served site with one finished run of a small wiki."""
    with small_site(tmp_path / "small", EARLY) as served:
        yield served


@pytest.fixture
def on_database(database_url, settings, open_hasty_context):
    """A context on SQLite, and one on PostgreSQL."""
    return open_hasty_context(replace(settings, database_url=database_url))


def dead(context, part, number=0, frame=None):
    attempt = blocks.Attempt(EN, EARLY)
    rubbish = pl.DataFrame({"id": [1]}, schema={"id": pl.UInt32()}) if frame is None else frame
    with writing(context.engine) as session:
        blocks.save_block(session, attempt, part, number, rubbish)
    return attempt


def test_blocks_of_the_dead(on_database, site):
    """Blocks of dead attempts at tables and at the index enter nothing, and go with the attempt that succeeds."""
    register(on_database, site)
    for part in (*DumpTable, *Part):
        dead(on_database, part.value)
    read(on_database)
    tables = {part: attempt for part, attempt in stored(on_database) if part in set(DumpTable)}
    assert tables == {found.table: found.attempt for found in snapshot(on_database).tables}
    build(on_database, EN, EARLY)
    assert_built(on_database)


def test_a_whole_file_that_a_killed_worker_left(context, site):
    """A dump that was complete on disk is not fetched again; one that is not what was announced is."""
    register(context, site)
    context.settings.downloads_dir.mkdir(parents=True)
    for table, content in ((PAGE, file_of(folder(site), PAGE).read_bytes()), (DumpTable.REDIRECT, b"\x1f\x8b old")):
        (context.settings.downloads_dir / file_of(folder(site), table).name).write_bytes(content)
    read(context)
    assert site.requests[f"enwiki/20240101/{file_of(folder(site), PAGE).name}"] == 0
    build(context, EN, EARLY)
    assert_built(context)


def test_an_error_leaves_no_blocks(context, site, monkeypatch):
    """If reading or building ends in an error of any kind, the blocks written until then are removed."""
    register(context, site)

    def fail(*_args, **_more):
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(snapshots, "record_table", fail)
        with suppress(ZeroDivisionError):
            read(context, PAGE)
    assert stored(context) == {}
    read(context)
    before = stored(context)
    with monkeypatch.context() as patch:
        patch.setattr(snapshots, "record_built", fail)
        with pytest.raises(ZeroDivisionError):
            build(context, EN, EARLY)
    assert stored(context) == before
    build(context, EN, EARLY)
    assert_built(context)


def test_two_machines_read_one_table(on_database, site):
    """The second to end, which no lock held back, does not take the blocks away that an index is built from."""
    register(on_database, site)
    read(on_database)
    other = dead(on_database, "page")
    with writing(on_database.engine) as session:
        now = on_database.now()
        snapshots.record_table(session, EN, EARLY, PAGE, other.name, 1, now=now)
    assert standing(on_database).attempt != other.name
    assert ("page", other.name) not in stored(on_database)
    build(on_database, EN, EARLY)
    assert_built(on_database)


def test_two_machines_build_one_index(on_database, site):
    """The second to end does not take the index away that rankings are reading."""
    register(on_database, site)
    read(on_database)
    build(on_database, EN, EARLY)
    index = blocks.load_index(on_database.engine, EN, EARLY)
    other = dead(on_database, "titles")
    with writing(on_database.engine) as session:
        now = on_database.now()
        snapshots.record_built(session, EN, EARLY, other.name, replace(FIGURES, articles=0), now=now, version="x")
    assert len(pl.concat(index.frames(Part.TITLES))) == 3
    assert_built(on_database)


def test_built_elsewhere_meanwhile(context, site, monkeypatch):
    """A build whose tables another machine's build took away is no failure: the index is there."""
    register(context, site)
    read(context)
    real = indexing.build_index

    def overtaken(tables, main_page, keep):
        monkeypatch.setattr(indexing, "build_index", real)
        indexing._build(context, snapshot(context))
        return real(tables, main_page, keep)

    monkeypatch.setattr(indexing, "build_index", overtaken)
    build(context, EN, EARLY)
    assert_built(context)
