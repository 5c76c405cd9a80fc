"""Small dump runs for tests: a wiki of two articles, its five tables and its namespaces, whole or broken on request."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqldump_text import dump, insert, written
from store_samples import siteinfo_document

from cli.demosite.server import serve
from cli.demosite.site import Site
from models.dump_run import DumpTable, RunFiles
from models.snapshot import Figures
from worker.dump_runs import run_files

EARLY, LATE = dt.date(2024, 1, 1), dt.date(2024, 1, 20)

COLUMNS: Mapping[DumpTable, tuple[str, ...]] = {
    DumpTable.PAGE: ("page_id", "page_namespace", "page_title", "page_is_redirect"),
    DumpTable.REDIRECT: ("rd_from", "rd_namespace", "rd_title", "rd_interwiki", "rd_fragment"),
    DumpTable.LINKTARGET: ("lt_id", "lt_namespace", "lt_title"),
    DumpTable.CATEGORYLINKS: ("cl_from", "cl_sortkey", "cl_type", "cl_target_id"),
    DumpTable.PAGE_PROPS: ("pp_page", "pp_propname", "pp_value"),
}
ROWS: Mapping[DumpTable, list[tuple[object, ...]]] = {
    DumpTable.PAGE: [
        (1, 0, b"Main_Page", 0),
        (2, 0, b"Ada", 0),
        (3, 0, b"Bee", 0),
        (4, 0, b"Countess", 1),
        (5, 14, b"People", 0),
        (6, 14, b"Stubs", 0),
    ],
    DumpTable.REDIRECT: [(4, 0, b"Ada", b"", b"")],
    DumpTable.LINKTARGET: [(1, 14, b"People"), (2, 14, b"Stubs")],
    DumpTable.CATEGORYLINKS: [(2, b"\xffADA", b"page", 1), (2, b"A", b"page", 2), (3, b"B", b"page", 2)],
    DumpTable.PAGE_PROPS: [(6, b"hiddencat", b"")],
}
FIGURES = Figures(articles=2, redirects=1, categories=1, hidden_categories=1, memberships=1, hidden_memberships=2)
"""What an index of these rows holds."""

Jobs = dict[str, Any]


def text_of(table: DumpTable, rows: list[tuple[object, ...]] | None = None, columns: tuple[str, ...] = ()) -> bytes:
    """The dump of a table, by default of the wiki's rows and columns."""
    found = [[written(value) for value in row] for row in (ROWS[table] if rows is None else rows)]
    return dump(table.value, columns or COLUMNS[table], insert(table.value, found))


def write_run(
    directory: Path, run: dt.date, *, database: str = "enwiki", packed: Mapping[DumpTable, bytes] | None = None
) -> Path:
    """Write a finished run and its status; ``packed`` gives other bytes for some tables' files."""
    folder = directory / database / f"{run:%Y%m%d}"
    folder.mkdir(parents=True)
    jobs: Jobs = {}
    for table in DumpTable:
        content = (packed or {}).get(table) or gzip.compress(text_of(table), mtime=0)
        jobs[table.job] = _done(folder, f"{database}-{folder.name}-{table.value}.sql.gz", content)
    names = f"{database}-{folder.name}-siteinfo-namespaces.json.gz"
    jobs["namespaces"] = _done(folder, names, gzip.compress(siteinfo_document("Talk"), mtime=0))
    (folder / "dumpstatus.json").write_text(json.dumps({"jobs": jobs}))
    return folder


def file_of(folder: Path, table: DumpTable) -> Path:
    """Where a table's dump lies."""
    return folder / f"{folder.parent.name}-{folder.name}-{table.value}.sql.gz"


def change_status(folder: Path, change: Callable[[Jobs], object]) -> None:
    """Rewrite the jobs of a run's status."""
    path = folder / "dumpstatus.json"
    document = json.loads(path.read_text())
    change(document["jobs"])
    path.write_text(json.dumps(document))


def describe(folder: Path, table: DumpTable, **changes: object) -> None:
    """Announce another size or checksum of a table's file; None takes it out."""

    def change(jobs: Jobs) -> None:
        [about] = jobs[table.job]["files"].values()
        about.update(changes)
        for name in [name for name, value in about.items() if value is None]:
            del about[name]

    change_status(folder, change)


def files_of(folder: Path) -> RunFiles:
    """The files of a run as its status announces them."""
    run = dt.datetime.strptime(folder.name, "%Y%m%d").replace(tzinfo=dt.UTC).date()
    return run_files((folder / "dumpstatus.json").read_bytes(), folder.parent.name, run)


@contextmanager
def small_site(directory: Path, *runs: dt.date) -> Iterator[Site]:
    """A served site of these finished runs of the English Wikipedia."""
    for run in runs:
        write_run(directory, run)
    with serve(directory) as site:
        yield site


def _done(folder: Path, name: str, content: bytes) -> dict[str, Any]:
    (folder / name).write_bytes(content)
    sums = {kind: hashlib.new(kind, content, usedforsecurity=False).hexdigest() for kind in ("md5", "sha1")}
    return {"status": "done", "files": {name: {"size": len(content), "url": "/elsewhere", **sums}}}
