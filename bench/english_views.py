"""How many views of English Wikipedia an hour file has, counted without anything of the product."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

_OF_ENGLISH = re.compile(rb"^en(?:\.m)? [^ ]+ (\d+) 0$", re.MULTILINE)


def english_views(file: Path) -> int:
    """The views of all lines of ``en`` and ``en.m``."""
    return sum(map(int, _OF_ENGLISH.findall(gzip.decompress(file.read_bytes()))))
