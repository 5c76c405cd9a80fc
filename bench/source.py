"""Which code is measured: this checkout's, and the installed program's, which should be the same."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parents[1]
INSTALLED = ("cli", "models", "worker")
"""The packages that ``pip install`` installs; ``bench`` is in a checkout only."""
_WHERE = "import worker; print(worker.__file__)"


def digest(root: Path = ROOT, packages: Sequence[str] = ("bench", *INSTALLED)) -> str:
    """A digest of all Python and SQL of these packages; other commits may have the same."""
    files = {
        path.relative_to(root).as_posix(): path
        for package in packages
        for path in (root / package).rglob("*")
        if path.suffix in (".py", ".sql")
    }
    found = sha256()
    for name in sorted(files):
        found.update(f"{name} {sha256(files[name].read_bytes()).hexdigest()}\n".encode())
    return found.hexdigest()


def commit(root: Path = ROOT) -> str | None:
    """The checked out commit, with `` + changes`` if not all is as it was committed; None where there is no Git."""
    # A directory without this may lie in another project's repository.
    if not (root / ".git").exists():
        return None
    found, changes = (_git(root, *words) for words in (("rev-parse", "--short=12", "HEAD"), ("status", "--porcelain")))
    return found and found + (" + changes" if changes else "")


def _git(root: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", root, *words], check=False, capture_output=True, text=True)  # noqa: S603, S607 constants; whichever Git is there
    except FileNotFoundError:
        return None
    return None if done.returncode else done.stdout.strip()


def is_installed(root: Path = ROOT) -> bool:
    """Whether the programs of this Python run the same code as lies there."""
    wanted = digest(root, INSTALLED)
    # Some of the measured programs get this environment's PYTHONPATH, and some do not.
    return all(place is not None and digest(place, INSTALLED) == wanted for place in map(_imported, ("-P", "-I")))


def _imported(flag: str) -> Path | None:
    """Where a program finds ``worker``, to whom the directory that one happens to be in means nothing."""
    done = subprocess.run([sys.executable, flag, "-c", _WHERE], check=False, capture_output=True, text=True)  # noqa: S603 constants
    return None if done.returncode else Path(done.stdout.strip()).parents[1]
