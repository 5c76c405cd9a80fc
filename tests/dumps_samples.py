"""A site with dump runs of one wiki, of which one is finished."""

from __future__ import annotations

import contextlib
import datetime as dt
import gzip
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.demosite.server import serve
from cli.demosite.site import Site
from worker.client import open_http
from worker.dumps_site import fetch_siteinfo
from worker.patience import Retries

QUICK = Retries(attempts=2, wait_initial=0.01, wait_jitter=0)
SITEINFO = json.dumps({"query": {"general": {"mainpage": "Main Page"}, "namespaces": {}}}).encode()
NAME = "enwiki-20240101-siteinfo-namespaces.json.gz"


def status_with(status: str = "done", name: str = NAME, **about: Any) -> bytes:
    files = {name: {"size": 7, "url": "/elsewhere", "sha1": "a" * 40, "md5": "b" * 32} | about}
    return json.dumps({"jobs": {"namespaces": {"status": status, "files": files}}}).encode()


@pytest.fixture(name="site")
def site_of_runs(tmp_path: Path) -> Iterator[Site]:
    """A source with the wiki's runs of January (finished) and February (not finished)."""
    write_run(tmp_path, "20240101", SITEINFO)
    write_run(tmp_path, "20240201", SITEINFO, status="in-progress")
    with serve(tmp_path) as running:
        yield running


def write_run(root: Path, run: str, text: bytes, *, status: str = "done", **about: Any) -> Path:
    folder, name, packed = root / "enwiki" / run, f"enwiki-{run}-siteinfo-namespaces.json.gz", gzip.compress(text)
    folder.mkdir(parents=True, exist_ok=True)
    real = {"size": len(packed), "sha1": hashlib.sha1(packed).hexdigest(), "md5": hashlib.md5(packed).hexdigest()}
    (folder / name).write_bytes(packed)
    (folder / "dumpstatus.json").write_bytes(status_with(status, name, **(real | about)))
    return folder / name


def ask(site: Site, database: str = "enwiki") -> tuple[bytes, dt.date] | None:
    return fetch_siteinfo(open_http(None, "0"), site.url, database, budget=contextlib.nullcontext, retries=QUICK)
