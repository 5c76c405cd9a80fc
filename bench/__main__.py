"""``python -m bench``: everything that docs/performance.md quotes, measured anew; or one command of it."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.page import PAGE, replaced, table

KEEPING = ("day", "rank", "memory")
"""Commands whose generated data can be kept."""
COMMANDS = ("hour", "day", "rank", "week", "workers", "overhead", "index", "sqldump", "memory", "results", "leases")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = parser.add_subparsers(dest="name", help="without one, all of them, and the page is written")
    modules = {
        name: import_module(f"bench.commands.{name}") for name in COMMANDS if find_spec(f"bench.commands.{name}")
    }
    for name, module in modules.items():
        command = commands.add_parser(name, help=module.HELP, description=module.__doc__)
        module.options(command)
        command.add_argument("--json", action="store_true", help="print one object instead of a table")
    parser.add_argument("--small", action="store_true", help="everything at sizes that take seconds; writes no page")
    parser.add_argument("--only", action="append", choices=COMMANDS, help="of all commands only this; repeatable")
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="DIR",
        help="leave what is generated and measured there, and take it from there",
    )
    arguments = parser.parse_args()
    if arguments.name:
        return _run(modules[arguments.name], arguments)
    return _run_all(modules, arguments.only or list(modules), small=arguments.small, keep=arguments.keep)


def _run(module: ModuleType, arguments: argparse.Namespace) -> int:
    result = module.measure(arguments)
    sys.stdout.write((json.dumps(result) if arguments.json else module.report(result)) + "\n")
    return 0 if _agrees(result) else 1


def _run_all(modules: dict[str, ModuleType], names: list[str], *, small: bool, keep: Path | None) -> int:
    # Where the seconds tell nothing, one need not wait for the other; and all of them wait now and then.
    with ThreadPoolExecutor((os.cpu_count() or 1) + 1 if small else 1) as at_once:
        found = at_once.map(partial(_measured, small=small, keep=keep), names)
        measured = dict(zip(names, found, strict=True))
    results = {name: result for name, result in measured.items() if result is not None}
    rows = [row for name, result in results.items() for row in modules[name].rows(result)]
    parts = [f"### {name}: {modules[name].HELP}\n\n{modules[name].details(result)}" for name, result in results.items()]
    text = "\n\n".join([table(rows), *parts])
    if small or len(results) < len(COMMANDS):
        sys.stdout.write(text + "\n")
    else:
        PAGE.write_text(replaced(PAGE.read_text(encoding="utf-8"), text), encoding="utf-8")
    return 0 if len(results) == len(names) and all(map(_agrees, results.values())) else 1


def _measured(name: str, *, small: bool, keep: Path | None) -> dict[str, Any] | None:
    """A command's result, measured in a process of its own, so that none finds what another left in memory.

    What lies in ``keep`` is taken as it is, whoever measured it there. None if the command failed; it said why.
    """
    kept = keep and keep / f"{name}{'-small' if small else ''}.json"
    if kept and kept.exists():
        return dict(json.loads(kept.read_text(encoding="utf-8")))
    sys.stderr.write(f"{name} …\n")
    options = [*(["--small"] if small else []), *(["--keep", str(keep)] if keep and name in KEEPING else [])]
    command = [sys.executable, "-m", "bench", name, "--json", *options]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)  # noqa: S603 our own module
    if not done.stdout:
        sys.stderr.write(f"python -m bench {name} ended with {done.returncode} and told nothing.\n")
        return None
    result: dict[str, Any] = json.loads(done.stdout)
    if kept and _agrees(result):
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(done.stdout, encoding="utf-8")
    return result


def _agrees(result: dict[str, Any]) -> bool:
    return result.get("answers_equal", True) is not False and bool(result.get("holds", True))


if __name__ == "__main__":
    sys.exit(main())
