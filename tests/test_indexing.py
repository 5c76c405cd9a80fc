"""Reading the dumps of a run and building its index: whole or not at all, however often and whoever does it."""

from __future__ import annotations

import errno
import gzip
import logging
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from dump_site_samples import EARLY, FIGURES, LATE, ROWS, describe, file_of, files_of, small_site, text_of, write_run
from sqlalchemy import func
from sqlmodel import col, select
from store_samples import EN, leftovers, siteinfo_document

from cli.demosite.faults import Corrupt, Cut, Fault, HtmlPage, NotFound, Refused, Truncated, Unavailable
from models.dump_run import DumpState, DumpTable
from models.tables import SnapshotBlockRow
from worker import indexing
from worker.indexing import CORRUPT_TRIES, build, can_be_built, read_dump, tables_to_read
from worker.ranking.categories import members_of
from worker.store import blocks, snapshots
from worker.store.database import reading, writing
from worker.wiki.index import Part

PAGE = DumpTable.PAGE


@pytest.fixture
def site(tmp_path):
    """A served site with one finished run of a small wiki."""
    with small_site(tmp_path / "small", EARLY) as served:
        yield served


@pytest.fixture
def on_database(database_url, settings, open_hasty_context):
    """A context on SQLite, and one on PostgreSQL."""
    return open_hasty_context(replace(settings, database_url=database_url))


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


