"""How long commands take from their start to the prompt: the installed program, on a terminal."""

from __future__ import annotations

import json
import os
import pty
import resource
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

PROGRAM = Path(sysconfig.get_path("scripts")) / "wikiq"
COMMANDS: Mapping[str, str] = {
    "results": "results 2026-11-09",
    "results --format json": "results 2026-11-09 --format json",
    "results --week": "results --week --start 2026-11-09",
    "status": "status",
    "--help": "--help",
}


def measure(directory: Path, rounds: int, depth: int) -> dict[str, Any]:
    """The commands take turns; the first round writes bytecode and fills the caches, and is not timed."""
    command = [sys.executable, "-m", "bench.answered_week", str(directory), f"--depth={depth}"]
    first = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()  # noqa: S603 our own module
    runs = [{name: _run(directory, command.split()) for name, command in COMMANDS.items()} for _ in range(rounds + 1)]
    shown = [_shows(done, first) for done in runs]
    return {
        "rounds": rounds,
        "depth": depth,
        "commands": {
            name: {
                "seconds": median(done[name]["seconds"] for done in runs[1:]),
                "best": min(done[name]["seconds"] for done in runs[1:]),
                "processor": min(done[name]["processor"] for done in runs[1:]),
            }
            for name in COMMANDS
        },
        "holds": all(shown),
    }


def _shows(done: Mapping[str, Mapping[str, Any]], first: str) -> bool:
    """Whether all commands ended well, and named the most requested article where they should."""
    if any(done[name]["code"] for name in COMMANDS):
        return False
    document = json.loads(done["results --format json"]["text"])
    return bool(document["most_requested"][0]["title"] == first) and all(
        first.replace("_", " ")[:20] in done[name]["text"].replace("_", " ") for name in ("results", "results --week")
    )


def _run(directory: Path, arguments: list[str]) -> dict[str, Any]:
    """Seconds, processor seconds, exit code and what it wrote to its terminal."""
    environment = {"PATH": os.defpath, "HOME": str(directory), "TERM": "xterm", "WIKIQ_DATA_DIR": str(directory)}
    main, terminal = pty.openpty()
    used, began = _processor(), time.perf_counter()
    with subprocess.Popen(  # noqa: S603 the program itself
        [PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=terminal, stderr=subprocess.STDOUT, env=environment
    ) as process:
        os.close(terminal)
        text = b"".join(_until_hung_up(main))
        code = process.wait()
    seconds = time.perf_counter() - began
    os.close(main)
    return {"seconds": seconds, "processor": _processor() - used, "code": code, "text": text.decode()}


def _until_hung_up(terminal: int) -> Iterator[bytes]:
    try:
        yield from iter(partial(os.read, terminal, 1 << 16), b"")
    except OSError:  # so Linux tells that nobody writes any more
        return


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
