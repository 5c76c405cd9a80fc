"""A demo site's dump runs: per wiki one that is done and a newer one that is not.

The layout is that of https://dumps.wikimedia.org/enwiki/: ``{database}/{YYYYMMDD}/`` with ``dumpstatus.json``, which
gives each job's state and its files' sizes and checksums.
"""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.demosite.content import DemoSite
from cli.demosite.siteinfo import Namespace, SiteInfo
from cli.demosite.wikis import Wiki

_FINISHED_AT = dt.time(8, 45, 24, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Job:
    """One job of a run, and the one file it makes."""

    name: str
    suffix: str
    content: bytes


def write_runs(site: DemoSite, directory: Path) -> None:
    """Write both runs of every wiki; of the unfinished one there is only the status."""
    for wiki in site.wikis:
        _write_run(wiki, site.run, directory)
        waiting = {job.name: {"status": "waiting", "updated": ""} for job in _jobs(wiki)}
        _write_status(wiki, site.unfinished_run, waiting, directory)


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


def _jobs(wiki: Wiki) -> tuple[Job, ...]:
    answer = json.dumps(siteinfo_json(wiki.siteinfo, wiki.project.database), ensure_ascii=False)
    return (Job("namespaces", "siteinfo-namespaces.json.gz", answer.encode()),)


def _write_run(wiki: Wiki, date: dt.date, directory: Path) -> None:
    finished = dt.datetime.combine(date, _FINISHED_AT)
    states = {}
    for job in _jobs(wiki):
        name = f"{wiki.project.database}-{date:%Y%m%d}-{job.suffix}"
        path = _run_folder(wiki, date, directory) / name
        content = gzip.compress(job.content, mtime=0)
        _write(path, content, finished)
        described = _described(content, f"/{path.relative_to(directory).as_posix()}")
        states[job.name] = {
            "status": "done",
            "updated": f"{finished:%Y-%m-%d %H:%M:%S}",
            "files": {name: described},
        }
    _write_status(wiki, date, states, directory)


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
