"""A mirror of the generated site."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.demosite.server import serve
from cli.demosite.site import Site


@pytest.fixture
def mirror(demo_directory: Path) -> Iterator[Site]:
    """The same files once more, on a server of its own."""
    with serve(demo_directory) as served:
        yield served
