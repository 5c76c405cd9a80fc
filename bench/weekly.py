"""``python -m bench.weekly DIRECTORY DAY``: a site's hour files, and how many views of English Wikipedia are in them.

All days are the same 24 files, under other names. The week's ranking has fewer titles than a real one's, therefore.
It is a process of its own, so that whoever measures others stays small.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gzip
import json
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from models.hour import HOURS_IN_DAY, Hour, hours_of, parse_day

ONE_LINE = b"en Main_Page 1 0\n"
_OF_ENGLISH = re.compile(rb"^en(?:\.m)? [^ ]+ (\d+) 0$", re.MULTILINE)


def main() -> None:
    """Print a JSON object: the ``views`` of a day, and ``files``, each one's bytes by its name."""
    parser = argparse.ArgumentParser(prog="python -m bench.weekly")
    parser.add_argument("directory", type=Path)
    parser.add_argument("first", type=parse_day)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--lines", type=int, help="of each file; without it each has a single line")
    parser.add_argument("--different", type=int, default=HOURS_IN_DAY, help="files of a day; further hours repeat them")
    arguments = parser.parse_args()
    days = [arguments.first + dt.timedelta(days=number) for number in range(arguments.days)]
    with tempfile.TemporaryDirectory(dir=arguments.directory) as scratch:
        files = _different(Path(scratch), hours_of(arguments.first)[: arguments.different], arguments.lines)
        sizes = {hour.file_name: _link(files, hour, arguments.directory) for day in days for hour in hours_of(day)}
        views = [_views(file) for file in files]
    json.dump({"views": sum(views[hour % len(files)] for hour in range(HOURS_IN_DAY)), "files": sizes}, sys.stdout)


def _different(scratch: Path, hours: Sequence[Hour], lines: int | None) -> list[Path]:
    if lines is None:
        file = scratch / "one-line.gz"
        file.write_bytes(gzip.compress(ONE_LINE, mtime=0))
        return [file]
    from bench.generate import write_day

    write_day(scratch, tuple(hours), lines)
    return [scratch / hour.file_name for hour in hours]


def _link(files: list[Path], hour: Hour, directory: Path) -> int:
    file, path = files[hour.hour % len(files)], directory / hour.path
    path.parent.mkdir(parents=True, exist_ok=True)
    os.link(file, path)
    return file.stat().st_size


def _views(file: Path) -> int:
    """Counted without anything of the product."""
    return sum(map(int, _OF_ENGLISH.findall(gzip.decompress(file.read_bytes()))))


if __name__ == "__main__":
    main()
