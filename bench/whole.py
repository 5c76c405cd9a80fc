"""Several commands of the benchmark, each in a process of its own, and the page that is made of all of them."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from bench import measured
from bench.page import replaced, table

KEEPING = ("day", "rank", "week", "memory")
"""Commands whose generated data can be kept."""
Result = Mapping[str, Any]
Ended = subprocess.CompletedProcess[str]


def started(words: Sequence[str]) -> Ended:
    """``python -m bench`` with these words, to its end."""
    return subprocess.run([sys.executable, "-m", "bench", *words], check=False, stdout=subprocess.PIPE, text=True)  # noqa: S603 our own module


@dataclass(frozen=True, slots=True)
class Whole:
    """What to measure and what to do with it.

    Attributes:
        commands: their modules, by name.
        options: what a command is told, as its result says it.
        small: all at sizes that take seconds, and at once.
        keep: where generated data and results are left, and taken from if they are still what would be measured.
        page: what is written if every result is there and right; without one the text is printed.
        again: the words with which the same is asked for.
        start: runs the benchmark with the words it gets.
    """

    commands: Mapping[str, ModuleType]
    options: Callable[[str], Mapping[str, Any]]
    small: bool = False
    keep: Path | None = None
    page: Path | None = None
    again: Sequence[str] = ()
    start: Callable[[Sequence[str]], Ended] = started


def run(whole: Whole) -> int:
    """Measure everything and tell it; the exit code is 1 if a result is missing or is not right.

    Results are not lost then: it is told where they are.
    """
    if whole.page:
        # A page without its markers is better found out now than in an hour and a half.
        replaced(whole.page.read_text(encoding="utf-8"), "")
    place = whole.keep or Path(tempfile.mkdtemp(prefix="wikiq-bench-results-"))
    right = False
    try:
        right = _carry_out(whole, place)
    finally:
        if not right:
            again = shlex.join(["python", "-m", "bench", *whole.again, "--keep", str(place)])
            sys.stderr.write(f"What was measured lies in {place}; to go on from there: {again}\n")
        elif whole.keep is None:
            shutil.rmtree(place)
    return 0 if right else 1


def _carry_out(whole: Whole, place: Path) -> bool:
    # Where the seconds tell nothing, one need not wait for the other; and all of them wait now and then.
    with ThreadPoolExecutor((os.cpu_count() or 1) + 1 if whole.small else 1) as at_once:
        found = dict(zip(whole.commands, at_once.map(partial(_result, whole, place), whole.commands), strict=True))
    troubles = {name: trouble_of(result, compared=whole.page is not None) for name, result in found.items()}
    wrong = [f"{name}: {trouble}" for name, trouble in troubles.items() if trouble]
    text = _text(whole, {name: result for name, result in found.items() if result is not None})
    if whole.page and not wrong:
        whole.page.write_text(replaced(whole.page.read_text(encoding="utf-8"), text), encoding="utf-8")
    else:
        sys.stdout.write(text + "\n")
    unwritten = f"; {'/'.join(whole.page.parts[-2:])} was not written" if whole.page else ""
    sys.stderr.writelines(f"{told}{unwritten}.\n" for told in wrong)
    return not wrong


def trouble_of(result: Result | None, *, compared: bool = False) -> str | None:
    """What is wrong with a result, if anything is.

    Args:
        result: None if there is none.
        compared: whether it is wrong, too, that nothing was there to compare answers with.
    """
    if result is None:
        return "it failed"
    if result.get("answers_equal", True) is False:
        return "the answers differ"
    if not result.get("holds", True):
        return "something does not hold that must, such as that no hour is lost"
    if compared and result.get("answers_equal", True) is None:
        return "there was nothing to compare its answer with"
    return None


def _text(whole: Whole, results: Mapping[str, Result]) -> str:
    rows = [row for name, result in results.items() for row in whole.commands[name].rows(result)]
    parts = [
        f"### {name}: {whole.commands[name].HELP}\n\n{whole.commands[name].details(result)}"
        for name, result in results.items()
    ]
    return "\n\n".join([table(rows), measured.line(results), *parts])


def _result(whole: Whole, place: Path, name: str) -> Result | None:
    """A command's result, measured in a process of its own, so that none finds what another left in memory.

    None if the command failed; it said why.
    """
    file = place / f"{name}{'-small' if whole.small else ''}.json"
    kept = _kept(file, whole.options(name))
    if kept is not None:
        return kept
    sys.stderr.write(f"{name} …\n")
    keep = ["--keep", str(whole.keep)] if whole.keep and name in KEEPING else []
    done = whole.start([name, "--json", *(["--small"] if whole.small else []), *keep])
    if not done.stdout:
        sys.stderr.write(f"python -m bench {name} ended with {done.returncode} and told nothing.\n")
        return None
    result: Result = json.loads(done.stdout)
    # What is wrong is left to be looked at, and is not taken for a result again.
    _write(file.with_stem(f"{file.stem}-wrong") if trouble_of(result) else file, done.stdout)
    return result


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".unfinished")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(file)


def _kept(file: Path, options: Mapping[str, Any]) -> Result | None:
    """A result that was measured before, if it would be measured so again."""
    if not file.exists():
        return None
    result: Result = json.loads(file.read_text(encoding="utf-8"))
    difference = measured.difference(result.get("measured", {}), measured.about(options))
    if difference:
        sys.stderr.write(f"{file.name} is {difference}: measured anew\n")
        return None
    return result
