"""A wiki's dump runs: which of them is finished, and which lies nearest to a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from models.dump_run import DumpTable, RunFiles, run_path
from models.errors import CorruptFile, FileNotThere, NoDumps, NoSnapshot
from worker.dumps_site import RUNS_TRIED, finished_file, listed_runs, unpacked

NAMESPACES_JOB = "namespaces"

Read = Callable[[str], bytes]
"""Fetches a small document below a wiki's folder by its path; raises what ``worker.fetch.fetch_small`` does."""


def nearest_runs(runs: tuple[dt.date, ...], day: dt.date) -> tuple[dt.date, ...]:
    """The runs in the order of their distance to a day; of two equally near ones the later comes first."""
    return tuple(sorted(runs, key=lambda run: (abs((run - day).days), -run.toordinal())))


class WikiRuns:
    """What the dumps site tells of one wiki; each document is fetched once, when it is first needed."""

    def __init__(self, database: str, read: Read) -> None:
        self._database = database
        self._read = read
        self._listed: tuple[dt.date, ...] | None = None
        self._found: dict[dt.date, RunFiles | NoSnapshot | CorruptFile] = {}

    def listed(self) -> tuple[dt.date, ...]:
        """The dates of all runs.

        Raises:
            NoDumps: the source has no folder for this wiki, or no run in it.
        """
        if self._listed is None:
            try:
                self._listed = tuple(dt.date.fromisoformat(run) for run in listed_runs(self._read("")))
            except FileNotThere:
                self._listed = ()
        if not self._listed:
            raise NoDumps(f"The source has no dumps of {self._database}.")
        return self._listed

    def files(self, run: dt.date) -> RunFiles:
        """The files of a run.

        Raises:
            NoSnapshot: there is no such run, or it is not finished.
            CorruptFile: its dumpstatus.json cannot be read.
        """
        if run not in self._found:
            try:
                self._found[run] = run_files(self._read(f"{run_path(run)}/dumpstatus.json"), self._database, run)
            except FileNotThere:
                self._found[run] = NoSnapshot(f"The source has no run {run_path(run)} of {self._database}.")
            except (NoSnapshot, CorruptFile) as error:
                self._found[run] = error
        found = self._found[run]
        if isinstance(found, Exception):
            raise found
        return found

    def nearest(self, day: dt.date) -> RunFiles:
        """The finished run that lies nearest to a day.

        Raises:
            NoDumps: as ``listed``.
            NoSnapshot: no run is finished; the message tells of the nearest.
        """
        failure: Exception | None = None
        for run in nearest_runs(self.listed(), day)[:RUNS_TRIED]:
            try:
                return self.files(run)
            except (NoSnapshot, CorruptFile) as error:
                failure = failure or error
        raise NoSnapshot(f"No dump run of {self._database} can be used. {failure}")

    def siteinfo(self, files: RunFiles) -> str:
        """A run's siteinfo document (JSON), checked against its checksum.

        Raises:
            NoSnapshot: the file is not there.
            CorruptFile: it is not what was announced.
        """
        try:
            packed = self._read(f"{run_path(files.run)}/{files.namespaces.name}")
        except FileNotThere:
            raise NoSnapshot(f"The run {run_path(files.run)} of {self._database} lacks its siteinfo.") from None
        return unpacked(files.namespaces, packed).decode("utf-8-sig", errors="replace")


def run_files(dumpstatus: bytes, database: str, run: dt.date) -> RunFiles:
    """The files of a run, if all that are needed are done.

    Raises:
        NoSnapshot: some are not; the message names them.
        CorruptFile: the document is not what a dumpstatus.json is, or it names a file of another run.
    """
    tables = {table: finished_file(dumpstatus, table.job, database) for table in DumpTable}
    namespaces = finished_file(dumpstatus, NAMESPACES_JOB, database)
    done = {table: file for table, file in tables.items() if file is not None}
    lacking = [table.value for table in DumpTable if table not in done] + ([] if namespaces else [NAMESPACES_JOB])
    if namespaces is None or lacking:
        raise NoSnapshot(f"The run {run_path(run)} of {database} is not finished: it lacks {', '.join(lacking)}.")
    if not all(file.name.startswith(f"{database}-{run_path(run)}-") for file in (*done.values(), namespaces)):
        raise CorruptFile(f"The dump status of {database}, {run_path(run)}, names a file of another run.")
    return RunFiles(run, done, namespaces)
