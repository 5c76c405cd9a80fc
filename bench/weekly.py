"""``python -m bench.weekly DIRECTORY DAY``: a site's hour files, and how many views of English Wikipedia are in them.

It is a process of its own, so that whoever measures others stays small.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gzip
import json
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from bench.generate import write_days
from models.hour import HOURS_IN_DAY, Hour, hours_of, parse_day

ONE_LINE = b"en Main_Page 1 0\n"


def main() -> None:
    """Print a JSON object: the ``views`` of each day, and ``files``, each one's bytes by its name."""
    parser = argparse.ArgumentParser(prog="python -m bench.weekly")
    parser.add_argument("directory", type=Path)
    parser.add_argument("first", type=parse_day)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--lines", type=int, help="of each file; without it each has a single line")
    arguments = parser.parse_args()
    days = [arguments.first + dt.timedelta(days=number) for number in range(arguments.days)]
    with tempfile.TemporaryDirectory(dir=arguments.directory) as scratch:
        write = _one_line if arguments.lines is None else partial(write_days, lines=arguments.lines)
        views = write(Path(scratch), days)
        hours = [hour for day in days for hour in hours_of(day)]
        sizes = {hour.file_name: _moved(Path(scratch), arguments.directory, hour) for hour in hours}
    json.dump({"views": views, "files": sizes}, sys.stdout)


def _one_line(directory: Path, days: Sequence[dt.date]) -> list[int]:
    content = gzip.compress(ONE_LINE, mtime=0)
    for hour in (hour for day in days for hour in hours_of(day)):
        (directory / hour.file_name).write_bytes(content)
    return [HOURS_IN_DAY] * len(days)


def _moved(scratch: Path, site: Path, hour: Hour) -> int:
    path = site / hour.path
    path.parent.mkdir(parents=True, exist_ok=True)
    return (scratch / hour.file_name).rename(path).stat().st_size


if __name__ == "__main__":
    main()
