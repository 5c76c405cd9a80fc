"""Which runs a wiki has and which of them can be used, told from documents that strangers wrote."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from dump_site_samples import EARLY, LATE, change_status, write_run
from hypothesis import given
from hypothesis import strategies as st

from models.dump_run import DumpTable, parse_run, run_path
from models.errors import BadDate, CorruptFile, FileNotThere, NoDumps, NoSnapshot, SourceUnreachable
from worker.dump_runs import WikiRuns, nearest_runs, run_files

DAY = dt.date(2024, 1, 10)
DAYS = st.dates(dt.date(2015, 1, 1), dt.date(2030, 1, 1))


def day(number):
    return DAY + dt.timedelta(days=number)


def listing(*runs):
    rows = "".join(f'<a href="{run:%Y%m%d}/">{run:%Y%m%d}/</a>\n' for run in runs)
    return f'<html><a href="../">../</a>{rows}<a href="latest/">latest/</a>'.encode()


class Documents:
    """What a site would answer below a wiki's folder, and what it was asked."""

    def __init__(self, documents):
        self.documents = documents
        self.asked = []

    def __call__(self, path):
        self.asked.append(path)
        found = self.documents.get(path, FileNotThere("404"))
        if isinstance(found, Exception):
            raise found
        return found


@pytest.fixture
def status(tmp_path):
    """Makes the status of a run, with its jobs changed."""

    def make(run=EARLY, change=lambda _jobs: None, database="enwiki"):
        folder = write_run(tmp_path / f"{database}{run}", run, database=database)
        change_status(folder, change)
        return (folder / "dumpstatus.json").read_bytes()

    return make


def unfinished(*jobs):
    def change(known):
        for job in jobs:
            known[job] = {"status": "in-progress"}

    return change


def runs_of(documents):
    reader = Documents(documents)
    return WikiRuns("enwiki", reader), reader


class TestNearest:
    def test_by_distance(self):
        """The nearest run comes first, before or after the day."""
        assert nearest_runs((day(-9), day(2), day(30), day(-1)), DAY) == (day(-1), day(2), day(-9), day(30))

    def test_of_two_equally_near_the_later(self):
        """Of two runs at the same distance the later comes first."""
        assert nearest_runs((day(-3), day(3)), DAY) == (day(3), day(-3))

    @given(st.sets(DAYS), DAYS)
    def test_it_is_an_order_of_all_of_them(self, runs, wanted):
        """Every run is there once, and no one is farther than the next."""
        found = nearest_runs(tuple(runs), wanted)
        distances = [abs(run - wanted) for run in found]
        assert set(found) == runs
        assert len(found) == len(runs)
        assert distances == sorted(distances)

    def test_the_first_that_is_finished(self, status):
        """A nearer run that is not finished is passed over, and each document is asked for once."""
        runs, reader = runs_of(
            {"": listing(EARLY, LATE), "20240120/dumpstatus.json": status(LATE, unfinished("pagetable")),
             "20240101/dumpstatus.json": status(EARLY)}
        )  # fmt: skip
        assert [runs.nearest(LATE).run, runs.nearest(EARLY).run, runs.nearest(LATE).run] == [EARLY] * 3
        assert reader.asked == ["", "20240120/dumpstatus.json", "20240101/dumpstatus.json"]

    @pytest.mark.parametrize("document", [b"", b"<html>", b"[]", b'{"jobs": 7}', FileNotThere("404")])
    def test_a_run_without_a_readable_status_is_passed_over(self, status, document):
        """So is one whose status is missing or is no such document."""
        runs, _ = runs_of(
            {"": listing(EARLY, LATE), "20240120/dumpstatus.json": document, "20240101/dumpstatus.json": status()}
        )
        assert runs.nearest(LATE).run == EARLY

    def test_none_is_finished(self, status):
        """Where no run can be used, the reason is that of the nearest."""
        runs, _ = runs_of(
            {"": listing(EARLY, LATE), "20240120/dumpstatus.json": status(LATE, unfinished("namespaces")),
             "20240101/dumpstatus.json": status(EARLY, unfinished("pagetable"))}
        )  # fmt: skip
        with pytest.raises(NoSnapshot, match="20240120 of enwiki is not finished: it lacks namespaces"):
            runs.nearest(LATE)

    def test_a_source_that_does_not_answer(self):
        """That is no verdict on any run: the error goes on to who asked, and the next time it is asked again."""
        runs, reader = runs_of({"": listing(EARLY), "20240101/dumpstatus.json": SourceUnreachable()})
        for _ in range(2):
            with pytest.raises(SourceUnreachable):
                runs.nearest(DAY)
        assert reader.asked == ["", *["20240101/dumpstatus.json"] * 2]


class TestListing:
    @pytest.mark.parametrize("document", [FileNotThere("404"), b"", listing(), b'<a href="latest/">', b"\xff\xfe"])
    def test_no_runs(self, document):
        """A wiki without a folder, and one without a run in it, has no dumps."""
        runs, _ = runs_of({"": document})
        with pytest.raises(NoDumps, match="no dumps of enwiki"):
            runs.nearest(DAY)

    def test_names_that_are_no_runs(self):
        """Dates that no calendar has, other folders and files are no runs."""
        noise = b'<a href="20240230/"><a href="20240101"><a href="x20240105/"><a href="20240106/../../etc/">'
        runs, _ = runs_of({"": noise + listing(LATE)})
        assert runs.listed() == (LATE,)


