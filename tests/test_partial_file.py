"""How much of a file is here, while somebody else is fetching it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from worker.partial_file import bytes_here

PART, WHOLE = "pageviews.gz.part", "pageviews.gz"


@pytest.mark.parametrize(("files", "size"), [({}, 0), ({PART: 3}, 3), ({WHOLE: 5}, 5), ({PART: 3, WHOLE: 5}, 5)])
def test_whole_or_in_part(tmp_path: Path, files: dict[str, int], size: int) -> None:
    """The part counts while there is no whole; where there is nothing, or no directory, it is 0."""
    for name, length in files.items():
        (tmp_path / name).write_bytes(bytes(length))
    assert bytes_here(tmp_path / WHOLE) == size
    assert bytes_here(tmp_path / "nowhere" / WHOLE) == 0


@pytest.mark.parametrize("finished_first", [True, False])
def test_finished_while_it_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, finished_first: bool) -> None:
    """The part becomes the whole just before or just after the look at it: its bytes are told, and nothing fails."""
    (tmp_path / PART).write_bytes(bytes(5))
    look = Path.stat

    def stat(path: Path, **options: bool) -> os.stat_result:
        if path.name == PART and finished_first:
            path.rename(tmp_path / WHOLE)
        about = look(path, **options)
        if path.name == PART:
            path.rename(tmp_path / WHOLE)
        return about

    monkeypatch.setattr(Path, "stat", stat)
    assert bytes_here(tmp_path / WHOLE) == 5
