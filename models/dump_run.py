"""A dump run of a wiki: its tables and its files (https://meta.wikimedia.org/wiki/Data_dumps)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from models.errors import BadDate


class DumpTable(StrEnum):
    """A table that wikiq reads, by its name (https://www.mediawiki.org/wiki/Manual:Database_layout)."""

    PAGE = "page"
    REDIRECT = "redirect"
    LINKTARGET = "linktarget"
    CATEGORYLINKS = "categorylinks"
    PAGE_PROPS = "page_props"

    @property
    def job(self) -> str:
        """Its job in a run's dumpstatus.json."""
        return f"{self.value.replace('_', '')}table"


class DumpState(StrEnum):
    """What became of a wiki's dump runs, of one run's index, or of one of its tables."""

    WAITING = "waiting"
    DONE = "done"
    NO_DUMPS = "no dumps"  # the source has none of this wiki
    MISSING = "missing"  # the source has no such run or file, or it is not finished
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    FAILED = "failed"  # what arrived could not be read

    @property
    def is_trouble(self) -> bool:
        """Whether it will stay so until it is asked for again."""
        return self not in (DumpState.WAITING, DumpState.DONE, DumpState.NO_DUMPS)


class DumpFile(NamedTuple):
    """A file of a dump run as its dumpstatus.json announces it; ``size`` in bytes, the checksums in hexadecimal."""

    name: str
    size: int
    sha1: str | None
    md5: str | None


@dataclass(frozen=True, slots=True)
class RunFiles:
    """The files of a finished run."""

    run: dt.date
    tables: Mapping[DumpTable, DumpFile]
    namespaces: DumpFile


def run_path(run: dt.date) -> str:
    """The name of a run's folder: ``20160801``."""
    return f"{run:%Y%m%d}"


def parse_run(text: str) -> dt.date:
    """The run of a date, written ``2016-08-01`` or as its folder is named, ``20160801``.

    Raises:
        BadDate: it is no date.
    """
    if re.fullmatch(r"\d{8}|\d{4}-\d{2}-\d{2}", text, re.ASCII):
        with suppress(ValueError):
            return dt.date.fromisoformat(text)
    raise BadDate(f"{text!r} names no dump run; write its date, like 2016-08-01 or 20160801.")