class TestStatus:
    def test_a_finished_run(self, status):
        """Its files are those that its jobs name."""
        files = run_files(status(), "enwiki", EARLY)
        assert files.run == EARLY
        assert {table: file.name for table, file in files.tables.items()} == {
            table: f"enwiki-20240101-{table.value}.sql.gz" for table in DumpTable
        }
        assert files.namespaces.name == "enwiki-20240101-siteinfo-namespaces.json.gz"

    @pytest.mark.parametrize("job", [*(table.job for table in DumpTable), "namespaces"])
    @pytest.mark.parametrize("state", ["waiting", "in-progress", "failed", "skipped", "Done", "", None, 1])
    def test_each_of_the_six_must_be_done(self, status, job, state):
        """Whichever of the six jobs is in another state than ``done``, the run is not finished, and it is named."""
        table = next((table.value for table in DumpTable if table.job == job), job)
        with pytest.raises(NoSnapshot, match=rf"lacks {table}\.$"):
            run_files(status(change=lambda jobs: jobs[job].update(status=state)), "enwiki", EARLY)

    def test_a_job_that_is_not_there(self, status):
        """A job that the status does not list is not done."""
        with pytest.raises(NoSnapshot, match="lacks linktarget, namespaces"):
            run_files(
                status(change=lambda jobs: (jobs.pop("linktargettable"), jobs.pop("namespaces"))), "enwiki", EARLY
            )

    @pytest.mark.parametrize(
        "name",
        [
            "../../etc/passwd",
            "enwiki-20240101-../../x.gz",
            "enwiki-20240101-page.sql.gz/../../../x",
            "/etc/passwd",
            "enwiki-20240101-page\n.sql.gz",
            "enwiki-20240101-page.sql.gz\0",
            "enwiki-20240101-pagé.sql.gz",
            "dewiki-20240101-page.sql.gz",
            "enwikinews-20240101-page.sql.gz",
            "enwiki-20231220-page.sql.gz",
            "enwiki-latest-page.sql.gz",
            "",
        ],
    )
    @pytest.mark.parametrize("job", ["pagetable", "namespaces"])
    def test_a_file_that_is_not_the_runs_own(self, status, name, job):
        """A name that leads elsewhere, or belongs to another wiki or run, is refused."""

        def rename(jobs):
            [about] = jobs[job]["files"].values()
            jobs[job]["files"] = {name: about}

        with pytest.raises(CorruptFile):
            run_files(status(change=rename), "enwiki", EARLY)

    @pytest.mark.parametrize("size", [None, "12", -1, 1.5, True, [], 1 << 63, 10**40])
    def test_a_size_that_is_none(self, status, size):
        """A size that is no number of bytes, or more than any file has, is refused."""
        with pytest.raises(CorruptFile):
            run_files(status(change=lambda jobs: about_page(jobs).update(size=size)), "enwiki", EARLY)

    @pytest.mark.parametrize("checksum", ["", "0" * 39, "G" * 40, 7, ["a"], "0" * 40 + "\n"])
    def test_a_checksum_that_is_none(self, status, checksum):
        """So is a SHA-1 that is not forty hexadecimal digits."""
        with pytest.raises(CorruptFile):
            run_files(status(change=lambda jobs: about_page(jobs).update(sha1=checksum)), "enwiki", EARLY)

    @pytest.mark.parametrize("files", [{}, [], None, {"a": {}, "b": {}}, {"enwiki-20240101-page.sql.gz": 3}])
    def test_a_job_has_one_file(self, status, files):
        """A job that is done and has not one file with its size cannot be used."""
        with pytest.raises(CorruptFile):
            run_files(status(change=lambda jobs: jobs["pagetable"].update(files=files)), "enwiki", EARLY)

    @pytest.mark.parametrize("document", [b"[" * 100_000, b"\xff\xfe", b"null", b'{"jobs": []}', b"1" * 5000])
    def test_documents_that_are_none(self, document):
        """Whatever the document is, the error is wikiq's own."""
        with pytest.raises(CorruptFile):
            run_files(document, "enwiki", EARLY)

    @given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=3),
                        lambda some: st.lists(some, max_size=2) | st.dictionaries(
                            st.sampled_from(["pagetable", "status", "files", "size", "enwiki-20240101-a"]), some),
                        max_leaves=8))  # fmt: skip
    def test_any_jobs(self, jobs):
        """Any JSON gives files or one of two errors."""
        with pytest.raises((CorruptFile, NoSnapshot)):
            run_files(json.dumps({"jobs": jobs}).encode(), "enwiki", EARLY)


class TestNames:
    @given(st.dates(dt.date(1000, 1, 1)))
    def test_a_runs_folder(self, run):
        """The name of a run's folder means that run, and so does its date."""
        assert parse_run(run_path(run)) == parse_run(run.isoformat()) == run

    @pytest.mark.parametrize("text", ["", "latest", "2024-1-1", "20240230", "2024-W01-1", "٢٠٢٤٠١٠١", "20240101\n"])
    def test_what_names_no_run(self, text):
        """Anything else is no run."""
        with pytest.raises(BadDate):
            parse_run(text)


def about_page(jobs):
    [about] = jobs["pagetable"]["files"].values()
    return about
