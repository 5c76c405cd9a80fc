"""A file's bytes that are read when they are sent are those that slicing its content would give."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.demosite.file_bytes import file_bytes

CONTENT = bytes(range(30))
PLACES = st.none() | st.integers(-40, 40)
SLICES = st.builds(slice, PLACES, PLACES)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("served") / "file"
    path.write_bytes(CONTENT)
    return path


@given(parts=st.lists(SLICES, max_size=3))
def test_slices_of_slices(path: Path, parts: list[slice]) -> None:
    found, expected = file_bytes(path), CONTENT
    for part in parts:
        found, expected = found[part], expected[part]
    assert (bytes(found), len(found)) == (expected, len(expected))


def test_the_file_that_was_opened_is_read_to_its_end(path: Path, tmp_path: Path) -> None:
    """A server goes on with the version whose length it announced."""
    served, other = tmp_path / "served", tmp_path / "other"
    served.write_bytes(CONTENT)
    other.write_bytes(b"another version")
    rest = file_bytes(served)[10:]
    other.replace(served)
    assert bytes(rest) == CONTENT[10:]


def test_it_is_closed_with_the_last_of_its_bytes(path: Path) -> None:
    part = file_bytes(path)[3:5]
    descriptor = part.file.descriptor
    assert is_open(descriptor, path)
    del part
    assert not is_open(descriptor, path)


def is_open(descriptor: int, path: Path) -> bool:
    """Whether it is this file's; the number may be another's by now."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def test_no_step(path: Path) -> None:
    with pytest.raises(ValueError, match="follow each other"):
        file_bytes(path)[::2]
