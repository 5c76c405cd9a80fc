"""What tests of reading dumps and building an index do and look at, on a run of a small wiki."""

from __future__ import annotations

import polars as pl
from dump_site_samples import EARLY, FIGURES, files_of, write_run
from sqlalchemy import func
from sqlmodel import col, select
from store_samples import EN, leftovers, siteinfo_document

from models.dump_run import DumpState, DumpTable
from models.tables import SnapshotBlockRow
from worker.indexing import can_be_built, read_dump
from worker.ranking.categories import members_of
from worker.store import blocks, snapshots
from worker.store.database import reading, writing
from worker.wiki.index import Part

PAGE = DumpTable.PAGE


def folder(site):
    return site.root / "enwiki" / f"{EARLY:%Y%m%d}"


def register(context, site):
    """Have the run's index wanted, with the files as they are announced now."""
    document = siteinfo_document("Talk").decode()
    with writing(context.engine) as session:
        snapshots.register_snapshot(session, EN, files_of(folder(site)), document, site.url)


def read(context, *tables, run=EARLY):
    for table in tables or DumpTable:
        read_dump(context, EN, run, table, source=context.settings.source)


def replaced(site, table, content):
    """Put another file in a table's place, announced as it is."""
    folder_now = folder(site)
    for path in folder_now.iterdir():
        path.unlink()
    folder_now.rmdir()
    write_run(site.root, EARLY, packed={table: content})


def snapshot(context, run=EARLY):
    with reading(context.engine) as session:
        return snapshots.load_snapshot(session, EN, run)


def standing(context, table=PAGE):
    [found] = [found for found in snapshot(context).tables if found.table is table]
    return found


def stored(context):
    """How many blocks each part has, by attempt."""
    query = select(SnapshotBlockRow.part, SnapshotBlockRow.attempt, func.count()).group_by(
        col(SnapshotBlockRow.part), col(SnapshotBlockRow.attempt)
    )
    with reading(context.engine) as session:
        return {(part, attempt): number for part, attempt, number in session.exec(query)}


def index_of(context):
    """The index as plain values: titles with what they mean, and categories with their members' titles."""
    index = blocks.load_index(context.engine, EN, EARLY)
    titles = pl.concat(index.frames(Part.TITLES)).rows()
    names = {article: title for title, article, redirect in titles if not redirect}
    members = {
        name: ([names[number] for number in members_of(name, index)[0]], hidden)
        for name, hidden, _ in index.categories().rows()
    }
    return {title: names[article] for title, article, _ in titles}, members


TITLES = {b"Ada": b"Ada", b"Bee": b"Bee", b"Countess": b"Ada"}
MEMBERS = {b"People": ([b"Ada"], False), b"Stubs": ([b"Ada", b"Bee"], True)}


def assert_built(context):
    """The index is the wiki's, and there is nothing else: no columns of tables, no other attempt, no file."""
    found = snapshot(context)
    assert (found.state, found.reason, found.figures) == (DumpState.DONE, None, FIGURES)
    assert index_of(context) == (TITLES, MEMBERS)
    assert len({attempt for _, attempt in stored(context)}) == 1
    assert {part for part, _ in stored(context)} == set(Part)
    assert leftovers(context) == []


def assert_not_had(context, state, words, table=PAGE):
    """The table and the snapshot tell why; nothing of it is kept, on disk or in the database."""
    found = standing(context, table)
    assert (found.state, found.kept, found.attempt) == (state, None, None)
    assert words in found.reason
    assert snapshot(context).state is state
    assert snapshot(context).reason == f"{table}: {found.reason}"
    assert [part for part, _ in stored(context) if part == table] == []
    assert leftovers(context) == []
    assert not can_be_built(context, EN, EARLY)
