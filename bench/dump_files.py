"""``python -m bench.dump_files DIRECTORY --scale=N``: dumps to be read, a statement to a line.

Newer mysqldumps write a row to a line, older ones a statement; the parser that is compared reads only the latter.
Prints each table's bytes, unpacked, as a JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from isal import igzip

from bench.dump_reading import TABLES
from bench.generate_dumps import write_dumps
from bench.wiki import invent


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.dump_files")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--scale", type=float, required=True)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    with tempfile.TemporaryDirectory(prefix="wikiq-bench-") as name:
        write_dumps(rng, invent(rng, arguments.scale), Path(name))
        sizes = {
            table: rewrite(Path(name) / f"{table}.sql.gz", arguments.directory / f"{table}.sql.gz") for table in TABLES
        }
    sys.stdout.write(json.dumps(sizes) + "\n")


def rewrite(source: Path, target: Path) -> int:
    """Write a dump that has a row to a line with a statement to a line; gives its bytes, unpacked.

    Line breaks within strings are escaped, so each that is written ends a row.
    """
    text = igzip.decompress(source.read_bytes()).replace(b" VALUES\n(", b" VALUES (").replace(b"),\n(", b"),(")
    with igzip.IGzipFile(target, "wb", compresslevel=2, mtime=0) as file:
        file.write(text)
    return len(text)


if __name__ == "__main__":
    main()
