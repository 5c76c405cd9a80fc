"""What has to be installed before anything is measured, and how to get it."""

from __future__ import annotations

import re
import shutil
import sysconfig
import tomllib
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version

from bench.source import ROOT, is_installed

EXTRA = "pip install '.[bench]'"
_HOW = {"redis-server": "apt-get install redis-server, elsewhere often the package redis", "wikiq": EXTRA}
_PROGRAMS: Mapping[str, tuple[str, ...]] = {
    "week": ("redis-server", "wikiq"),
    "workers": ("redis-server", "wikiq"),
    "overhead": ("redis-server", "wikiq"),
    "results": ("wikiq",),
    "leases": ("redis-server",),
}
"""The programs that commands start."""


def program(name: str) -> str | None:
    """The program's path; of ``wikiq`` only the one that was installed for the Python that runs this."""
    return shutil.which(name, path=sysconfig.get_path("scripts") if name == "wikiq" else None)


def release(name: str) -> str | None:
    """Which release of a package is installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def releases() -> dict[str, str | None]:
    """Of every package that pyproject.toml names for the application and the benchmark, what is installed."""
    return {name: release(name) for name in (*_named(), *_named("bench"))}


def missing(commands: Iterable[str], *, everything: bool = False, own_redis: bool = True) -> list[str]:
    """What is not installed, each with how to get it.

    Args:
        commands: whose programs have to be there.
        everything: whether all that wikiq is compared with has to be there, too.
        own_redis: whether those that need a Redis start one.
    """
    started = {name for command in commands for name in _PROGRAMS.get(command, ())}
    programs = [name for name in sorted(started) if (own_redis or name != "redis-server") and not program(name)]
    packages = [name for name in _named("bench") if everything and release(name) is None]
    told = [f"{', '.join(packages)} ({EXTRA})"] if packages else []
    return told + [f"{name} ({_HOW[name]})" for name in programs]


def refuse_missing(commands: Iterable[str], *, everything: bool = False, own_redis: bool = True) -> None:
    """End with a sentence if something is not installed that these commands need.

    Raises:
        SystemExit: that sentence.
    """
    lacking = missing(commands, everything=everything, own_redis=own_redis)
    if lacking:
        raise SystemExit(f"Nothing was measured, as there is no {'; no '.join(lacking)}.")


def refuse_other_code(commands: Iterable[str]) -> None:
    """End with a sentence if a program that these commands start is not of this checkout.

    Raises:
        SystemExit: that sentence.
    """
    started = any("wikiq" in _PROGRAMS.get(command, ()) for command in commands)
    if started and program("wikiq") and not is_installed():
        raise SystemExit(
            "Nothing was measured, as the installed wikiq is of other code than this checkout: "
            f"{EXTRA} (or pip install -e '.[bench]')."
        )


def _named(extra: str | None = None) -> list[str]:
    """The packages that pyproject.toml names, without what it says of their releases."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = project["optional-dependencies"][extra] if extra else project["dependencies"]
    return [re.split(r"[^\w.-]", line)[0] for line in lines]
