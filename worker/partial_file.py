"""A file that is not there as a whole yet: its bytes so far, and which version of it they belong to."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

_STRONG_ETAG = re.compile(r'"[!#-~]*"')


def plain(text: str | None) -> str | None:
    """A header's text if it is printable ASCII without blanks at its ends: fit for a request, a database, a screen."""
    return text if text and text.isascii() and text.isprintable() and text == text.strip() else None


@dataclass(frozen=True, slots=True)
class Version:
    """The version of a file that a part belongs to; ``total`` is in bytes."""

    url: str
    etag: str | None
    last_modified: str | None
    total: int | None

    @property
    def validator(self) -> str | None:
        """What names the version in a request; None where nothing does that could be sent."""
        return self.etag if self.etag and _STRONG_ETAG.fullmatch(self.etag) else plain(self.last_modified)


def bytes_here(path: Path) -> int:
    """How much of a file is here, whole or in part; 0 where there is nothing of it.

    Others may be fetching it. The part is looked at first: when it has just gone, the whole is there.
    """
    return max(PartialFile(path).size(), _size(path))


class PartialFile:
    """The bytes of an unfinished file, and beside them which version they are of."""

    def __init__(self, into: Path) -> None:
        self.path = into.with_name(f"{into.name}.part")
        self.sidecar = into.with_name(f"{into.name}.part.json")
        self.range_refused = False

    def size(self) -> int:
        return _size(self.path)

    def version(self) -> Version | None:
        try:
            version = Version(**json.loads(self.sidecar.read_bytes()))
            usable = isinstance(version.validator, str) and isinstance(version.total, int | None)
        except (FileNotFoundError, AttributeError, TypeError, ValueError, RecursionError):
            return None
        return version if usable else None

    def begin(self, version: Version) -> Version:
        """Start over, with the bytes of this version."""
        # Emptied first: a kill in between must not leave the old bytes beside the new version.
        self.path.write_bytes(b"")
        self.sidecar.write_text(json.dumps(asdict(version)))
        return version

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self.sidecar.unlink(missing_ok=True)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
