"""``python -m bench index``: building a wiki's index at several sizes, and what follows for the largest wiki.

Every step runs in a process of its own (bench/steps.py), so that its peak of memory is its own. This process stays
small: a child's peak is never less than its parent's size at the fork.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.child import told

TABLES = ("page", "redirect", "linktarget", "categorylinks", "page_props")


def measure(scales: Sequence[float], seed: int, keep: Path | None) -> list[dict[str, Any]]:
    """Measure all steps at each scale, the smallest first; only that one's index is compared with the truth."""
    results: list[dict[str, Any]] = []
    for scale in sorted(scales):
        sys.stderr.write(f"scale {scale:g} …\n")
        with _directory(keep, scale) as directory:
            results.append(_measured(directory, scale, seed, verify=not results))
    return results


def measure_columns(scales: Sequence[float], seed: int, keep: Path | None) -> list[dict[str, Any]]:
    """Measure only the building, from columns that no dump was read for; so even the full size can be measured."""
    results = []
    for scale in sorted(scales):
        sys.stderr.write(f"scale {scale:g}, from columns …\n")
        with _directory(keep, scale) as directory:
            _step("columns", directory, "--scale", str(scale), "--seed", str(seed))
            results.append({"scale": scale, "build": _step("build", directory)})
    return results


def _measured(directory: Path, scale: float, seed: int, *, verify: bool) -> dict[str, Any]:
    generated = _step("generate", directory, "--scale", str(scale), "--seed", str(seed))
    files = {table: (directory / f"{table}.sql.gz").stat().st_size for table in TABLES}
    read = {table: _step("read", directory, "--table", table) for table in TABLES}
    build, rank = _step("build", directory), _step("rank", directory)
    result = {"scale": scale, "generate": generated, "files": files, "read": read, "build": build, "rank": rank}
    if verify:
        result["faults"] = _step("verify", directory, "--article-views", str(rank["article_views"]))["faults"]
    result["database"] = (directory / "data" / "wikiq.sqlite").stat().st_size
    return result


def _step(name: str, directory: Path, *arguments: str) -> dict[str, Any]:
    report: dict[str, Any] = told("bench.steps", name, str(directory), *arguments)
    return report


@contextmanager
def _directory(keep: Path | None, scale: float) -> Iterator[Path]:
    """A directory for one scale: an empty one that goes at the end, unless it is to be kept."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="wikiq-bench-") as name:
            yield Path(name)
        return
    directory = keep / f"{scale:g}"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    yield directory
