"""A demo site's dump runs: per wiki two that are done, the older one in older schemas, and a newer one that is not.

The layout is that of https://dumps.wikimedia.org/enwiki/: ``{database}/{YYYYMMDD}/`` with ``dumpstatus.json``, which
gives each job's state and its files' sizes and checksums.
"""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.demosite.content import DemoSite
from cli.demosite.pages import Content
from cli.demosite.siteinfo import Namespace, SiteInfo
from cli.demosite.sqltext import Style, Table, dump_text
from cli.demosite.tables import Schema, sql_tables
from cli.demosite.wikis import Wiki

TABLE_JOBS = {
    "page": "pagetable",
    "redirect": "redirecttable",
    "linktarget": "linktargettable",
    "categorylinks": "categorylinkstable",
    "page_props": "pagepropstable",
}
"""The jobs that dump one table each."""

_FINISHED_AT = dt.time(8, 45, 24, tzinfo=dt.UTC)
_STATEMENT_BYTES = 1 << 16
"""Small, so that the larger of these small tables have several statements."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job of a run, and the one file it makes."""

    name: str
    suffix: str
    content: bytes


@dataclass(frozen=True, slots=True)
class _Run:
    """``unfinished`` jobs have that status and no file."""

    date: dt.date
    schema: Schema
    style: Style
    unfinished: Mapping[str, str]


def write_runs(site: DemoSite, directory: Path) -> None:
    """Write the three runs of every wiki."""
    unfinished = {"pagetable": "in-progress", "categorylinkstable": "waiting", "namespaces": "waiting"}
    older = _Run(site.older_run, Schema.TITLE, Style.STATEMENT_PER_LINE, {})
    finished = _Run(site.run, Schema.TARGET, Style.ROW_PER_LINE, {})
    newest = _Run(site.unfinished_run, Schema.TARGET, Style.ROW_PER_LINE, unfinished)
    for wiki in site.wikis:
        for run, content in ((older, wiki.older_content), (finished, wiki.content), (newest, wiki.content)):
            _write_run(wiki, content, run, directory)


def siteinfo_json(info: SiteInfo, database: str) -> dict[str, Any]:
    """MediaWiki's ``action=query&meta=siteinfo&siprop=general|namespaces|namespacealiases`` answer."""
    general = {
        "mainpage": info.main_page,
        "sitename": info.site_name,
        "case": info.case,
        "lang": info.language,
        "wikiid": database,
    }
    return {
        "batchcomplete": "",
        "query": {
            "general": general,
            "namespaces": {str(space.id): _namespace(space) for space in info.namespaces},
            "namespacealiases": [{"id": number, "*": name} for number, name in info.aliases],
        },
    }


def _namespace(space: Namespace) -> dict[str, Any]:
    canonical = {"canonical": space.canonical} if space.canonical else {}
    return {"id": space.id, "case": space.case, **canonical, "*": space.name}


def _jobs(wiki: Wiki, content: Content | None, run: _Run) -> Iterator[Job]:
    """Tables come first; a wiki without content dumps none."""
    for table in sql_tables(content, run.date, run.schema) if content else ():
        text = _table_text(wiki, table, run)
        yield Job(TABLE_JOBS[table.name], f"{table.name}.sql.gz", text)
    answer = json.dumps(siteinfo_json(wiki.siteinfo, wiki.project.database), ensure_ascii=False)
    yield Job("namespaces", "siteinfo-namespaces.json.gz", answer.encode())


def _table_text(wiki: Wiki, table: Table, run: _Run) -> bytes:
    completed = dt.datetime.combine(run.date, _FINISHED_AT)
    database = wiki.project.database
    return dump_text(table, style=run.style, database=database, completed=completed, statement_bytes=_STATEMENT_BYTES)


def _write_run(wiki: Wiki, content: Content | None, run: _Run, directory: Path) -> None:
    states = {}
    for job in _jobs(wiki, content, run):
        status = run.unfinished.get(job.name)
        states[job.name] = _unfinished(status, run.date) if status else _write_job(wiki, job, run.date, directory)
    _write_status(wiki, run.date, states, directory)


def _unfinished(status: str, date: dt.date) -> dict[str, Any]:
    return {"status": status, "updated": f"{date} 00:00:00" if status == "in-progress" else ""}


def _write_job(wiki: Wiki, job: Job, date: dt.date, directory: Path) -> dict[str, Any]:
    """Write a job's file; its entry in the status."""
    finished = dt.datetime.combine(date, _FINISHED_AT)
    name = f"{wiki.project.database}-{date:%Y%m%d}-{job.suffix}"
    path = _run_folder(wiki, date, directory) / name
    packed = gzip.compress(job.content, mtime=0)
    _write(path, packed, finished)
    described = _described(packed, f"/{path.relative_to(directory).as_posix()}")
    return {"status": "done", "updated": f"{finished:%Y-%m-%d %H:%M:%S}", "files": {name: described}}


def _described(content: bytes, url: str) -> dict[str, Any]:
    return {
        "size": len(content),
        "url": url,
        "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        "sha1": hashlib.sha1(content, usedforsecurity=False).hexdigest(),
    }


def _write_status(wiki: Wiki, date: dt.date, jobs: Mapping[str, Any], directory: Path) -> None:
    text = json.dumps({"version": "0.8", "jobs": jobs}, indent=1)
    path = _run_folder(wiki, date, directory) / "dumpstatus.json"
    _write(path, text.encode(), dt.datetime.combine(date, _FINISHED_AT))


def _run_folder(wiki: Wiki, date: dt.date, directory: Path) -> Path:
    return directory / wiki.project.database / f"{date:%Y%m%d}"


def _write(path: Path, content: bytes, written: dt.datetime) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (written.timestamp(), written.timestamp()))
