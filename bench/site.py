"""``python -m bench.site DIRECTORY``: the demo site's server as a process of its own, for what has to be measured.

It prints its URL, and when its standard input ends one JSON object, which ``Served.seen`` describes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CONNECTIONS = 3
RATE = 5 << 20
"""Wikimedia's dumps site: connections per address, and bytes per second of each."""
AT_ONCE_BYTES = 1 << 16
"""So much of an answer is sent before its rate is looked at; a floor has to allow for it."""


@dataclass(slots=True)
class Served:
    """A running server; ``seen`` is filled when it has ended.

    ``seen`` has ``most_at_once``, the transfers that ran at the same time; ``refused``, the answers 503; ``hours``, how
    often each hour file was sent, by its name; ``first`` and ``last``, when the first hour file was begun and the last
    one sent whole, in seconds since 1970.
    """

    url: str
    seen: dict[str, Any] = field(default_factory=dict)


@contextmanager
def serving(directory: Path, *, rate: float | None = None, connections: int | None = None) -> Iterator[Served]:
    """Serve a directory; with a limit to each transfer's bytes per second and to their number, or without."""
    command = [sys.executable, "-m", "bench.site", str(directory)]
    command += [f"--{name}={value}" for name, value in (("rate", rate), ("connections", connections)) if value]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 our own module
    with process:
        served = Served(process.stdout.readline().strip() if process.stdout else "")
        try:
            yield served
        finally:
            seen, _ = process.communicate("")
            served.seen.update(json.loads(seen or "{}"))


def main() -> None:
    from cli.demosite.faults import AtMost, Fault, Misbehaviour, Slow, Together
    from cli.demosite.server import serve

    parser = argparse.ArgumentParser(prog="python -m bench.site")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--rate", type=float)
    parser.add_argument("--connections", type=int)
    arguments = parser.parse_args()
    limits: list[Misbehaviour] = [AtMost(arguments.connections)] if arguments.connections else []
    limits += [Slow(arguments.rate)] if arguments.rate else []
    with serve(arguments.directory, [Fault("*", Together(tuple(limits)))]) as site:
        sys.stdout.write(f"{site.url}\n")
        sys.stdout.flush()
        sys.stdin.read()
        seen = _seen(site, arguments.rate)
    sys.stdout.write(json.dumps(seen))


def _seen(site: Any, rate: float | None) -> dict[str, Any]:  # noqa: ANN401 imported late: cli.demosite.site.Site
    sent = [entry for entry in site.log if entry.method == "GET" and "/pageviews-" in entry.path]
    begun = [(entry.at, Path(entry.path).name, site.root / entry.path) for entry in sent if entry.status == 200]  # noqa: PLR2004
    ended = [at + max(0, path.stat().st_size - AT_ONCE_BYTES) / rate if rate else at for at, _, path in begun]
    names = [name for _, name, _ in begun]
    epoch = time.time() - time.monotonic()
    return {
        "most_at_once": site.most_at_once,
        "refused": sum(entry.status == 503 for entry in site.log),  # noqa: PLR2004
        "hours": {name: names.count(name) for name in sorted(set(names))},
        "first": epoch + min((at for at, *_ in begun), default=0.0),
        "last": epoch + max(ended, default=0.0),
    }


if __name__ == "__main__":
    main()