class TestWhole:
    def test_an_index(self, on_database, site):
        """Five tables, read and built, are the wiki's index; nothing else stays."""
        register(on_database, site)
        assert set(tables_to_read(on_database, EN, EARLY)) == set(DumpTable)
        read(on_database)
        kept = {found.table: found.kept for found in snapshot(on_database).tables}
        assert kept == {table: 1 if table is DumpTable.PAGE_PROPS else len(ROWS[table]) for table in DumpTable}
        build(on_database, EN, EARLY)
        assert_built(on_database)
        assert tables_to_read(on_database, EN, EARLY) == ()

    def test_the_largest_first(self, context, site):
        """The tables are given in the order of their size, so that the longest download begins first."""
        register(context, site)
        sizes = [file_of(folder(site), table).stat().st_size for table in tables_to_read(context, EN, EARLY)]
        assert sizes == sorted(sizes, reverse=True)

    def test_twice_is_once(self, context, site):
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

    def test_what_nobody_wants(self, context, site):
        """A run that was never asked for is neither fetched nor built."""
        read(context, run=LATE)
        build(context, EN, LATE)
        assert snapshot(context, LATE) is None
        assert site.log == ()

    def test_not_before_all_five(self, context, site):
        """An index that lacks a table is not built."""
        register(context, site)
        read(context, *[table for table in DumpTable if table is not PAGE])
        build(context, EN, EARLY)
        assert snapshot(context).state is DumpState.WAITING
        assert tables_to_read(context, EN, EARLY) == (PAGE,)

    def test_md5_alone(self, context, site):
        """Where there is no SHA-1 the MD5 decides, for and against."""
        describe(folder(site), PAGE, sha1=None)
        describe(folder(site), DumpTable.REDIRECT, sha1=None, md5="0" * 32)
        register(context, site)
        read(context)
        assert standing(context).state is DumpState.DONE
        assert_not_had(context, DumpState.FAILED, "MD5", DumpTable.REDIRECT)

    def test_no_checksum_at_all(self, context, site):
        """Where neither is announced, size and gzip's own checksum decide."""
        describe(folder(site), PAGE, sha1=None, md5=None)
        register(context, site)
        read(context, PAGE)
        assert standing(context).state is DumpState.DONE

    def test_two_threads_at_one_table(self, context, site):
        """Two that are told to read one table fetch it once."""
        register(context, site)
        threads = [threading.Thread(target=read, args=(context, PAGE)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert site.requests[f"enwiki/20240101/{file_of(folder(site), PAGE).name}"] == 1
        assert stored(context) == {("page", standing(context).attempt): 1}

    def test_two_threads_at_one_index(self, context, site):
        """Two that are told to build one index build it once."""
        register(context, site)
        read(context)
        threads = [threading.Thread(target=build, args=(context, EN, EARLY)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert_built(context)


class TestTrouble:
    @pytest.mark.parametrize("announced", [{"sha1": "a" * 40}, {"sha1": None, "md5": "b" * 32}, {"size": 7}])
    def test_another_file_than_announced(self, context, site, announced):
        """A file whose size or checksum differs is fetched anew, three times in all; then it has failed."""
        describe(folder(site), PAGE, **announced)
        register(context, site)
        read(context, PAGE)
        assert_not_had(context, DumpState.FAILED, "announced")
        assert site.requests[f"enwiki/20240101/{file_of(folder(site), PAGE).name}"] == CORRUPT_TRIES == 3

    @pytest.mark.parametrize("kind", [Corrupt(), Truncated(), Truncated(0.0), HtmlPage(), Cut(20)])
    def test_damage_that_passes(self, context, site, kind):
        """A file that is damaged twice on its way is read the third time."""
        register(context, site)
        site.misbehave(Fault("*-page.sql.gz", kind, times=2))
        read(context)
        build(context, EN, EARLY)
        assert_built(context)

    def test_a_cut_gzip_with_the_announced_checksum(self, context, site):
        """A file that lies damaged at its source is fetched once: another copy would be no better."""
        replaced(site, PAGE, gzip.compress(text_of(PAGE))[:-9])
        register(context, site)
        read(context, PAGE)
        assert_not_had(context, DumpState.FAILED, "enwiki-20240101-page.sql.gz")
        assert len(site.log) == 1

    def test_no_gzip_with_the_announced_checksum(self, context, site):
        """So is one that is no gzip at all, but that is seen before its checksum."""
        replaced(site, PAGE, b"INSERT INTO `page` VALUES (1);\n")
        register(context, site)
        read(context, PAGE)
        assert_not_had(context, DumpState.FAILED, "no gzip file")

    def test_a_truncated_text(self, context, site, monkeypatch):
        """A dump that ends in the middle of a statement leaves nothing of the rows that came before."""
        many = [(number, 0, b"Page_%d" % number, 0) for number in range(1, 5000)]
        text = text_of(PAGE, many)
        replaced(site, PAGE, gzip.compress(text[: len(text) - 500]))
        register(context, site)
        small = indexing.table_columns
        monkeypatch.setattr(indexing, "table_columns", lambda *of: small(*of, chunk_rows=100))
        read(context, PAGE)
        assert_not_had(context, DumpState.FAILED, "page")

    def test_an_unknown_shape(self, context, site):
        """A table that lacks a column is named with it."""
        columns = ("page_id", "page_namespace", "page_name", "page_is_redirect")
        replaced(site, PAGE, gzip.compress(text_of(PAGE, columns=columns)))
        register(context, site)
        read(context, PAGE)
        assert_not_had(context, DumpState.FAILED, "no column page_title")

    def test_another_table_under_its_name(self, context, site):
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
    def test_a_table_that_cannot_be_had(self, context, site, kind, state, words):
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

    def test_a_full_disk(self, context, site, monkeypatch):
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

    def test_a_directory_that_cannot_be_written(self, context, site, tmp_path):
        """So is a data directory in which nothing can be made."""
        register(context, site)
        (tmp_path / "file").write_text("")
        read(replace(context, settings=replace(context.settings, data_dir=tmp_path / "file" / "below")), PAGE)
        assert_not_had(context, DumpState.FAILED, "Not a directory")

    def test_a_file_that_vanishes(self, context, site, monkeypatch):
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

    def test_a_late_trouble(self, context, site):
        """A failure that is noted after another worker has read the table, or built the index, changes nothing."""
        register(context, site)
        read(context)
        indexing.note_trouble(context, EN, EARLY, PAGE, DumpState.FAILED, "too late")
        assert (snapshot(context).state, standing(context).reason) == (DumpState.WAITING, None)
        build(context, EN, EARLY)
        for table in (PAGE, None):
            indexing.note_trouble(context, EN, EARLY, table, DumpState.FAILED, "too late")
        assert_built(context)

    def test_reasons_that_no_database_would_take(self, on_database, site, caplog):
        """A reason of any length and any characters can be kept."""
        register(on_database, site)
        with caplog.at_level(logging.ERROR):
            indexing.note_trouble(on_database, EN, EARLY, PAGE, DumpState.FAILED, "\0\x1b[2J" + "x" * 100_000)
        assert 0 < len(standing(on_database).reason) < 2_000


class TestAttempts:
    """What is left by workers that died is not taken for anything, and goes."""

    def dead(self, context, part, number=0, frame=None):
        attempt = blocks.Attempt(EN, EARLY)
        rubbish = pl.DataFrame({"id": [1]}, schema={"id": pl.UInt32()}) if frame is None else frame
        with writing(context.engine) as session:
            blocks.save_block(session, attempt, part, number, rubbish)
        return attempt

    def test_blocks_of_the_dead(self, on_database, site):
        """Blocks of dead attempts at tables and at the index enter nothing, and go with the attempt that succeeds."""
        register(on_database, site)
        for part in (*DumpTable, *Part):
            self.dead(on_database, part.value)
        read(on_database)
        tables = {part: attempt for part, attempt in stored(on_database) if part in set(DumpTable)}
        assert tables == {found.table: found.attempt for found in snapshot(on_database).tables}
        build(on_database, EN, EARLY)
        assert_built(on_database)

    def test_a_whole_file_that_a_killed_worker_left(self, context, site):
        """A dump that was complete on disk is not fetched again; one that is not what was announced is."""
        register(context, site)
        context.settings.downloads_dir.mkdir(parents=True)
        for table, content in ((PAGE, file_of(folder(site), PAGE).read_bytes()), (DumpTable.REDIRECT, b"\x1f\x8b old")):
            (context.settings.downloads_dir / file_of(folder(site), table).name).write_bytes(content)
        read(context)
        assert site.requests[f"enwiki/20240101/{file_of(folder(site), PAGE).name}"] == 0
        build(context, EN, EARLY)
        assert_built(context)

    def test_an_error_leaves_no_blocks(self, context, site, monkeypatch):
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

    def test_two_machines_read_one_table(self, on_database, site):
        """The second to end, which no lock held back, does not take the blocks away that an index is built from."""
        register(on_database, site)
        read(on_database)
        other = self.dead(on_database, "page")
        with writing(on_database.engine) as session:
            now = on_database.now()
            snapshots.record_table(session, EN, EARLY, PAGE, other.name, 1, now=now)
        assert standing(on_database).attempt != other.name
        assert ("page", other.name) not in stored(on_database)
        build(on_database, EN, EARLY)
        assert_built(on_database)

    def test_two_machines_build_one_index(self, on_database, site):
        """The second to end does not take the index away that rankings are reading."""
        register(on_database, site)
        read(on_database)
        build(on_database, EN, EARLY)
        index = blocks.load_index(on_database.engine, EN, EARLY)
        other = self.dead(on_database, "titles")
        with writing(on_database.engine) as session:
            now = on_database.now()
            snapshots.record_built(session, EN, EARLY, other.name, replace(FIGURES, articles=0), now=now, version="x")
        assert len(pl.concat(index.frames(Part.TITLES))) == 3
        assert_built(on_database)

    def test_built_elsewhere_meanwhile(self, context, site, monkeypatch):
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
