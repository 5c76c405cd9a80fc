"""What is measured on, made by processes of their own, so that this one stays small; kept, if that is wanted."""

from __future__ import annotations

import datetime as dt
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.child import printed


@contextmanager
def kept(directory: Path | None) -> Iterator[Path]:
    """The directory, or an empty one that goes at the end."""
    if directory is not None:
        directory.mkdir(parents=True, exist_ok=True)
        yield directory.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="wikiq-bench-") as name:
        yield Path(name)


def hour_file(directory: Path, lines: int, seed: int) -> Path:
    """An hour file of about that many lines."""
    made = _made(
        directory / f"hour-{lines}-{seed}", "bench.generate", "--hours=1", f"--lines={lines}", f"--seed={seed}"
    )
    [file] = made.glob("*.gz")
    return file


def day_directory(directory: Path, lines: int, seed: int) -> Path:
    """A directory of a day's 24 hour files."""
    return _made(
        directory / f"day-{lines}-{seed}", "bench.generate", "--hours=24", f"--lines={lines}", f"--seed={seed}"
    )


def site_directory(directory: Path, first: dt.date, days: int, lines: int | None) -> tuple[Path, dict[str, Any]]:
    """A site's directory as bench/weekly.py writes it, and what that says of it; its files are of one line or more."""
    arguments = (str(first), f"--days={days}", *([f"--lines={lines}"] if lines else []))
    made = _made(directory / f"site-{days}-{lines or 1}", "bench.weekly", *arguments)
    about: dict[str, Any] = json.loads((made / "made.json").read_text())
    return made, about


def world_directory(directory: Path, scale: float, days: int, seed: int) -> tuple[Path, dict[str, Any]]:
    """A directory as bench/rank_world.py writes it, and how many of everything there are."""
    arguments = (f"--scale={scale}", f"--days={days}", f"--seed={seed}")
    made = _made(directory / f"wiki-{scale:g}-{days}-{seed}", "bench.rank_world", *arguments)
    about: dict[str, Any] = json.loads((made / "made.json").read_text())
    return made, about


def _made(directory: Path, module: str, *arguments: str) -> Path:
    """The directory as the module fills it, unless it is there; one that was left half full is not."""
    if directory.exists():
        return directory
    with tempfile.TemporaryDirectory(prefix="unfinished-", dir=directory.parent) as name:
        unfinished = Path(name) / "made"
        unfinished.mkdir()
        sys.stderr.write(f"  making {directory.name} …\n")
        (unfinished / "made.json").write_text(printed(module, str(unfinished), *arguments))
        unfinished.rename(directory)
    return directory
