"""Writing a document to a file, or to stdout as suits what it is."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Protocol

from models.errors import OutputUnwritable

WIDTH_WITHOUT_TERMINAL = 80


class Draw(Protocol):
    """Makes a document for a place."""

    def __call__(self, *, width: int, colour: bool, terminal: bool) -> str: ...


def write(draw: Draw, output: Path | None) -> None:
    """Write what ``draw`` makes to a file, or to stdout if there is none or it is ``-``.

    Raises:
        OutputUnwritable: the file cannot be written.
    """
    if output is not None and str(output) != "-":
        text = draw(width=WIDTH_WITHOUT_TERMINAL, colour=False, terminal=False)
        try:
            output.write_text(text, encoding="utf-8", newline="")
        except OSError as error:
            raise OutputUnwritable(f"{output} cannot be written ({error.strerror}).") from error
        return
    # Slow to import, and the health probe imports what all commands need.
    from rich.console import Console

    console = Console()
    terminal = console.is_terminal
    text = draw(
        width=console.width if terminal else WIDTH_WITHOUT_TERMINAL,
        colour=terminal and console.color_system is not None and not console.no_color,
        terminal=terminal,
    )
    # Bytes, because a terminal's encoding or line ends must not change a document.
    sys.stdout.buffer.write(text.encode())
    sys.stdout.flush()
