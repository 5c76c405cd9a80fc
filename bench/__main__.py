"""``python -m bench``: everything that docs/performance.md quotes, measured anew; or one command of it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from bench import measured
from bench.needs import refuse_missing, refuse_other_code
from bench.page import PAGE
from bench.whole import Whole, run, trouble_of

COMMANDS = ("hour", "day", "rank", "week", "workers", "overhead", "index", "sqldump", "memory", "results", "leases")


def main() -> int:
    modules = {name: import_module(f"bench.commands.{name}") for name in COMMANDS}
    parser = _parser(modules)
    arguments = parser.parse_args()
    if arguments.name:
        return _run(modules[arguments.name], arguments)
    names = [name for name in COMMANDS if name in (arguments.only or COMMANDS)]
    page = PAGE if names == [*COMMANDS] and not arguments.small else None
    refuse_other_code(names)
    if not arguments.small:
        refuse_missing(names, everything=page is not None)

    small = ["--small"] if arguments.small else []

    def options(name: str) -> Mapping[str, Any]:
        return measured.options_of(parser.parse_args([name, *small]))

    chosen = {name: modules[name] for name in names}
    again = [*small, *(word for name in arguments.only or () for word in ("--only", name))]
    return run(Whole(chosen, options, small=arguments.small, keep=arguments.keep, page=page, again=again))


def _parser(modules: Mapping[str, ModuleType]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = parser.add_subparsers(dest="name", help="without one, all of them, and the page is written")
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
    return parser


def _run(module: ModuleType, arguments: argparse.Namespace) -> int:
    refuse_missing([arguments.name], own_redis=getattr(arguments, "redis", None) is None)
    refuse_other_code([arguments.name])
    about = measured.about(measured.options_of(arguments))
    result = {**module.measure(arguments), "measured": about}
    sys.stdout.write((json.dumps(result) if arguments.json else module.report(result)) + "\n")
    return 1 if trouble_of(result) else 0


if __name__ == "__main__":
    sys.exit(main())
