"""What is measured, and where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from population import Population


@dataclass(frozen=True, slots=True)
class Trial:
    """``sources`` are files as exported from the monolith, ``data`` is the engine's own folder."""

    population: Population
    folder: Path
    seed: int
    share: float

    @property
    def sources(self) -> Path:
        return self.folder / "sources"

    @property
    def data(self) -> Path:
        return self.folder / "engine"

    def runs(self, wanted: int) -> int:
        return max(2, round(wanted * self.share))
