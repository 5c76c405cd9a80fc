"""Measure how long a row change at a real MariaDB takes until a query of the engine shows it, and kill the reader.

A writer changes rows at a stated rate. A process of its own reads the binary log and keeps the engine up to date; it is
asked, over and over, for the rows whose change nobody has seen yet. In the end source and engine are compared.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from pages import changes_table, keep


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rows", type=int, default=200_000, help="in the source at the beginning (default: %(default)s)"
    )
    parser.add_argument("--rate", type=int, default=500, help="changed rows a second (default: %(default)s)")
    parser.add_argument("--rush", type=int, default=2_000, help="the same in the morning rush (default: %(default)s)")
    parser.add_argument("--seconds", type=int, default=60, help="at the ordinary rate; a third of it rush")
    parser.add_argument("--kills", type=int, default=5, help="of the reader, with SIGKILL (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of what is changed (default: 1)")
    parser.add_argument("--small", action="store_true", help="5,000 rows, 100 changes a second, 6 seconds, one kill")
    parser.add_argument("--json", action="store_true", help="print one object instead of a table")
    parser.add_argument("--write", action="store_true", help="keep the result beside this script and in the pages")
    arguments = parser.parse_args()
    if arguments.small and arguments.write:
        parser.error("--write is for the full size: the answer quotes it")
    if arguments.small:
        vars(arguments).update(rows=5_000, rate=100, rush=400, seconds=6, kills=1)
    with tempfile.TemporaryDirectory(prefix="changes-") as folder:
        result = _measured(arguments, Path(folder))
    if arguments.write:
        keep("changes", result)
    sys.stdout.write((json.dumps(result) if arguments.json else changes_table(result)) + "\n")
    return 0 if result["holds"] else 1


def _measured(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    from following import Plan, measure

    names = ("rows", "rate", "rush", "seconds", "kills", "seed")
    return measure(Plan(**{name: getattr(arguments, name) for name in names}), folder)


if __name__ == "__main__":
    sys.exit(main())
