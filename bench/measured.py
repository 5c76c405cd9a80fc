"""Of which code, when, on what and how a result was measured; so that no page mixes results without telling."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.needs import release, releases
from bench.source import commit, digest

_SHOWN = 12
"""Letters of a digest."""


def about(options: Mapping[str, Any]) -> dict[str, Any]:
    """What a result that is begun now says of itself."""
    return {
        "commit": commit(),
        "source": digest(),
        "began": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "wikiq": release("wikiq"),
        "cpu": _cpu(),
        "cpus": os.cpu_count(),
        "packages": releases(),
        "options": dict(options),
    }


def options_of(arguments: argparse.Namespace) -> dict[str, Any]:
    """What a command was told, as JSON, but for where it leaves what it makes and how it prints."""
    told = {name: value for name, value in vars(arguments).items() if name not in ("name", "only", "keep", "json")}
    found: dict[str, Any] = json.loads(json.dumps(told, default=str))
    return found


def difference(found: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    """In what a result that was measured so is not what would be measured now; None if it is."""
    if found.get("source") != now["source"]:
        return f"of commit {found.get('commit') or 'unknown'}, source {_short(found.get('source') or 'unknown')}"
    options = [name for name in now["options"] if found["options"].get(name) != now["options"][name]]
    if options:
        told = [f"{name} {found['options'].get(name)}" for name in options]
        return f"of other options, {', '.join(told)}"
    if found["packages"] != now["packages"]:
        changed = dict(found["packages"].items() ^ now["packages"].items())
        return f"with another release of {', '.join(sorted(changed))}"
    return None


def line(results: Mapping[str, Mapping[str, Any]]) -> str:
    """A sentence for below a table of these commands' results; by command, where not all were measured alike."""
    commands: dict[str, list[str]] = {}
    for name, result in results.items():
        commands.setdefault(_told(result["measured"]), []).append(name)
    if len(commands) == 1:
        return f"Measured {next(iter(commands))}."
    told = [f"{', '.join(names)} {how}" for how, names in commands.items()]
    return f"Measured: {'; '.join(told) or 'nothing'}."


def _told(found: Mapping[str, Any]) -> str:
    of_commit = f" (commit {found['commit']})" if found["commit"] else ""
    return (
        f"on {found['began'][:10]} on {found['cpus']} CPUs, {found['cpu']}, "
        f"of wikiq {found['wikiq']}, source {_short(found['source'])}{of_commit}"
    )


def _short(source: str) -> str:
    return source[:_SHOWN]


def _cpu() -> str:
    """The CPU's model, or where the system does not tell it, its kind."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()
