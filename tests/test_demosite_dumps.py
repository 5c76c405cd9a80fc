"""The dump runs of the demo's wikis: what lies there, what its status says, and that the dumps hold the truth."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json

import oracle
import pytest
from demo_truth import pages_of

from cli.demosite.sqltext import Style, dump_text
from cli.demosite.tables import Schema, sql_tables

JOBS = {
    "pagetable": "page.sql.gz",
    "redirecttable": "redirect.sql.gz",
    "linktargettable": "linktarget.sql.gz",
    "categorylinkstable": "categorylinks.sql.gz",
    "pagepropstable": "page_props.sql.gz",
    "namespaces": "siteinfo-namespaces.json.gz",
}
TABLES = [suffix.removesuffix(".sql.gz") for job, suffix in JOBS.items() if job != "namespaces"]
WITH_TABLES = ["enwiki", "dewiki", "commonswiki", "enwiktionary"]
DATE = dt.date(2024, 1, 4)
RUNS = pytest.mark.parametrize("run", ["older_run", "run"])
WIKIS = pytest.mark.parametrize("database", WITH_TABLES)


def wiki_of(demo, database):
    [wiki] = [wiki for wiki in demo.wikis if wiki.project.database == database]
    return wiki


def folder_of(demo, directory, database, run):
    return directory / database / f"{getattr(demo, run):%Y%m%d}"


def jobs_of(folder):
    return json.loads((folder / "dumpstatus.json").read_text())["jobs"]


def text_of(folder, table):
    [path] = folder.glob(f"*-{table}.sql.gz")
    return gzip.decompress(path.read_bytes())


def texts_of(content, schema, style=Style.ROW_PER_LINE):
    """The dumps of a content in one of the schemas, by table."""
    completed = dt.datetime.combine(DATE, dt.time(8))
    return {
        table.name: dump_text(table, style=style, database="enwiki", completed=completed)
        for table in sql_tables(content, DATE, schema)
    }


def rows_of(text):
    """The rows as dicts by column."""
    return [dict(zip(oracle.sql_columns(text), row, strict=True)) for row in oracle.sql_rows(text)]


class TestRuns:
    def test_there_are_three(self, demo, demo_directory):
        """Every wiki has an older run, a finished one and a newest one."""
        dates = [f"{date:%Y%m%d}" for date in (demo.older_run, demo.run, demo.unfinished_run)]
        for wiki in demo.wikis:
            assert sorted(path.name for path in (demo_directory / wiki.project.database).iterdir()) == dates

    def test_the_finished_run_is_the_nearest_to_every_day(self, demo):
        """No day of the week is nearer to another run that is done."""
        for day in demo.days:
            assert abs(day - demo.run) < abs(day - demo.older_run)

    @RUNS
    @WIKIS
    def test_finished_runs_have_all_jobs(self, demo, demo_directory, database, run):
        """All six jobs are done, and the folder holds their files and no others beside the status."""
        folder = folder_of(demo, demo_directory, database, run)
        jobs = jobs_of(folder)
        assert {name: job["status"] for name, job in jobs.items()} == dict.fromkeys(JOBS, "done")
        files = {f"{database}-{folder.name}-{suffix}" for suffix in JOBS.values()}
        assert {path.name for path in folder.iterdir()} == files | {"dumpstatus.json"}

    @pytest.mark.parametrize("run", ["older_run", "run", "unfinished_run"])
    def test_what_is_done_has_true_checksums(self, demo, demo_directory, run):
        """Each job that is done names its one file, with its size and its checksums; no other job names any."""
        for wiki in demo.wikis:
            folder = folder_of(demo, demo_directory, wiki.project.database, run)
            for name, job in jobs_of(folder).items():
                if job["status"] != "done":
                    assert "files" not in job
                    continue
                [(file, about)] = job["files"].items()
                content = (demo_directory / about["url"].lstrip("/")).read_bytes()
                assert file == f"{wiki.project.database}-{folder.name}-{JOBS[name]}"
                assert about["url"] == f"/{wiki.project.database}/{folder.name}/{file}"
                assert about["size"] == len(content)
                assert about["md5"] == hashlib.md5(content).hexdigest()
                assert about["sha1"] == hashlib.sha1(content).hexdigest()
                assert job["updated"] == f"{getattr(demo, run)} 08:45:24"

    @WIKIS
    def test_the_newest_run_is_unfinished(self, demo, demo_directory, database):
        """Pages are still being dumped; categories and namespaces wait; the files of the other jobs are there."""
        folder = folder_of(demo, demo_directory, database, "unfinished_run")
        jobs = jobs_of(folder)
        assert {name: job["status"] for name, job in jobs.items()} == {
            "pagetable": "in-progress",
            "redirecttable": "done",
            "linktargettable": "done",
            "categorylinkstable": "waiting",
            "pagepropstable": "done",
            "namespaces": "waiting",
        }
        assert len(list(folder.iterdir())) == 4

    def test_one_wiki_has_only_namespaces(self, demo_directory):
        """Wikifunctions dumps no tables at all, in no run."""
        states = [
            {name: job["status"] for name, job in jobs_of(folder).items()}
            for folder in sorted((demo_directory / "wikifunctionswiki").iterdir())
        ]
        assert states == [{"namespaces": "done"}, {"namespaces": "done"}, {"namespaces": "waiting"}]
        assert list((demo_directory / "wikifunctionswiki").rglob("*.sql.gz")) == []


class TestDumps:
    @WIKIS
    @pytest.mark.parametrize(("run", "kept"), [("run", "content"), ("older_run", "older_content")])
    def test_they_hold_the_truth(self, demo, demo_directory, database, run, kept):
        """Read with their columns' names and joined, the dumps say what the wiki's plain values say."""
        folder, wiki = folder_of(demo, demo_directory, database, run), wiki_of(demo, database)
        main_page = wiki.siteinfo.main_page.replace(" ", "_").encode()
        found = oracle.pages_of_dumps({table: text_of(folder, table) for table in TABLES}, main_page)
        assert found == pages_of(getattr(wiki, kept), wiki.siteinfo)
        assert found.articles

    @pytest.mark.parametrize("schema", Schema)
    @pytest.mark.parametrize("style", Style)
    def test_every_schema_holds_the_same(self, demo, schema, style):
        """In each schema and style the dumps of one content say the same."""
        wiki = wiki_of(demo, "enwiktionary")
        texts = texts_of(wiki.content, schema, style)
        assert oracle.pages_of_dumps(texts, b"Wiktionary:Main_Page") == pages_of(wiki.content, wiki.siteinfo)

    @WIKIS
    def test_runs_differ_in_schema_and_style(self, demo, demo_directory, database):
        """The older run names categories by title, a statement to a line; today's by target, a row to a line."""
        older, today = (
            text_of(folder_of(demo, demo_directory, database, run), "categorylinks") for run in ("older_run", "run")
        )
        common = ["cl_from", "cl_sortkey", "cl_timestamp", "cl_sortkey_prefix", "cl_type"]
        assert oracle.sql_columns(today) == [*common, "cl_collation_id", "cl_target_id"]
        assert oracle.sql_columns(older) == ["cl_from", "cl_to", *common[1:-1], "cl_collation", "cl_type"]
        assert b"\nINSERT INTO `categorylinks` VALUES\n(" in today
        assert b"\nINSERT INTO `categorylinks` VALUES (" in older
        assert today.startswith(b"/*M!999999")
        assert older.startswith(b"-- MariaDB dump")

    def test_the_columns_of_the_years_between(self, demo):
        """For a while rows had the title and the target, and the target was missing in some."""
        text = texts_of(wiki_of(demo, "dewiki").content, Schema.BOTH)["categorylinks"]
        assert oracle.sql_columns(text)[1::6] == ["cl_to", "cl_collation_id"]
        assert oracle.sql_columns(text)[-1] == "cl_target_id"
        without_target = [row["cl_target_id"] is None for row in rows_of(text)]
        assert set(without_target) == {True, False}

    def test_pages_once_had_another_column_in_the_middle(self, demo, demo_directory):
        """Whoever counts the columns of ``page`` takes an old column for the mark of a redirect."""
        older, today = (
            oracle.sql_columns(text_of(folder_of(demo, demo_directory, "enwiki", run), "page"))
            for run in ("older_run", "run")
        )
        assert older.index("page_is_redirect") == today.index("page_is_redirect") + 1
        assert set(older) - set(today) == {"page_restrictions"}

    @RUNS
    def test_statements(self, demo, demo_directory, run):
        """The larger tables have several statements."""
        folder = folder_of(demo, demo_directory, "enwiki", run)
        for table in ("page", "categorylinks"):
            assert text_of(folder, table).count(b"\nINSERT INTO") > 1

    @RUNS
    def test_sort_keys_are_no_text(self, demo, demo_directory, run):
        """Sort keys have bytes that are no UTF-8, and each of the seven bytes that are escaped."""
        keys = [
            row["cl_sortkey"]
            for row in rows_of(text_of(folder_of(demo, demo_directory, "enwiki", run), "categorylinks"))
        ]
        assert all(any(byte in key for key in keys) for byte in b"\0\n\r\x1a'\"\\")
        assert sum("\ufffd" in key.decode(errors="replace") for key in keys) > len(keys) / 2
        assert all(len(key) <= 230 for key in keys)

    def test_targets_are_not_only_categories(self, demo, demo_directory):
        """A category's name is also the title of targets in other namespaces, under other ids."""
        rows = rows_of(text_of(folder_of(demo, demo_directory, "enwiki", "run"), "linktarget"))
        categories = {row["lt_title"] for row in rows if row["lt_namespace"] == 14}
        others = {row["lt_title"] for row in rows if row["lt_namespace"] == 0}
        assert len(categories) > 40
        assert categories < others
        assert len({row["lt_id"] for row in rows}) == len(rows)
        assert len({(row["lt_namespace"], row["lt_title"]) for row in rows}) == len(rows)

    def test_one_link_has_a_target_that_was_not_dumped(self, demo, demo_directory):
        """The tables of a run are of slightly different moments, so that a target may be missing."""
        folder = folder_of(demo, demo_directory, "enwiki", "run")
        known = {row["lt_id"] for row in rows_of(text_of(folder, "linktarget")) if row["lt_namespace"] == 14}
        links = rows_of(text_of(folder, "categorylinks"))
        assert sum(row["cl_target_id"] not in known for row in links) == 1

    @pytest.mark.parametrize("schema", Schema)
    @WIKIS
    def test_keys_are_unique(self, demo, database, schema):
        """No two rows have the same primary key."""
        texts = texts_of(wiki_of(demo, database).content, schema)
        for table, text in texts.items():
            definition = text.partition(b"PRIMARY KEY (")[2].partition(b")")[0]
            key = [column.strip(b"`").decode() for column in definition.split(b",")]
            keys = [tuple(row[column] for column in key) for row in rows_of(text)]
            assert len(set(keys)) == len(keys), table
            assert keys

    def test_dumps_stay_small(self, demo, demo_directory):
        """The demo serves all of it in a moment: the finished run of the largest wiki has less than 250 KB."""
        folder = folder_of(demo, demo_directory, "enwiki", "run")
        assert sum(path.stat().st_size for path in folder.iterdir()) < 250_000
